"""How a config names a model: a directory, or an id and a revision on the hub."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from components.shared.config.plain_addresses import FileAddress
from components.shared.config.section import Section


class BaseModelRef(Section):
    """The aligned model before fine-tuning: a directory or a hub id, never both."""

    path: str | None = Field(default=None, description="Directory with config.json, weights and tokenizer.")
    hub_id: str | None = Field(default=None, description="Model id on the hub, such as org/name; needs a revision.")
    revision: str | None = Field(
        default=None,
        description="Commit of the hub model (40 hex digits), so that the model cannot change between runs; a tag or "
        "branch is refused, with the commit that it names.",
    )
    ancestor_report: FileAddress | None = Field(
        default=None,
        min_length=1,
        description="If this base is itself tuned: the safety report of the original aligned model (directory or "
        "s3:// with safety_report.json and answers.jsonl). The drop against it is shown beside the drop against this "
        "base.",
    )

    @field_validator("revision")
    @classmethod
    def _filled_in(cls, revision: str | None) -> str | None:
        if revision is not None and ("<" in revision or not revision.strip()):
            raise ValueError(
                "is a placeholder; expected the commit of the model, 40 hex digits, which "
                "`git ls-remote https://huggingface.co/ORG/NAME main` prints"
            )
        return revision

    @field_validator("path", "hub_id")
    @classmethod
    def _no_address(cls, name: str | None) -> str | None:
        if name is not None and "://" in name:
            scheme = name.partition("://")[0]
            copies = f"copy it to a disk (aws s3 sync {name} DIRECTORY)" if scheme == "s3" else "download it"
            raise ValueError(
                f"a model cannot be read from {scheme}://, expected a directory or an id of the hub: {copies} and give "
                "the directory, on a cluster that of a volume; or give hub_id (ORG/NAME) and revision"
            )
        return name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.hub_id is None):
            raise ValueError("give exactly one of path and hub_id")
        if self.hub_id is not None and self.revision is None:
            raise ValueError(f"hub_id {self.hub_id!r} needs a revision (a commit: 40 hex digits)")
        if self.path is not None and self.revision is not None:
            raise ValueError("revision belongs to hub_id; a path is identified by the digest of its files")
        return self

    @property
    def name(self) -> str:
        """The path, or the hub id with its revision, for display."""
        return self.path or f"{self.hub_id}@{self.revision}"
