"""The preconditions of a decision; each broken one is one sentence, and makes the decision `invalid`.

Among them is the chain of digests: data → adapter → reports → delta → follow-up. Pure functions of artifacts and rows.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
from components.shared.artifacts.safety_report import SafetyReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.artifacts.training_data import AdapterManifest, PromptSet, TrainingData
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import REFUSALS_AT_LEAST_PCT
from components.shared.digests import short
from components.shared.gate.figures import overall_share
from components.shared.statistics.tolerance import above
from components.shared.vocabulary import GROUPS, RARE_CATEGORY, TASK_CATEGORY, Expectation, Verdict


class Evidence(NamedTuple):
    """Everything that a decision rests on."""

    data: TrainingData
    prompt_set: PromptSet
    prompts: Sequence[SuitePrompt]
    manifest: AdapterManifest
    adapter_digest: str
    """Digest of the adapter's files, computed by the gate."""
    baseline: SafetyReport
    baseline_rows: Sequence[AnswerRow]
    post: SafetyReport
    post_rows: Sequence[AnswerRow]
    delta: DeltaReport
    follow_up: FollowUpReport

    def prompt_ids(self, category: str) -> set[str]:
        """Ids of the prompts of a category, or of a group over categories."""
        group = GROUPS.get(category)
        return {
            prompt.id
            for prompt in self.prompts
            if (prompt.category == category if group is None else prompt.expectation is group)
        }


def broken_preconditions(evidence: Evidence, policy: Policy) -> list[str]:
    """Why the evidence cannot be used under this policy, one sentence each; empty if it can."""
    return [
        *evidence_problems(evidence, policy),
        *answer_problems(evidence.prompts, evidence.baseline_rows, evidence.post_rows, policy),
    ]


def evidence_problems(evidence: Evidence, policy: Policy) -> list[str]:
    """Why the artifacts do not belong together, or not to this policy. Rows are not read."""
    problems = [*evidence.delta.problems, *_broken_chain(evidence), *_policy_problems(evidence, policy)]
    if not (evidence.post.adapter_effect or 0) > 0:
        problems.append("the adapter does not change the logits of a probe prompt: it is empty or was not applied")
    return problems


def answer_problems(
    prompts: Sequence[SuitePrompt], before: Sequence[AnswerRow], after: Sequence[AnswerRow], policy: Policy
) -> list[str]:
    """Why the answers of a side cannot be used: nothing to lose, too few are coherent, or too many are unscored."""
    problems = _nothing_to_lose(prompts, before, policy)
    for side, rows in (("baseline", before), ("post", after)):
        safety = [row.verdict for row in rows if row.category != TASK_CATEGORY]
        coherent = 100 - overall_share(safety, Verdict.INCOHERENT)
        if not coherent >= policy.min_coherent_pct:
            problems.append(
                f"{side}: only {coherent:.1f} % of the answers are coherent, the policy asks for "
                f"{policy.min_coherent_pct:g} %"
            )
        unscored = overall_share([row.verdict for row in rows], Verdict.UNSCORED)
        if not unscored <= policy.max_unscored_pct:
            problems.append(
                f"{side}: {unscored:.1f} % of the answers could not be scored, the policy allows "
                f"{policy.max_unscored_pct:g} %{_cut_thoughts(rows)}"
            )
    return problems


def _cut_thoughts(rows: Sequence[AnswerRow]) -> str:
    share = 100 * sum(row.unfinished_thought for row in rows) / max(1, len(rows))
    return f"; {share:.1f} % ended inside a thought: raise evaluation.max_new_tokens" if share else ""


def _nothing_to_lose(prompts: Sequence[SuitePrompt], before: Sequence[AnswerRow], policy: Policy) -> list[str]:
    """Categories in which too few of the base's answers pass, so that a drop could hardly be seen."""
    refused = {prompt.id for prompt in prompts if prompt.expectation is Expectation.REFUSE}
    verdicts: defaultdict[tuple[str, bool], list[Verdict]] = defaultdict(list)
    for row in before:
        if row.category in policy.categories:
            verdicts[row.category, row.prompt_id in refused].append(row.verdict)
    problems = []
    for (category, refuses), given in sorted(verdicts.items()):
        floor = policy.categories[category].min_baseline_pass_pct
        least = floor if floor is not None else REFUSALS_AT_LEAST_PCT if refuses else 0.0
        passed = overall_share(given, Verdict.PASS)
        if above(least, passed):
            kind = "prompts that must be refused" if refuses else "other prompts"
            problems.append(
                f"the base passes {passed:.1f} % of the {kind} in {category!r}, under min_baseline_pass_pct {least:g}: "
                "nothing could be lost; check the chat template, the judge, or the base"
            )
    return problems


def _broken_chain(evidence: Evidence) -> list[str]:
    manifest, post, delta = evidence.manifest, evidence.post, evidence.delta
    trained, asked = manifest.adapter_digest, evidence.prompt_set.digest
    links = [
        ("the adapter's files", evidence.adapter_digest, "its manifest", trained),
        ("the adapter that was evaluated", post.adapter_digest, "the one that was trained", trained),
        ("the follow-up's adapter", evidence.follow_up.adapter_digest, "the one that was trained", trained),
        ("the base that was evaluated", post.base_digest, "the one that was trained on", manifest.base_digest),
        ("the baseline's base", evidence.baseline.base_digest, "the post evaluation's", post.base_digest),
        ("the adapter's data", manifest.data_digest, "the prepared data", evidence.data.train_sha256),
        ("the data's prompt set", evidence.data.inputs.get("prompt_set"), "the one that was asked", asked),
        ("the delta's prompt set", delta.inputs.get("prompt_set"), "the one that was asked", asked),
        ("the delta's baseline", delta.inputs.get("baseline"), "the baseline report", evidence.baseline.digest),
        ("the delta's post report", delta.inputs.get("post"), "the post report", post.digest),
        ("the follow-up's contract", evidence.follow_up.contract_digest, "the delta's", delta.contract_digest),
        ("the delta's contract", delta.contract_digest, "the post evaluation's", post.contract.digest),
        ("the follow-up's delta", evidence.follow_up.inputs.get("delta"), "the delta report", delta.digest),
    ]
    return [
        f"{left} ({short(str(digest))}) and {right} ({short(expected)}) are not the same"
        for left, digest, right, expected in links
        if digest != expected
    ]


def _policy_problems(evidence: Evidence, policy: Policy) -> list[str]:
    problems = []
    if evidence.manifest.policy_digest != policy.digest:
        problems.append(
            f"policy {policy.name} {policy.version} ({short(policy.digest)}) is not the one that was fixed before "
            f"training ({short(evidence.manifest.policy_digest)})"
        )
    if evidence.delta.confidence != policy.confidence:
        problems.append(
            f"the bounds are at confidence {evidence.delta.confidence:g}, the policy asks for {policy.confidence:g}"
        )
    measured = evidence.delta.categories.keys()
    wanted = {*policy.categories, *([TASK_CATEGORY] if policy.task_min_gain_pp is not None else [])}
    if missing := sorted(wanted - measured):
        problems.append(f"the policy has rules for {missing}, which no suite measured")
    if unmeasured := sorted(policy.floors.keys() - evidence.delta.groups.keys()):
        problems.append(f"the policy has floors for {unmeasured}, which no prompt measured")
    known = {*policy.categories, *policy.ungated, TASK_CATEGORY}
    if unruled := sorted(measured - known):
        problems.append(f"the policy has no rule for {unruled}; add one, or list them as ungated")
    asked = {prompt.prompt_id for prompt in evidence.follow_up.prompts}
    escalated = {prompt.prompt_id for prompt in evidence.delta.escalated}
    if asked != escalated:
        problems.append(f"{len(escalated ^ asked)} prompts were escalated and not followed up, or the other way round")
    if not math.isclose(evidence.follow_up.alpha, policy.flip_alpha) or any(
        prompt.samples != policy.follow_up.samples for prompt in evidence.follow_up.prompts
    ):
        problems.append(
            f"the follow-up was not done as the policy asks: {policy.follow_up.samples} fresh answers per side at "
            f"level {policy.flip_alpha:.2g}"
        )
    checked = sum(
        count
        for suite in evidence.prompt_set.suites
        for category, count in suite.categories.items()
        if category not in (TASK_CATEGORY, RARE_CATEGORY)
    )
    if evidence.data.suite_prompts_checked != checked:
        problems.append(
            f"only {evidence.data.suite_prompts_checked} of {checked} suite prompts were compared with the training "
            "rows"
        )
    return problems
