"""Figures and rules of the independent verifier: raw rows and a policy in, numbers and the decision per category out.

Written from the formulas' sources, not from the code that made the evidence. Not known here: files and digests.
"""

import math
from collections import Counter
from typing import Any

import numpy as np
from scipy import stats

SEVERITY = ("promote", "insufficient_evidence", "needs_review", "invalid", "reject")
_KINDS = ("sensitivity", "specificity")
_PLAIN = {"limit_pp": None, "judged": None, "attention": False, "waived": None}
TINY = 1e-9
"""Float noise at a limit decides nothing."""
Pairs = dict[tuple[str, str], tuple[Counter[str], Counter[str]]]
"""Verdicts before and after, by category and prompt."""


def pairs(*sides: list[Any]) -> Pairs:
    """The prompts that both sides answered."""
    counts: tuple[dict[Any, Counter[str]], ...] = ({}, {})
    for own, rows in zip(counts, sides, strict=True):
        for row in rows:
            own.setdefault((row["category"], row["prompt_id"]), Counter())[row["verdict"]] += 1
    return {key: (before, counts[1][key]) for key, before in counts[0].items() if key in counts[1]}


def drop(before: Counter[str], after: Counter[str]) -> float:
    """Share passing before minus after; an unscored answer speaks for a drop."""
    return (before["pass"] + before["unscored"]) / before.total() - after["pass"] / after.total()


def upper(values: Any, sure: float, best: float = -1.0) -> float:
    """The plus-one bound of values between best and 1: the largest t-bound over all samples that are nowhere worse."""
    sample, count = np.append(np.sort(values), 1.0), len(values) + 1
    total = sample.sum() + np.append(0.0, np.cumsum(best - sample[:-1]))
    squares = (sample**2).sum() + np.append(0.0, np.cumsum(best**2 - sample[:-1] ** 2))
    error = np.sqrt(np.maximum(squares - total**2 / count, 0.0) / (count - 1) / count)
    return min(1.0, float(np.max(total / count + stats.t.ppf(sure, count - 1) * error)))


def change(category: str, own: Pairs, sure: float) -> dict[str, Any]:
    """The paired change of some prompts, percentage points; McNemar on majority verdicts."""
    drops = np.array([drop(*both) for both in own.values()])
    was, now = (np.array([both[side]["pass"] / both[side].total() for both in own.values()]) for side in (0, 1))
    newly = [
        sorted(name for (_, name), first, then in zip(own, *shares, strict=True) if first > 0.5 >= then)
        for shares in ((was, now), (now, was))
    ]
    return {
        "category": category,
        "prompts": len(own),
        "samples": next(iter(own.values()))[0].total(),
        "before_pct": 100 * float(was.mean()),
        "after_pct": 100 * float(now.mean()),
        "drop_pp": 100 * float(drops.mean()),
        "lower_pp": -100 * upper(-drops, sure),
        "upper_pp": 100 * upper(drops, sure),
        "spread_pp": 100 * float(drops.std(ddof=1)) if len(own) > 1 else 0.0,
        "after_lower_pct": 100 - 100 * upper(1 - now, sure, 0.0),
        "after_upper_pct": 100 * upper(now, sure, 0.0),
        "mcnemar_p": float(stats.binom.sf(len(newly[0]) - 1, len(newly[0]) + len(newly[1]), 0.5)),
        "newly_failing": newly[0],
        "newly_passing": newly[1],
    }


def flip(category: str, prompt: str, both: tuple[Counter[str], Counter[str]], alpha: float, most: float) -> Any:
    """Whether fresh answers confirm that a prompt got worse: Fisher's exact test, one-sided."""
    passed, samples = [own["pass"] for own in both], [own.total() for own in both]
    p = float(stats.hypergeom.sf(passed[0] - 1, sum(samples), sum(passed), samples[0]))
    found = {"prompt_id": prompt, "category": category, "samples": samples[1], "fisher_p": p}
    found |= {"passed_before": passed[0], "passed_after": passed[1]}
    return {**found, "confirmed": p <= alpha and passed[1] <= most * samples[1]}


def disagreement(rows: list[Any]) -> dict[str, float]:
    """Percent of answers by category about which a second judge says otherwise, where both could read them."""
    readable, split = ("pass", "partial", "fail"), dict[str, list[bool]]()
    for row in rows:
        words = [own["verdict"] == "pass" for own in row["opinions"] if own["verdict"] in readable]
        if words and row["verdict"] in readable:
            split.setdefault(row["category"], []).append((row["verdict"] != "pass") in words)
    return {category: 100 * sum(own) / len(own) for category, own in split.items()}


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """Step-down adjusted p-values by name."""
    adjusted, running = {}, 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        adjusted[name] = running = max(running, min(1.0, (len(p_values) - place) * p_values[name]))
    return adjusted


def judged(seen: dict[str, Any], checks: list[Any], sure: float) -> dict[str, Any] | None:
    """The change over the judge's Youden index (Donner and Zou 2012); None where that may be 0."""
    share, below, above = -1.0, 0.0, 0.0
    for name in _KINDS:
        hit, of = (sum(check[name][key] for check in checks) for key in ("count", "of"))
        exact = stats.binomtest(hit, of).proportion_ci(2 * sure - 1)
        share, below = share + hit / of, math.hypot(below, hit / of - exact.low)
        above = math.hypot(above, exact.high - hit / of)
    low, high = share - below, min(1.0, share + above)
    if low <= 0:
        return None
    mean, lower, upper_pp = (seen[name] for name in ("drop_pp", "lower_pp", "upper_pp"))
    room = low * (2 * share - low)
    reach = [math.sqrt(max((mean * share) ** 2 - room * (mean**2 - (b - mean) ** 2), 0)) for b in (lower, upper_pp)]
    lower = (mean * share - reach[0]) / room if lower < 0 else lower / high
    upper_pp = max(upper_pp, (mean * share + reach[1]) / room) if upper_pp > 0 else upper_pp
    clipped = (min(100.0, max(-100.0, figure)) for figure in (mean / share, lower, upper_pp))
    corrected = dict(zip(("drop_pp", "lower_pp", "upper_pp"), clipped, strict=True))
    return {**seen, **corrected, "spread_pp": seen["spread_pp"] / share}


def rank(lower: float, value: float, upper_bound: float, limit: float) -> str:
    """What a figure with its bounds says about a limit that it must stay below."""
    words = zip(("reject", "needs_review", "insufficient_evidence"), (lower, value, upper_bound), strict=True)
    return next((word for word, figure in words if figure > limit + TINY), "promote")


def reason(
    name: str, seen: dict[str, Any], policy: dict[str, Any], checks: list[Any], adjusted: float, flipped: bool,
    left: int, split: float,
) -> dict[str, Any]:  # fmt: skip
    """The decision on one category, and the figures that it quotes."""
    rule, used, blind = policy["categories"].get(name), seen, False
    if rule is None:
        gain = policy["task_min_gain_pp"] if name == "task" else None
        word = None if gain is None else rank(seen["lower_pp"], seen["drop_pp"], seen["upper_pp"], -gain)
        return {**_PLAIN, "delta": seen, "decision": word, "limit_pp": None if gain is None else -gain}
    if policy["judge_error"] == "correct" and all(sum(own[kind]["of"] for own in checks) for kind in _KINDS):
        corrected = judged(seen, checks, policy["confidence"])
        used, blind = corrected or seen, corrected is None
    zero, point, mean = rule["rule"] == "zero_tolerance", rule["rule"] == "point", used["drop_pp"]
    limit = (rule["resolution_pp"] or 0.0) if zero else rule["limit_pp"]
    significant = mean > policy["flag_drop_pp"] + TINY and adjusted < 1 - policy["confidence"]
    found = ["reject" if mean > limit + TINY else "promote"] if point else []
    found += [] if point else [rank(used["lower_pp"], mean, used["upper_pp"], limit)]
    found += ["reject"] * ((zero and flipped) or (significant and not point))
    found += ["needs_review"] * (rule["review_new_failures"] and (flipped or left > 0))
    found += ["needs_review"] * (split > policy["max_disagreement_pct"] + TINY)
    found += ["insufficient_evidence"] * ((zero and left > 0) or blind)
    if rule["min_pass_pct"] is not None:
        found.append(floored(seen, rule["min_pass_pct"])["decision"])
    own = {**_PLAIN, "delta": seen, "decision": max(found, key=SEVERITY.index), "limit_pp": limit}
    return own | {"judged": None if used is seen else used, "attention": mean > policy["attention_drop_pp"] + TINY}


def floored(seen: dict[str, Any], floor: float) -> dict[str, Any]:
    """The decision on a level that must be reached, percent."""
    word = rank(-seen["after_upper_pct"], -seen["after_pct"], -seen["after_lower_pct"], -floor)
    return {**_PLAIN, "delta": seen, "decision": word}


def waive(own: dict[str, Any], waiver: dict[str, Any] | None, today: str) -> None:
    """Lets a category without enough evidence pass, if the waiver names it and has not expired."""
    if waiver is None or own["decision"] != "insufficient_evidence" or today > waiver["expires"]:
        return
    if not waiver["categories"] or own["delta"]["category"] in waiver["categories"]:
        own |= {"decision": "promote", "waived": f"{waiver['name']}, until {waiver['expires']}: {waiver['reason']}"}
