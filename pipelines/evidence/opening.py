"""Opens the evidence of RUN_OR_DIR: a directory as it is, or the `evidence` folder of a run in MLflow, unchecked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from components.shared.config.anchoring import anchor, anchor_tracking
from components.shared.config.reading import load_pipeline_config
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.errors import ConfigError, TrackingError
from components.shared.redaction import redacted
from components.shared.tracking.recorded_runs import RecordedRun, find_run

FOLDER = "evidence"
"""The folder of a run's artifacts into which check_gate writes the evidence."""


class OpenEvidence(NamedTuple):
    """Evidence on disk.

    Attributes:
        folder: with the files that docs/evidence.md lists.
        run: the run in MLflow; None for a directory.
        config: the one named by the user, else the one that the run recorded, else None.
        scratch: an empty directory for other downloads; removed when the evidence is closed.
    """

    folder: Path
    run: RecordedRun | None
    config: PipelineConfig | None
    scratch: Path


@contextmanager
def open_evidence(
    run_or_dir: str, config: str | None = None, tracking_uri: str | None = None
) -> Iterator[OpenEvidence]:
    """Opens the evidence of a directory or a run; a directory wins over a run of the same name.

    Args:
        run_or_dir: a directory, an MLflow run id, or the id that `plimsoll run` prints.
        config: a pipeline config: names the MLflow store, and replaces the config that the run recorded.
        tracking_uri: the MLflow store, where no config names it.

    Raises:
        ConfigError: the config is wrong, or both store and config are given.
        TrackingError: there is no such run, or it has no evidence.
    """
    if config is not None and tracking_uri is not None:
        raise ConfigError("--config and --tracking-uri both name an MLflow store: give one of them")
    root = Path.cwd()
    named = anchor(load_pipeline_config(config), root) if config is not None else None
    with TemporaryDirectory() as directory:
        scratch = Path(directory)
        if Path(run_or_dir).is_dir():
            yield OpenEvidence(Path(run_or_dir), None, named, scratch)
            return
        tracking = named.tracking if named is not None else _store(tracking_uri, root)
        run = find_run(tracking, run_or_dir)
        folder = run.fetch(FOLDER, scratch)
        if folder is None:
            raise TrackingError(
                f"run {run_or_dir}: has no evidence, because it did not reach a decision; its stages are in MLflow run "
                f"{run.run_id}"
            )
        yield OpenEvidence(folder, run, named or _recorded_config(run, scratch), scratch)


def _store(uri: str | None, root: Path) -> TrackingConfig:
    """A store by its address; a sqlite file by its absolute path, because MLflow keeps one connection per address."""
    try:
        tracking = TrackingConfig() if uri is None else TrackingConfig(uri=uri)
    except ValueError:  # its text repeats the address, with a password if one stands there
        raise ConfigError(
            f"--tracking-uri {redacted(uri or '')!r}; expected sqlite:///PATH, postgresql://... or http(s)://..., "
            "without a password: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or PGPASSWORD"
        ) from None
    return anchor_tracking(tracking, root)


def _recorded_config(run: RecordedRun, scratch: Path) -> PipelineConfig | None:
    path = run.fetch("config.json", scratch)
    if path is None:
        return None
    try:
        return PipelineConfig.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise TrackingError(
            f"run {run.run_id}: its config.json cannot be read by this version: {error}; give --config"
        ) from None
