"""Small evidence folders whose decision the real gate made: random or chosen verdicts, honest artifacts around them."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

from components.check_gate.bundle import lay_out
from components.shared.artifacts.answers import AnswerRow, Opinion
from components.shared.artifacts.comparison import DeltaReport
from components.shared.artifacts.decision import GateDecision
from components.shared.artifacts.human_review import QUEUE_FILE
from components.shared.artifacts.judge_check import QuotedCheck, Score, Share
from components.shared.artifacts.training_data import DataSource, TrainingData
from components.shared.config.policy import Policy
from components.shared.digests import digest_bytes
from components.shared.gate.deltas import comparability_problems, compare_rows, escalate, group_deltas
from components.shared.gate.disagreement import disagreement_pct
from components.shared.gate.gate import decide
from components.shared.gate.pairing import completeness_problems, pair
from components.shared.gate.preconditions import Evidence
from components.shared.gate.review_queue import with_queue
from components.shared.vocabulary import GRADED
from tests.support import builders as build

TODAY = date(2026, 5, 1)
VERDICTS = ("pass", "partial", "fail", "incoherent", "unscored")
EXPECTATIONS = {"direct": "refuse", "benign": "answer", "format": "constraints", "task": "exact", "extra": "refuse"}


def check(judge: str, caught: int, failing: int, cleared: int, passing: int) -> QuotedCheck:
    share = lambda count, of: Share(count=count, of=of, value=None, lower=None, upper=None)  # noqa: E731
    score = Score(value=None, lower=None, upper=None)
    return QuotedCheck(
        judge=judge, labels_file="labels.csv", answers=max(1, failing + passing), accuracy=share(0, 0),
        sensitivity=share(caught, failing), specificity=share(cleared, passing), kappa=score,
    )  # fmt: skip


def craft(
    directory: Path,
    policy: Policy,
    before: list[AnswerRow],
    after: list[AnswerRow],
    prompts: list[Any],
    fresh: Any = None,
    post: dict[str, Any] | None = None,
    baseline: dict[str, Any] | None = None,
    trained_under: str | None = None,
    checked: int | None = None,
) -> GateDecision:
    """Writes the evidence of these verdicts below `directory`/evidence, and returns the gate's decision.

    Args:
        fresh: (prompt, after?) -> passing answers of the follow-up.
    """
    prompt_set = build.prompt_files(directory / "prompts", prompts)
    safety = sum(prompt.category != "task" for prompt in prompts)
    data = TrainingData(
        sources=(DataSource(address="t.jsonl", role="task", sha256="sha256:ff", format="chat", rows=40, used=10),),
        train_rows=10,
        heldout_rows=0,
        train_sha256=digest_bytes(b"rows"),
        suite_prompts_checked=safety if checked is None else checked,
        inputs={"prompt_set": prompt_set.digest},
    )
    data.save(directory / "data" / "training_data.json")
    adapter = build.adapter_files(directory / "adapter")
    made = build.manifest(adapter, policy_digest=trained_under or policy.digest)
    made.save(directory / "adapter" / "manifest.json")
    inputs = {"prompt_set": prompt_set.digest}
    first = build.report_files(directory / "baseline", before, inputs=inputs, **(baseline or {}))
    changed = {"adapter_digest": adapter, "adapter_effect": 0.5, **(post or {})}
    second = build.report_files(directory / "post", after, inputs=inputs, **changed)
    problems = comparability_problems(first, second)
    for side, report, rows in (("baseline", first, before), ("post", second, after)):
        problems += completeness_problems(side, rows, prompts, report.contract.samples_per_prompt)
    pairs = pair(before, after)
    compared = compare_rows(pairs, policy)
    escalation = escalate(compared.looking_worse, policy.follow_up)
    delta = DeltaReport(
        contract_digest=second.contract.digest,
        confidence=policy.confidence,
        categories=compared.deltas,
        groups=group_deltas(pairs, prompts, policy.confidence),
        disagreement_pct=disagreement_pct(after),
        escalated=() if problems else escalation.prompts,
        over_budget=escalation.over_budget,
        problems=tuple(problems),
        inputs={"baseline": first.digest, "post": second.digest, "prompt_set": prompt_set.digest},
    )
    delta.save(directory / "delta" / "delta_report.json")
    report = build.follow_up_files(directory / "follow_up", delta, second, policy, fresh)
    evidence = Evidence(data, prompt_set, prompts, made, adapter, first, before, second, after, delta, report)
    decision, queue = with_queue(decide(evidence, policy, build.CANDIDATE, TODAY, 1), evidence, policy)
    decision.save(directory / "decision" / "gate_decision.json")
    names = ("delta", "decision", "baseline", "post", "follow_up", "adapter")
    sources = {name: directory / name for name in names}
    (directory / "evidence").mkdir()
    lay_out(
        {**sources, "training_data": directory / "data", "prompt_set": directory / "prompts"},
        policy,
        decision.decision,
        directory / "evidence",
    )
    if queue is not None:
        (directory / "evidence" / QUEUE_FILE).write_bytes(queue)
    return decision


def simple(directory: Path, broken: int = 0, prompts: int = 20, **policy: Any) -> GateDecision:
    """Two categories with some prompts that fail every time after tuning, and twelve held-out rows."""
    names = [("direct", n) for n in range(prompts)] + [("benign", n) for n in range(prompts)]
    names += [("task", n) for n in range(12)]
    asked = [build.prompt(f"{c}-{n}", category=c, expectation=EXPECTATIONS[c], suite=c) for c, n in names]
    before = [row for p in asked for row in build.rows(p.id, 0 if p.category == "task" else 5, category=p.category)]
    failing = {f"direct-{n}" for n in range(broken)}
    after = [row for p in asked for row in build.rows(p.id, 0 if p.id in failing else 5, category=p.category)]
    rules = {"direct": {"rule": "zero_tolerance", "resolution_pp": 20}, "benign": {"rule": "margin", "limit_pp": 20}}
    toy = Policy.model_validate({"name": "toy", "version": "1", "categories": rules, "task_min_gain_pp": 1, **policy})
    return craft(directory, toy, before, after, asked)


def at_random(directory: Path, seed: int) -> GateDecision:
    """Everything at random: categories, answers, rules, limits, judges, fresh answers, and now and then a fault."""
    rng = random.Random(seed)
    chosen = [name for name in EXPECTATIONS if rng.random() < 0.7] or ["direct"]
    samples = rng.randint(1, 4)
    expectations = {**EXPECTATIONS, "task": rng.choice(["exact", "rouge_l", "likelihood"])}
    prompts = [
        build.prompt(
            f"{name}-{n}", category=name, expectation=expectations[name], suite=name,
            samples=rng.choice([None, None, 2]),
        )
        for name in chosen
        for n in range(rng.choice([1, 3, 12, 40]))
    ]  # fmt: skip
    odd = rng.choice([0.0, 0.0, 0.1])
    sides = [[row for p in prompts for row in answers(rng, p, samples, level, odd)] for level in levels(rng)]
    policy = random_policy(rng, chosen)
    changes: dict[str, Any] = {"post": {}, "baseline": {}}
    for side in changes.values():
        side["contract"] = build.contract(samples_per_prompt=samples)
    changes["post"]["judge_checks"] = tuple(
        check(judge, caught := rng.randint(0, 50), caught + rng.choice([0, 3, 40]), cleared := rng.randint(0, 50),
              cleared + rng.choice([0, 1, 30]))
        for judge in ("refusal@1", "other@1", "refusal@1")[: rng.choice([0, 0, 1, 2, 3])]
    )  # fmt: skip
    spoil(rng.randint(0, 60), changes, sides)
    fresh = lambda *_: rng.randint(0, policy.follow_up.samples)  # noqa: E731
    return craft(directory, policy, *sides, prompts, fresh, **changes)


def levels(rng: random.Random) -> list[float]:
    first = rng.choice([1.0, 1.0, 0.97, 0.6, 0.15])
    return [first, first * rng.choice([1.0, 1.0, 1.0, 0.95, 0.8, 0.3])]


def answers(rng: random.Random, prompt: Any, samples: int, level: float, odd: float) -> list[AnswerRow]:
    rows = []
    for n in range(prompt.draws(samples)):
        verdict = "pass" if rng.random() < level else rng.choice(VERDICTS[1:3])
        verdict = rng.choice(VERDICTS[3:]) if rng.random() < odd else verdict
        opinions = ()
        if prompt.category == "direct" and rng.random() < 0.5:
            second = verdict if rng.random() < 0.9 else rng.choice(VERDICTS)
            opinions = (Opinion(judge="second@1", verdict=second, reason="read it"),)
        judge = rng.choice(["refusal@1", "other@1"]) if prompt.category == "extra" else "refusal@1"
        made = build.row(prompt.id, n, verdict, category=prompt.category, judge=judge, opinions=opinions)
        if prompt.expectation in GRADED and verdict != "unscored":
            made = made.model_copy(update={"score": rng.choice([rng.random(), level]), "judge": "rouge_l@1"})
        rows.append(made)
    return rows


def random_policy(rng: random.Random, categories: list[str]) -> Policy:
    rules = {}
    for name in categories:
        kind = rng.choice(["margin", "zero_tolerance", "point"])
        rule: dict[str, Any] = {"rule": kind, "review_new_failures": rng.random() < 0.2}
        rule["resolution_pp" if kind == "zero_tolerance" else "limit_pp"] = rng.choice([1, 12.5, 20, 60])
        if rng.random() < 0.3:
            rule["min_pass_pct"] = rng.choice([20, 50, 80, 95])
        if rng.random() < 0.7:
            rule["min_baseline_pass_pct"] = rng.choice([0, 0, 0, 30, 70])
        rules[name] = rule
    rules.pop("task", None)
    ungated = [name for name in rules if rng.random() < 0.1 and len(rules) > 1][:1]
    for name in ungated:
        rules.pop(name)
    fields: dict[str, Any] = {
        "name": "random", "version": "7", "categories": rules or {"direct": {"rule": "margin", "limit_pp": 5}},
        "ungated": ungated, "task_min_gain_pp": rng.choice([None, None, None, 0, 10]),
        "confidence": rng.choice([0.95, 0.8, 0.99]),
        "max_over_refusal_pct": rng.choice([None] * 4 + [10, 60]), "min_adherence_pct": rng.choice([None] * 4 + [70]),
        "min_coherent_pct": rng.choice([0, 0, 95]), "max_unscored_pct": rng.choice([0, 100, 100]),
        "max_disagreement_pct": rng.choice([0, 5, 30]), "attention_drop_pp": rng.choice([0, 3]),
        "flag_drop_pp": rng.choice([0, 10]), "judge_error": rng.choice(["correct", "correct", "ignore"]),
        "follow_up": {"escalate_drop": rng.choice([0.2, 0.4, 1]), "samples": rng.choice([2, 8, 20]),
                      "max_prompts": rng.choice([1, 4, 60]), "max_share_after": rng.choice([0, 0.5, 1])},
    }  # fmt: skip
    if rng.random() < 0.4:
        granted, expires = rng.choice(
            [("2026-04-01", "2026-04-30"), ("2026-04-01", "2026-05-01"), ("2026-05-01", "2026-10-01"),
             ("2026-05-02", "2026-10-01"), ("2026-01-01", "2026-12-31")]
        )  # fmt: skip
        some = [name for name in fields["categories"] if rng.random() < 0.5]
        fields["waiver"] = {"name": "Ada", "reason": "The pilot has ten users.", "categories": some}
        fields["waiver"] |= {"granted": granted, "expires": expires}
        fields["on_insufficient_evidence"] = "waive"
    limits = [rule.get("limit_pp", rule.get("resolution_pp", 0)) for rule in fields["categories"].values()]
    if max(limits) > 50 or fields.get("waiver", {}).get("expires") == "2026-12-31":
        fields["accepted_risk"] = {"i_know": True, "reason": "The policies of this test are random."}
    return Policy.model_validate_json(json.dumps(fields))


def spoil(fault: int, changes: dict[str, Any], sides: list[list[AnswerRow]]) -> None:
    """One of several faults that make the evidence invalid; most numbers are none."""
    if fault == 0:
        changes["post"]["adapter_effect"] = 0.0
    elif fault == 1:
        changes["trained_under"] = "sha256:0ther"
    elif fault == 2:
        changes["checked"] = 0
    elif fault == 3:
        changes["post"]["base_digest"] = "sha256:0ther"
    elif fault == 4:
        changes["post"]["coherence_floor"] = -2.0
    elif fault == 5 and len(sides[1]) > 1:
        sides[1].pop()
    elif fault == 6:
        sides[0].append(sides[0][0])
