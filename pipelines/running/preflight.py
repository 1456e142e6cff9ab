"""Checks a run's inputs before it starts and a model is loaded.

These are the config against policy and suites, the suites' hashes, the base model, every training row, its overlap with
the suites, held-out rows and shares, the audit log, and free disk.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from components.shared.asking.asking import refuse_equal_answers
from components.shared.audit import open_log
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig
from components.shared.data.selection import select_rows
from components.shared.data.training_files import read_training_files
from components.shared.errors import ConfigError, StorageError
from components.shared.gate.ancestry import load_ancestor
from components.shared.generation.base_models import check_base_model
from components.shared.judges.assemble import panel_of, refuse_unjudged
from components.shared.progress import warn
from components.shared.suites.suite_files import Suite, load_suites
from components.shared.vocabulary import RARE_CATEGORY

_FREE_BYTES = 1 << 30
"""More than adapters, answers and logs of one run need; the base model is not copied."""


def check_run(config: PipelineConfig, policy: Policy, work_dir: Path) -> None:
    """Checks what a local run needs.

    Raises:
        ConfigError: config, policy, suites or base model do not fit together.
        DataError: a training row is malformed or a suite prompt, or there are too few rows.
        StorageError: there is too little free disk, or the audit log cannot be written.
        IntegrityError: the end of the audit log or the original model's report was changed.
    """
    suites = load_suites(config.suites)
    check_categories(config, policy, suites)
    prompts = [prompt for suite in suites for prompt in suite.prompts]
    refuse_unjudged(panel_of(config.evaluation, None, warn), prompts)
    refuse_equal_answers(config.evaluation, prompts)
    check_base_model(config.base_model)
    open_log(config.tracking.audit_log).check()
    if config.base_model.ancestor_report is not None:
        load_ancestor(config.base_model.ancestor_report)
    select_rows(read_training_files(config.data, prompts), config.data)
    work_dir.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(work_dir).free) < _FREE_BYTES:
        raise StorageError(
            f"{work_dir.absolute()}: {free / 2**30:.1f} GiB are free, a run needs {_FREE_BYTES / 2**30:.0f} GiB"
        )


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
