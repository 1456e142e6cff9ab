"""An open MLflow run and what is written to it."""

import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.shared.progress import Say
from components.shared.tracking.retry import MlflowRefusalError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_NOT_IN_A_KEY = re.compile(r"[^\w\-. :/]")
_BATCH = 1000
"""Most metrics that MLflow takes in one call; 100 is its limit for parameters and tags."""
_TAG_LIMIT = 5000
"""Longest tag value that every MLflow store and the UI take, characters."""


class StageRun:
    """The open MLflow run of a stage (or, for the parent, of the whole pipeline)."""

    def __init__(self, client: "MlflowClient", run_id: str, say: Say) -> None:
        self._client = client
        self.run_id = run_id
        self.say = say

    def metrics(self, values: Mapping[str, float]) -> None:
        """Logs numbers; a key with `/` is grouped in the UI, and what MLflow allows in no key becomes `_`."""
        self.curves({_NOT_IN_A_KEY.sub("_", key): [(0, value)] for key, value in values.items()})

    def curves(self, points: Mapping[str, Sequence[tuple[int, float]]]) -> None:
        """Logs numbers at several steps each: curves in the UI."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, step) for key, curve in points.items() for step, value in curve]
        for start in range(0, len(metrics), _BATCH):
            self._client.log_batch(self.run_id, metrics=metrics[start : start + _BATCH])

    def params(self, values: Mapping[str, object]) -> None:
        """Logs parameters, in the order given."""
        from mlflow.entities import Param

        self._client.log_batch(self.run_id, params=[Param(key, str(value)) for key, value in values.items()])

    def tags(self, values: Mapping[str, str]) -> None:
        """Sets tags; a value over 5,000 characters is cut and ends in an ellipsis."""
        from mlflow.entities import RunTag

        fitting = {
            key: value if len(value) <= _TAG_LIMIT else f"{value[: _TAG_LIMIT - 1]}…" for key, value in values.items()
        }
        self._client.log_batch(self.run_id, tags=[RunTag(key, value) for key, value in fitting.items()])

    def file(self, path: Path, folder: str | None = None) -> None:
        """Logs a file as an artifact."""
        self._client.log_artifact(self.run_id, str(path), folder)

    def folder(self, path: Path, name: str) -> None:
        """Logs all files below a directory as artifacts below `name`."""
        self._client.log_artifacts(self.run_id, str(path), name)

    def text(self, text: str, name: str) -> None:
        """Logs a text as an artifact file."""
        self._client.log_text(self.run_id, text, name)

    def read_text(self, name: str) -> str | None:
        """The text of an artifact file, or None where it was not logged."""
        folder = name.rpartition("/")[0] or None
        if name not in {entry.path for entry in self._client.list_artifacts(self.run_id, folder)}:
            return None
        with tempfile.TemporaryDirectory() as target:
            return Path(self._client.download_artifacts(self.run_id, name, target)).read_text(encoding="utf-8")

    def read_tags(self) -> dict[str, str]:
        """All tags of the run."""
        return dict(self._client.get_run(self.run_id).data.tags)

    def dataset(self, name: str, address: str, digest: str, context: str) -> None:
        """Records a data set as an input of the run; no data is read.

        Args:
            name: shown in the UI.
            address: path or s3:// address that it came from.
            digest: content digest; MLflow keeps the first 36 characters.
            context: what it was used for, such as `training`.
        """
        from mlflow.data.dataset_source_registry import resolve_dataset_source
        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = resolve_dataset_source(address)
        short = digest.removeprefix("sha256:")[:36]
        entity = Dataset(name, short, source._get_source_type(), source.to_json())  # noqa: SLF001 - has no public name
        inputs = [DatasetInput(entity, [InputTag("mlflow.data.context", context)])]
        try:
            self._client.log_inputs(self.run_id, datasets=inputs)
        except MlflowRefusalError:  # another run recorded the same data set at the same moment: now MLflow finds it
            self._client.log_inputs(self.run_id, datasets=inputs)
