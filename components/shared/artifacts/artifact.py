"""The base of every artifact: content, its digest, and the digests of its inputs.

On disk an artifact is `{"kind": …, "digest": …, "content": {…}}`; loading recomputes the digest, so any change of the
content is detected.
"""

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.shared.digests import digest_json
from components.shared.errors import IntegrityError
from components.shared.storage import atomic_write


class Record(BaseModel):
    """A frozen part of an artifact: no unknown field, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Artifact(Record):
    """Frozen content with its digest and the digests of its inputs."""

    inputs: dict[str, str] = Field(default_factory=dict, description="Digest of each input, by the input's name.")

    @property
    def digest(self) -> str:
        """The digest of the whole content, inputs included."""
        return digest_json(self.model_dump(mode="json"))

    def save(self, path: Path) -> Path:
        """Writes the artifact, whole or not at all."""
        envelope = {
            "kind": type(self).__name__,
            "digest": self.digest,
            "content": self.model_dump(mode="json"),
        }
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(envelope, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads an artifact and checks its digest.

        Raises:
            IntegrityError: the file is missing, of another kind, or its content does not have the saved digest.
        """
        try:
            return cls.parse(path.read_text(encoding="utf-8"), str(path))
        except FileNotFoundError:
            raise IntegrityError(f"{path}: missing; the step before did not finish") from None
        except UnicodeDecodeError as error:
            raise IntegrityError(f"{path}: not a {cls.__name__}: {error}") from None

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """The artifact in a text that `save` wrote; `where` is its name in errors.

        Raises:
            IntegrityError: it is of another kind, or its content does not have the saved digest.
        """
        try:
            envelope = json.loads(text)
            kind, digest, content = envelope["kind"], envelope["digest"], envelope["content"]
            if kind != cls.__name__:
                raise IntegrityError(f"{where}: holds a {kind}, expected a {cls.__name__}")
            artifact = cls.model_validate_json(json.dumps(content))
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise IntegrityError(f"{where}: not a {cls.__name__}: {error}") from None
        if digest_json(content) != digest or artifact.digest != digest:
            raise IntegrityError(
                f"{where}: its content does not have the digest {digest} that it was saved with; "
                "it was changed afterwards: run the pipeline again"
            )
        return artifact
