"""Checks a run's inputs before anything is started, compiled or sent, and before a model is loaded.

Every command that starts runs uses it: `run`, `config check`, `compile`, `submit`, `schedule`, `trigger` and
`gate calibrate`. It looks at the suites and the policy, the judges, the base model and its chat template, every
training row, its overlap with the suites, held-out rows and shares, the stores, MLflow, the audit log, and free disk.
It also collects the cautions about policy and judges.
"""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from components.shared import storage
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import refuse_equal_answers
from components.shared.audit import open_log
from components.shared.config.judges import LlmConfig
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.data.chats import Chat
from components.shared.data.selection import Selection, select_rows
from components.shared.data.training_files import TrainingFile, read_training_files
from components.shared.errors import ConfigError, StorageError
from components.shared.gate.ancestry import load_ancestor
from components.shared.gate.cautions import gated_share
from components.shared.generation.base_models import cached_base_model, check_base_model
from components.shared.judges.assemble import panel_of, refuse_unjudged
from components.shared.judges.panel import Panel
from components.shared.progress import warn
from components.shared.signing import key_from_environment
from components.shared.suites.heldout import rare_suite, task_suite
from components.shared.suites.suite_files import Suite, load_suites
from components.shared.tracking.store_check import check_store
from components.shared.vocabulary import RARE_CATEGORY
from pipelines.running.check_notes import Checked, CheckNotes
from pipelines.running.early_cautions import early_cautions
from pipelines.running.reach import why_hub_unreached
from pipelines.running.template_check import can_read_templates, check_template

FREE_BYTES = 1 << 30
"""More than adapters, answers and logs of one run need; the base model is not copied."""


def check_run(config: PipelineConfig, policy: Policy, work_dir: Path | None, recorded: bool = True) -> Checked:
    """Checks what a run needs.

    Args:
        config: with absolute local paths.
        policy: the content of config.policy.
        work_dir: where a run on this machine writes; None if the steps run on a cluster, which may reach what this
            machine does not: that is then noted instead of an error.
        recorded: whether the run writes to MLflow and the audit log; a calibration does not.

    Raises:
        ConfigError: config, policy, suites, base model, chat template or experiment do not fit together.
        DataError: a training row is malformed or a suite prompt, or there are too few rows.
        StorageError: there is too little free disk, or a store or the audit log cannot be written.
        TrackingError: the MLflow store does not answer.
        IntegrityError: the end of the audit log or the original model's report was changed.
    """
    return _check(config, policy, work_dir, CheckNotes(config, work_dir is None), recorded)


def survey_run(config: PipelineConfig, policy: Policy, work_dir: Path | None) -> Checked:
    """The checks of `check_run`, but a problem is noted in `wrong` and the other checks go on."""
    return _check(config, policy, work_dir, CheckNotes(config, work_dir is None, collects=True))


def _check(
    config: PipelineConfig, policy: Policy, work_dir: Path | None, notes: CheckNotes, recorded: bool = True
) -> Checked:
    said_of_suites = partial(_said_of_suites, policy=policy)
    suites = notes.attempt("suites and policy", config.suites, lambda: _read_suites(config, policy), said_of_suites)
    prompts = [prompt for suite in suites or () for prompt in suite.prompts]
    found = notes.attempt(
        "base model",
        [config.base_model.path],
        lambda: _check_base(config),
        str,
        partial(why_hub_unreached, base=config.base_model),
    )
    selected = _check_data(config, prompts, notes, suites is not None)
    if selected is not None:
        held_out = (task_suite(selected.heldout, config.data.task_expectation), rare_suite(selected.rare))
        prompts += [prompt for suite in held_out if suite is not None for prompt in suite.prompts]
    panel = _check_judges(config, prompts, notes)
    if suites is not None:
        left_open = partial(early_cautions, policy, prompts, panel, Path(config.evaluation.judge_checks))
        sentences = notes.attempt("cautions", [], left_open, lambda said: f"{len(said) or 'none'}")
        notes.caution(sentences or ())
    if found is not None:
        _check_template(config, selected.train if selected is not None else (), prompts, notes)
    _check_stores(config, notes)
    if recorded:
        _check_records(config.tracking, notes)
    if work_dir is not None:
        notes.attempt("free disk", [], lambda: _check_disk(work_dir, config), lambda free: f"{free / 2**30:.1f} GiB")
    return notes.checked()


def check_categories(config: PipelineConfig, policy: Policy, suites: Sequence[Suite]) -> None:
    """Checks that every rule of the policy has prompts, and that every category of the suites is in the policy.

    Raises:
        ConfigError: a rule without prompts, prompts without a rule, or a task floor without held-out rows.
    """
    measured = {category for suite in suites for category in suite.categories}
    if config.data.rare_intent_rows:
        measured.add(RARE_CATEGORY)
    names = ", ".join(suite.name for suite in suites)
    if unknown := sorted(policy.categories.keys() - measured):
        raise ConfigError(
            f"{config.policy}: categories: {unknown[0]!r} is in no suite; the suites of this config ({names}) have "
            f"{', '.join(sorted(measured))}"
        )
    if unruled := sorted(measured - {*policy.categories, *policy.ungated}):
        raise ConfigError(
            f"{config.policy}: categories: no rule for {', '.join(unruled)} of the suites {names}; add one, or list "
            "them under ungated to measure them without deciding on them"
        )
    if policy.task_min_gain_pp is not None and config.data.heldout_rows == 0:
        raise ConfigError(
            f"{config.policy}: task_min_gain_pp is {policy.task_min_gain_pp:g}, but data.heldout_rows is 0: there is "
            "nothing to measure the task on; hold rows out, or remove the floor"
        )


def _read_suites(config: PipelineConfig, policy: Policy) -> tuple[Suite, ...]:
    suites = load_suites(config.suites)
    check_categories(config, policy, suites)
    refuse_equal_answers(config.evaluation, [prompt for suite in suites for prompt in suite.prompts])
    return suites


def _check_base(config: PipelineConfig) -> str:
    check_base_model(config.base_model)
    return config.base_model.name


def _said_of_suites(suites: Sequence[Suite], policy: Policy) -> str:
    share = gated_share(policy, [prompt for suite in suites for prompt in suite.prompts])
    shown = ", ".join(f"{suite.name} {suite.version} ({len(suite.prompts)} prompts)" for suite in suites)
    return f"{shown}; the policy has a place for every category: {share}"


def _check_judges(config: PipelineConfig, prompts: Sequence[SuitePrompt], notes: CheckNotes) -> Panel | None:
    """Keys of endpoints may be secrets of the cluster, so there they are not looked for; None: not looked at."""
    judges = config.evaluation.judges
    paths = [judge.model.path for judge in judges if not isinstance(judge, LlmConfig)]
    keys = {judge.api_key_env for judge in judges if isinstance(judge, LlmConfig) and judge.api_key_env}
    given = {name for secret in config.cluster.secrets for name in secret.keys.values()}
    if notes.on_cluster and (secret := sorted(name for name in keys & given if not os.environ.get(name))):
        notes.skip("judges", f"the cluster's secret gives the key {secret[0]}, which this machine does not have")
        return None

    def assembled() -> Panel:
        panel = panel_of(config.evaluation, None, warn)
        refuse_unjudged(panel, prompts)
        return panel

    return notes.attempt("judges", paths, assembled, lambda _: "every prompt has one")


def _check_data(
    config: PipelineConfig, prompts: Sequence[SuitePrompt], notes: CheckNotes, with_suites: bool
) -> Selection | None:
    data = config.data

    def read() -> tuple[tuple[TrainingFile, ...], Selection]:
        files = read_training_files(data, prompts)
        return files, select_rows(files, data)

    def said(result: tuple[tuple[TrainingFile, ...], Selection]) -> str:
        files, selected = result
        sources = ", ".join(f"{len(file.chats)} {file.role} ({file.shape})" for file in files)
        held_out = len(selected.heldout) + len(selected.rare)
        compared = ", none of them a suite prompt" if with_suites else ""
        return f"{sources} rows{compared}; {len(selected.train)} to train on, {held_out} held out"

    read_rows = notes.attempt("data", [data.train, *(source.path for source in data.mix)], read, said)
    return read_rows[1] if read_rows is not None else None


def _check_template(
    config: PipelineConfig, rows: Sequence[Chat], prompts: Sequence[SuitePrompt], notes: CheckNotes
) -> None:
    directory = cached_base_model(config.base_model)
    if directory is None:
        notes.skip("chat template", "the base model's files are not on this machine yet")
    elif not can_read_templates():
        notes.skip("chat template", "transformers is not installed on this machine (the extra `gpu`)")
    else:
        notes.attempt("chat template", [], lambda: check_template(directory, config, rows, prompts), str)


def _check_stores(config: PipelineConfig, notes: CheckNotes) -> None:
    """What a run reads of earlier ones, and where it keeps answers and adapters."""
    if config.store_key_env is not None:
        _check_signing_key(config.store_key_env, config, notes)
    if (report := config.base_model.ancestor_report) is not None:
        notes.attempt("original model's report", [report], lambda: load_ancestor(report), lambda _: report)
    stores = {"store": config.store, "checkpoints.store": config.checkpoints.store}
    for name, address in ((name, address) for name, address in stores.items() if address is not None):
        notes.attempt(name, [address], partial(_check_store_address, name, address), lambda shown: shown)


def _check_signing_key(variable: str, config: PipelineConfig, notes: CheckNotes) -> None:
    """On a cluster the steps get the key from a secret, and this machine need not have it."""
    given = {name for secret in config.cluster.secrets for name in secret.keys.values()}
    if notes.on_cluster and variable in given:
        notes.skip("store key", f"the cluster's secret gives {variable} to the steps")
    elif notes.on_cluster:
        notes.attempt("store key", [], lambda: _refuse_keyless_steps(variable), str)
    else:
        notes.attempt("store key", [], lambda: key_from_environment(variable), lambda _: f"{variable} holds one")


def _refuse_keyless_steps(variable: str) -> None:
    raise ConfigError(
        f"store_key_env: {variable} is given to no step; expected a secret of the cluster that holds it: add it to "
        f"cluster.secrets, such as {{name: plimsoll-store, keys: {{signing-key: {variable}}}}}"
    )


def _check_records(tracking: TrackingConfig, notes: CheckNotes) -> None:
    """What a run writes for others to read."""
    log = tracking.audit_log
    notes.attempt("audit log", [log], lambda: _check_log(log), lambda _: f"{log} can be written")
    database = str(tracking.sqlite_file) if tracking.sqlite_file is not None else None
    notes.attempt("MLflow", [database], lambda: _check_mlflow(tracking), lambda said: f"{tracking.uri} {said}")


def _check_log(address: str) -> None:
    if not storage.is_s3(address):
        _refuse_other_file("tracking.audit_log", Path(address), b'{"', "an audit log (JSONL)")
    open_log(address).check()


def _check_mlflow(tracking: TrackingConfig) -> str:
    if (database := tracking.sqlite_file) is not None:
        _refuse_other_file("tracking.uri", database, b"SQLite format 3", "an MLflow store (sqlite)")
    return check_store(tracking)


def _refuse_other_file(name: str, path: Path, begins: bytes, kind: str) -> None:
    """Refuses a place that cannot be, or is not, a file of a kind; nothing is written there.

    Raises:
        ConfigError: it is a directory, lies below a file, or is a file of another kind.
    """
    if path.is_dir():
        raise ConfigError(f"{name}: {str(path)!r} is a directory; expected the path of {kind}")
    if not (parent := existing_parent(path.parent)).is_dir():
        raise ConfigError(
            f"{name}: {str(path)!r} lies below {str(parent)!r}, which is a file; expected a path of {kind}"
        )
    if path.is_file() and (found := path.open("rb").read(len(begins))) and found != begins:
        raise ConfigError(f"{name}: {str(path)!r} is another file; expected the path of {kind}, or of no file yet")


def _check_store_address(name: str, address: str) -> str:
    if storage.is_s3(address):
        storage.exists(storage.join(address, "plimsoll"))  # asks whether there is such a bucket
        return f"{address} answers"
    folder = existing_parent(Path(address))
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigError(f"{name}: {address!r} cannot be written: {folder} is no folder that this user may write to")
    return f"{address} can be written"


def existing_parent(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _check_disk(work_dir: Path, config: PipelineConfig) -> int:
    """The least free bytes of the disks that a run writes to."""
    work_dir.mkdir(parents=True, exist_ok=True)
    stores = [Path(address) for address in (config.store, config.checkpoints.store or config.store)
              if not storage.is_s3(address)]  # fmt: skip
    least = FREE_BYTES << 20
    for folder in (work_dir, *stores):
        free = shutil.disk_usage(existing_parent(folder)).free
        if free < FREE_BYTES:
            raise StorageError(
                f"{folder.absolute()}: {free / 2**30:.1f} GiB are free, a run needs {FREE_BYTES / 2**30:.0f} GiB"
            )
        least = min(least, free)
    return least
