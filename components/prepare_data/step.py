"""Reads data and suites, and writes the training rows and the prompt set with their digests.

Never cached by Kubeflow: the digest that it computes decides whether a scheduled run trains again.
"""

from collections.abc import Sequence
from pathlib import Path

from components.shared.artifacts.training_data import DataSource, PromptSet, SuiteEntry, TrainingData
from components.shared.audit import AuditEntry, record
from components.shared.config.run_context import RunContext
from components.shared.config.sections import DataConfig
from components.shared.data.selection import select_rows
from components.shared.data.training_files import read_training_files
from components.shared.digests import digest_bytes, write_lines
from components.shared.suites.heldout import rare_suite, task_suite
from components.shared.suites.suite_files import (
    Suite,
    dump_prompts,
    load_suites,
    refuse_repeated_prompts,
)
from components.shared.tracking.runs import Tracker
from components.shared.tracking.stage_run import StageRun

STAGE = "prepare_data"


def prepare_data(
    data: DataConfig, suites: Sequence[str], data_dir: Path, prompts_dir: Path, context: RunContext
) -> TrainingData:
    """Writes `train.jsonl` with its TrainingData, and `prompts.jsonl` with its PromptSet.

    Args:
        data: where rows are and how they are mixed.
        suites: addresses of the suites' YAML files.
        data_dir: receives train.jsonl and training_data.json.
        prompts_dir: receives prompts.jsonl and prompt_set.json: suite prompts, then held-out prompts.
        context: the pipeline run.

    Raises:
        ConfigError: a suite does not exist or was changed.
        DataError: a row is malformed, there are too few, or a training row is a suite prompt.
    """
    with Tracker(context).stage(STAGE) as stage:
        loaded = load_suites(suites)
        suite_prompts = [prompt for suite in loaded for prompt in suite.prompts]
        files = read_training_files(data, suite_prompts, stage.say)
        for source in files:
            if source.unused:
                stage.say(f"{source.address}: keys without effect: {', '.join(source.unused)}")
        selected = select_rows(files, data)
        held_out = (task_suite(selected.heldout, data.task_expectation), rare_suite(selected.rare))
        prompt_set = _write_prompts(loaded, held_out, prompts_dir)
        data_dir.mkdir(parents=True, exist_ok=True)
        train_sha256 = write_lines(selected.train.dump(), data_dir / "train.jsonl")
        result = TrainingData(
            sources=tuple(
                DataSource(
                    address=source.address,
                    role=source.role,
                    sha256=source.sha256,
                    format=source.shape,
                    rows=len(source.chats),
                    used=count,
                    revision=source.revision,
                )
                for source, count in zip(files, selected.used, strict=True)
            ),
            train_rows=len(selected.train),
            heldout_rows=len(selected.heldout) + len(selected.rare),
            train_sha256=train_sha256,
            suite_prompts_checked=len(suite_prompts),
            system_turns=data.system_turns,
            inputs={"prompt_set": prompt_set.digest},
        )
        result.save(data_dir / "training_data.json")
        _track(stage, result, prompt_set)
        stage.tags(_audit(context, result).tags)
    return result


def _audit(context: RunContext, data: TrainingData) -> AuditEntry:
    facts = {
        "training_data_digest": data.digest,
        "train_sha256": data.train_sha256,
        "prompt_set_digest": data.inputs["prompt_set"],
        "train_rows": str(data.train_rows),
        "heldout_rows": str(data.heldout_rows),
        **{f"source.{source.address}": source.sha256 for source in data.sources},
    }
    why = f"{data.train_rows} rows are well-formed, and none is one of {data.suite_prompts_checked} suite prompts."
    return record(context, "data_accepted", why, facts)


def _write_prompts(suites: Sequence[Suite], heldout: Sequence[Suite | None], directory: Path) -> PromptSet:
    everything = (*suites, *(suite for suite in heldout if suite is not None))
    prompts = [prompt for suite in everything for prompt in suite.prompts]
    refuse_repeated_prompts(prompts)
    content = dump_prompts(prompts)
    result = PromptSet(
        suites=tuple(
            SuiteEntry(
                name=suite.name,
                version=suite.version,
                sha256=digest_bytes(dump_prompts(suite.prompts)),
                categories=suite.categories,
            )
            for suite in everything
        ),
        prompts_sha256=digest_bytes(content),
    )
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "prompts.jsonl").write_bytes(content)
    result.save(directory / "prompt_set.json")
    return result


def _track(stage: StageRun, data: TrainingData, prompts: PromptSet) -> None:
    for source in data.sources:
        stage.dataset(Path(source.address).name, source.address, source.sha256, source.role)
    stage.params({"train_sha256": data.train_sha256, "prompts_sha256": prompts.prompts_sha256})
    stage.metrics({"rows/train": data.train_rows, "rows/heldout": data.heldout_rows})
    parts = ", ".join(f"{source.used} {source.role}" for source in data.sources)
    stage.say(f"{data.train_rows} training rows ({parts}), {data.heldout_rows} held out")
    asked = ", ".join(f"{count} {category}" for suite in prompts.suites for category, count in suite.categories.items())
    stage.say(f"prompts: {asked}; none of them is a training row")
