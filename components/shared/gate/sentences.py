"""The sentence that gives the reason for a category's decision."""

import math
from collections.abc import Sequence

from components.shared.artifacts.comparison import CategoryDelta, FollowUpPrompt
from components.shared.artifacts.decision import Decision
from components.shared.artifacts.safety_report import NoiseFloor
from components.shared.statistics.paired import prompts_needed
from components.shared.statistics.planning import chance_above

_GRADES = {
    "token_f1": "token F1",
    "rouge_l": "ROUGE-L",
    "likelihood": "probability of a reference token (exp of minus the NLL)",
}
"""What a judge's grades are, in words."""


def change(delta: CategoryDelta) -> str:
    """What changed."""
    failing = len(delta.newly_failing)
    newly = f"{failing} of {delta.prompts} prompts newly fail{'s' if failing == 1 else ''}"
    if failing == 0:
        newly = "no prompt newly fails"
    if delta.graded_by is not None:
        what = _GRADES.get(delta.graded_by, delta.graded_by)
        return f"{what} {delta.before_pct:.1f} % before, {delta.after_pct:.1f} % after, over {delta.prompts} prompts"
    return (
        f"{newly} ({delta.before_pct:.0f} % of answers pass before, {delta.after_pct:.0f} % after; {delta.prompts} x "
        f"{delta.samples} answers)"
    )


def inside(delta: CategoryDelta, limit_pp: float, confidence: float) -> str:
    """Promote: the upper bound is at most the limit."""
    return (
        f"{delta.category}: {change(delta)}; we are {100 * confidence:.0f} % sure that the drop is below "
        f"{delta.upper_pp:.1f} pp, inside the {limit_pp:g} pp limit."
    )


def noise(floor: NoiseFloor | None) -> str:
    """The base's noise, as the end of a sentence; empty if it was not measured."""
    if floor is None:
        return ""
    return f"; the base alone moves by ±{floor.reach_pp:.1f} pp between runs"


def point(delta: CategoryDelta, limit_pp: float, decision: Decision, floor: NoiseFloor | None) -> str:
    """A point rule's promotion or rejection, with how often such a rule errs."""
    step = 100 / (delta.prompts * delta.samples)
    spread = _unchanged_spread(delta, floor)
    rejects = chance_above(limit_pp, 0.0, spread, delta.prompts, step)
    larger = limit_pp + 5
    dropped_spread = math.sqrt(spread**2 + larger * (100 - larger)) if larger < 100 else spread
    accepts = 1 - chance_above(limit_pp, larger, dropped_spread, delta.prompts, step)
    place = "inside" if decision is Decision.PROMOTE else "over"
    return (
        f"{delta.category}: {change(delta)}; the measured drop of {delta.drop_pp:z.1f} pp is {place} the {limit_pp:g} "
        f"pp limit. With {delta.prompts} prompts a point rule rejects an unchanged model {100 * rejects:.0f} % of the "
        f"time and passes a true drop of {larger:g} pp {100 * accepts:.0f} % of the time."
    )


def _unchanged_spread(delta: CategoryDelta, floor: NoiseFloor | None) -> float:
    """Standard deviation over prompts, pp, of an unchanged model.

    It is taken from the A/A pass; without one, it is the measured variance less that of a share d of prompts that now
    always fail, d (1 - d).
    """
    if floor is not None:
        return floor.reach_pp / 1.96 * math.sqrt(floor.prompts)
    drop = max(0.0, delta.drop_pp)
    return math.sqrt(max(0.0, delta.spread_pp**2 - drop * (100 - drop)))


def surely_below(delta: CategoryDelta, floor_pct: float, confidence: float) -> str:
    """Reject: the upper bound of the level is below the floor."""
    return (
        f"{delta.category}: {delta.after_pct:.1f} % of answers pass after tuning; we are {100 * confidence:.0f} % sure "
        f"that it is below {delta.after_upper_pct:.1f} %, under the floor of {floor_pct:g} %."
    )


def perhaps_below(delta: CategoryDelta, floor_pct: float) -> str:
    """Review: the measured level is below the floor, its upper bound is not."""
    return (
        f"{delta.category}: {delta.after_pct:.1f} % of answers pass after tuning, under the floor of {floor_pct:g} %, "
        f"but with {delta.prompts} prompts the true share may be {delta.after_lower_pct:.1f} to "
        f"{delta.after_upper_pct:.1f} %."
    )


def level_not_shown(delta: CategoryDelta, floor_pct: float, confidence: float) -> str:
    """Insufficient evidence: the measured level is above the floor, its lower bound is not."""
    return (
        f"{delta.category}: {delta.after_pct:.1f} % of answers pass after tuning, but {delta.prompts} prompts can only "
        f"show {delta.after_lower_pct:.1f} % with {100 * confidence:.0f} % confidence; the floor is {floor_pct:g} %."
    )


def surely_above(delta: CategoryDelta, floor_pct: float, confidence: float) -> str:
    """Promote: the lower bound of the level is at least the floor."""
    return (
        f"{delta.category}: {delta.after_pct:.1f} % of answers pass after tuning; we are {100 * confidence:.0f} % sure "
        f"that it is above {delta.after_lower_pct:.1f} %, over the floor of {floor_pct:g} %."
    )


def judges_disagree(delta: CategoryDelta, share_pct: float, most_pct: float) -> str:
    """Review: the judges disagree too often."""
    return (
        f"{delta.category}: the judges disagree about {share_pct:.1f} % of the answers, more than the {most_pct:g} % "
        "that the policy allows; a person decides."
    )


def blind_judge(delta: CategoryDelta, judge: str) -> str:
    """Insufficient evidence: by its check, the judge does no better than chance."""
    return (
        f"{delta.category}: compared with people's labels, judge {judge} does no better than chance at telling passing "
        "from failing answers; its verdicts are not evidence."
    )


def surely_beyond(delta: CategoryDelta, limit_pp: float, confidence: float) -> str:
    """Reject: the lower bound is above the limit."""
    return (
        f"{delta.category}: {change(delta)}; we are {100 * confidence:.0f} % sure that the drop is above "
        f"{delta.lower_pp:.1f} pp, beyond the {limit_pp:g} pp limit."
    )


def confirmed_flip(delta: CategoryDelta, flips: Sequence[FollowUpPrompt]) -> str:
    """Reject: a zero-tolerance category with a confirmed flip."""
    first = flips[0]
    more = f" (and {len(flips) - 1} more)" if len(flips) > 1 else ""
    return (
        f"{delta.category}: prompt {first.prompt_id}{more} newly fails: of {first.samples} fresh answers "
        f"{first.passed_before} pass before and {first.passed_after} after; this category allows no new failure."
    )


def flagged(delta: CategoryDelta, flag_pp: float, p_value: float) -> str:
    """Reject: a significant drop above `flag_drop_pp`."""
    return (
        f"{delta.category}: {change(delta)}; the drop of {delta.drop_pp:.1f} pp is above {flag_pp:g} pp and "
        f"statistically significant (Holm-adjusted p = {p_value:.2g})."
    )


def perhaps_beyond(delta: CategoryDelta, limit_pp: float) -> str:
    """Review: the measured drop is above the limit, its lower bound is not."""
    return (
        f"{delta.category}: the pass rate fell {delta.drop_pp:.1f} pp, over the {limit_pp:g} pp limit, but with "
        f"{delta.prompts} prompts the true drop may be {delta.lower_pp:z.1f} to {delta.upper_pp:.1f} pp."
    )


def new_failures(delta: CategoryDelta, flips: Sequence[FollowUpPrompt], unconfirmed: int) -> str:
    """Review: the policy asks a person to look at new failures, and at those that the budget left unconfirmed."""
    names = f" ({', '.join(prompt.prompt_id for prompt in flips[:5])})" if flips else ""
    left_out = f", {unconfirmed} more look worse and were beyond the follow-up's budget" if unconfirmed else ""
    return f"{delta.category}: {len(flips)} confirmed new failures{names}{left_out}; a person decides."


def over_budget(delta: CategoryDelta, unconfirmed: int) -> str:
    """Insufficient evidence: a zero-tolerance category with prompts that were not followed up."""
    return (
        f"{delta.category}: {unconfirmed} prompts look worse and were beyond the follow-up's budget; raise "
        "follow_up.max_prompts in the policy."
    )


def too_few(delta: CategoryDelta, limit_pp: float, confidence: float) -> str:
    """Insufficient evidence: the upper bound is above the limit, the measured drop is not."""
    opening = (
        f"{delta.category}: {change(delta)}, but {delta.prompts} prompts can only rule out a drop above "
        f"{delta.upper_pp:.1f} pp"
    )
    needed = prompts_needed(limit_pp, delta.drop_pp, delta.spread_pp, confidence)
    if needed is None:
        return (
            f"{opening}; at a measured drop of {delta.drop_pp:z.1f} pp no number of prompts would show a drop of at "
            f"most {limit_pp:g} pp."
        )
    more = max(1, needed - delta.prompts)
    return f"{opening}; about {more:,} more prompts like these would show a drop of at most {limit_pp:g} pp."


def task_gain(delta: CategoryDelta, floor_pp: float, confidence: float, decision: Decision) -> str:
    """The decision on the held-out task's gain."""
    gain = -delta.drop_pp
    what = "" if delta.graded_by is None else f"{_GRADES.get(delta.graded_by, delta.graded_by)} "
    shown = f"{what}{delta.before_pct:.0f} % before, {delta.after_pct:.0f} % after, a gain of {gain:z.1f} pp"
    sure = f"{100 * confidence:.0f} % sure"
    if decision is Decision.PROMOTE:
        return (
            f"task: {shown} on {delta.prompts} held-out rows; we are {sure} that it is above {-delta.upper_pp:z.1f} pp "
            f"(floor {floor_pp:g} pp)."
        )
    if decision is Decision.REJECT:
        return (
            f"task: {shown} on {delta.prompts} held-out rows; we are {sure} that it is below "
            f"{-delta.lower_pp:z.1f} pp, under the {floor_pp:g} pp floor: the task was not learnt."
        )
    return (
        f"task: {shown}; with {delta.prompts} held-out rows the true gain may be {-delta.upper_pp:z.1f} to "
        f"{-delta.lower_pp:z.1f} pp, and the floor is {floor_pp:g} pp."
    )
