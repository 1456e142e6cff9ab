"""Makes the relative paths of a pipeline config absolute, for steps that run in another directory of this machine.

Only a local run does this; a compiled pipeline keeps paths as written.
"""

from pathlib import Path

from components.shared.config.judges import JudgeConfig, LlmConfig
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.config.sqlite_addresses import sqlite_address


def anchor_path(address: str, root: Path) -> str:
    """The absolute path of a local one, relative to `root`; an address with a scheme is unchanged."""
    return address if "://" in address else str((root / _at_home(address)).absolute())


def _at_home(address: str) -> Path:
    """The path with `~` and `~user` replaced; as it is where there is no such user, as a shell does."""
    try:
        return Path(address).expanduser()
    except RuntimeError:
        return Path(address)


def anchor_tracking(tracking: TrackingConfig, root: Path) -> TrackingConfig:
    """The same store and audit log, their local paths absolute below `root`."""
    uri = tracking.uri
    if (database := tracking.sqlite_file) is not None:
        _, options, query = uri.partition("?")
        uri = sqlite_address(anchor_path(str(database), root)) + options + query
    return tracking.model_copy(update={"uri": uri, "audit_log": anchor_path(tracking.audit_log, root)})


def anchor(config: PipelineConfig, root: Path) -> PipelineConfig:
    """The same config with every local path absolute.

    Args:
        config: the config as loaded.
        root: base of relative paths: the directory in which the command runs.
    """
    base = config.base_model
    if base.path is not None:
        base = base.model_copy(update={"path": anchor_path(base.path, root)})
    if base.ancestor_report is not None:
        base = base.model_copy(update={"ancestor_report": anchor_path(base.ancestor_report, root)})
    mix = tuple(source.model_copy(update={"path": anchor_path(source.path, root)}) for source in config.data.mix)
    data = config.data.model_copy(update={"train": anchor_path(config.data.train, root), "mix": mix})
    checkpoints = config.checkpoints
    if checkpoints.store is not None:
        checkpoints = checkpoints.model_copy(update={"store": anchor_path(checkpoints.store, root)})
    return config.model_copy(
        update={
            "base_model": base,
            "checkpoints": checkpoints,
            "evaluation": config.evaluation.model_copy(
                update={
                    "judge_checks": anchor_path(config.evaluation.judge_checks, root),
                    "judges": tuple(_anchor_judge(judge, root) for judge in config.evaluation.judges),
                }
            ),
            "data": data,
            "suites": tuple(anchor_path(suite, root) for suite in config.suites),
            "policy": anchor_path(config.policy, root),
            "store": anchor_path(config.store, root),
            "tracking": anchor_tracking(config.tracking, root),
        }
    )


def _anchor_judge(judge: JudgeConfig, root: Path) -> JudgeConfig:
    if isinstance(judge, LlmConfig) or judge.model.path is None:
        return judge
    model = judge.model.model_copy(update={"path": anchor_path(judge.model.path, root)})
    return judge.model_copy(update={"model": model})
