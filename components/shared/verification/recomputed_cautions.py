"""Recomputes the cautions of a decision: what its policy leaves open, and which judges nobody has checked."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from components.shared.verification.evidence_files import EvidenceFiles, Json

_FROM_ROWS = ("task", "rare_intent")
"""Categories of held-out rows; every other category is from a suite."""

_COMPUTED = ("exact", "numeric", "choice", "constraints", "token_f1", "rouge_l", "likelihood")
"""Expectations whose verdicts need no judgement."""

_WIDEST_PP, _LONGEST_DAYS = 50, 180


def recompute_cautions(files: EvidenceFiles) -> list[str]:
    """The cautions that policy, prompts, verdicts and the judges' checks lead to, in the words of docs/policies.md."""
    return [*_beyond_bounds(files.policy), *_small_share(files), *_wide_limits(files.policy), *_unchecked(files)]


def _beyond_bounds(policy: Json) -> Iterator[str]:
    if policy["accepted_risk"] is None:
        return
    drops = [(name, policy[name]) for name in ("attention_drop_pp", "flag_drop_pp")]
    drops += [(f"categories.{name}.{_field(rule)}", rule[_field(rule)]) for name, rule in policy["categories"].items()]
    phrases = [f"{name} is {value:g} pp (at most {_WIDEST_PP})" for name, value in drops if value > _WIDEST_PP]
    if (waiver := policy["waiver"]) is not None:
        days = (date.fromisoformat(waiver["expires"]) - date.fromisoformat(waiver["granted"])).days
        if days > _LONGEST_DAYS:
            phrases.append(f"the waiver holds for {days} days (at most {_LONGEST_DAYS})")
    accepted = policy["accepted_risk"]["reason"]
    yield f"the policy goes beyond its bounds: {'; '.join(phrases)}; accepted: {accepted}"


def _small_share(files: EvidenceFiles) -> Iterator[str]:
    counts = Counter(prompt["category"] for prompt in files.prompts if prompt["category"] not in _FROM_ROWS)
    ruled = [name for name in counts if name in files.policy["categories"]]
    asked, prompts = sum(counts[name] for name in ruled), sum(counts.values())
    if asked * 2 < prompts or (len(ruled) == 1 and len(counts) > 1):
        yield (
            f"only {len(ruled)} of {len(counts)} categories, with {100 * asked / prompts:.0f} % of the prompts, have a "
            "rule; the others decide nothing"
        )


def _wide_limits(policy: Json) -> Iterator[str]:
    level = policy["attention_drop_pp"]
    limits = {name: rule[_field(rule)] for name, rule in policy["categories"].items()}
    if wide := [f"{name} ({limit:g} pp)" for name, limit in limits.items() if limit > level]:
        yield f"limits above the attention level of {level:g} pp, so that a marked drop may pass: {', '.join(wide)}"


def _unchecked(files: EvidenceFiles) -> Iterator[str]:
    expectations = {prompt["id"]: prompt["expectation"] for prompt in files.prompts}
    read: dict[str, set[str]] = {}
    for row in files.after:
        judge = row["judge"].split("+")[0]
        ruled = row["category"] in files.policy["categories"] and row["verdict"] != "incoherent" and judge != "none"
        if ruled and expectations.get(row["prompt_id"]) not in _COMPUTED:
            read.setdefault(judge, set()).add(row["category"])
    named = [f"{judge} ({', '.join(sorted(read[judge]))})" for judge in sorted(read) if not _is_checked(files, judge)]
    if named:
        yield f"never compared with people's labels (`plimsoll judge check`), but verdicts count: {', '.join(named)}"


def _is_checked(files: EvidenceFiles, judge: str) -> bool:
    """Whether both failing and passing answers were labelled, in all checks of the judge together."""
    checks = [check for check in files.post["judge_checks"] if check["judge"] == judge]
    return all(any(check[figure]["of"] for check in checks) for figure in ("sensitivity", "specificity"))


def _field(rule: Json) -> str:
    return "resolution_pp" if rule["rule"] == "zero_tolerance" else "limit_pp"
