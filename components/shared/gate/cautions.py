"""Cautions: what a policy leaves open, and which verdicts nobody has checked. They are shown, and decide nothing.

The preflight shows them before a run; the decision and the report repeat those of the run's own answers.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.config.policy import Policy
from components.shared.gate.judge_correction import measured_errors
from components.shared.gate.preconditions import Evidence
from components.shared.vocabulary import COMPUTED, RARE_CATEGORY, TASK_CATEGORY, Verdict

NO_JUDGE = "none"
"""The judge of an answer that no judge has read."""


class GatedShare(NamedTuple):
    """How much of the suites the policy gates: categories and prompts, without held-out rows.

    Attributes:
        gated_categories: categories with a rule.
        categories: all categories.
        gated_prompts: prompts in categories with a rule.
        prompts: all prompts.
    """

    gated_categories: int
    categories: int
    gated_prompts: int
    prompts: int

    @property
    def small(self) -> bool:
        """Whether a rule looks at less than half of the prompts, or at one category of several."""
        return 2 * self.gated_prompts < self.prompts or self.gated_categories == 1 < self.categories

    def __str__(self) -> str:
        share = 100 * self.gated_prompts / self.prompts if self.prompts else 0.0
        return (
            f"{self.gated_categories} of {self.categories} categories, with {share:.0f} % of the prompts, have a rule"
        )


def gated_share(policy: Policy, prompts: Iterable[SuitePrompt]) -> GatedShare:
    """How much of the suites the policy gates."""
    counts = Counter(prompt.category for prompt in prompts)
    counts = Counter({name: count for name, count in counts.items() if name not in (TASK_CATEGORY, RARE_CATEGORY)})
    gated = [count for category, count in counts.items() if category in policy.categories]
    return GatedShare(len(gated), len(counts), sum(gated), counts.total())


def cautions(
    policy: Policy, prompts: Sequence[SuitePrompt], judges: Mapping[str, Collection[str]], measured: Collection[str]
) -> tuple[str, ...]:
    """A sentence for each thing that a reader of the decision should know about policy and judges.

    Args:
        policy: the rules.
        prompts: all prompts.
        judges: name@version of the judges that give verdicts, by category.
        measured: judges that were compared with people's labels.
    """
    sentences = []
    if policy.accepted_risk is not None:
        beyond = "; ".join(policy.beyond_bounds)
        sentences.append(f"the policy goes beyond its bounds: {beyond}; accepted: {policy.accepted_risk.reason}")
    share = gated_share(policy, prompts)
    if share.small:
        sentences.append(f"only {share}; the others decide nothing")
    wide = [
        f"{category} ({rule.margin_pp:g} pp)"
        for category, rule in policy.categories.items()
        if rule.margin_pp > policy.attention_drop_pp
    ]
    if wide:
        sentences.append(
            f"limits above the attention level of {policy.attention_drop_pp:g} pp, so that a marked drop may pass: "
            f"{', '.join(wide)}"
        )
    unmeasured = _unmeasured(policy, judges, measured)
    if unmeasured:
        named = ", ".join(f"{judge} ({', '.join(categories)})" for judge, categories in unmeasured.items())
        sentences.append(f"never compared with people's labels (`plimsoll judge check`), but verdicts count: {named}")
    return tuple(sentences)


def cautions_of(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """The cautions about the judges that gave this run's verdicts, and about its policy."""
    expectations = {prompt.id: prompt.expectation for prompt in evidence.prompts}
    judges: dict[str, set[str]] = {}
    for row in evidence.post_rows:
        judged = row.verdict is not Verdict.INCOHERENT and row.judge != NO_JUDGE
        if judged and expectations.get(row.prompt_id) not in COMPUTED:
            judges.setdefault(row.category, set()).add(row.judge.partition("+")[0])
    checks = evidence.post.judge_checks
    measured = {check.judge for check in checks if measured_errors(check.judge, checks) is not None}
    return cautions(policy, evidence.prompts, judges, measured)


def _unmeasured(
    policy: Policy, judges: Mapping[str, Collection[str]], measured: Collection[str]
) -> dict[str, list[str]]:
    """The categories with a rule in which a judge gives verdicts, by judge that was not measured; both sorted."""
    gated = sorted(category for category in judges if category in policy.categories)
    named = sorted({judge for category in gated for judge in judges[category]} - set(measured))
    return {judge: [category for category in gated if judge in judges[category]] for judge in named}
