"""Times delta and gate on a million verdict pairs, in a separate process.

Run as `python run_gate.py WORLD SETTINGS OUT`; no model is loaded. Its rows are made in memory: reading a million
answers from a file is not part of the figure.
"""

import json
import random
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

SAMPLES = 5
CATEGORIES = ("direct", "indirect", "domain", "bias", "benign")


class Row(NamedTuple):
    """What delta and gate look at in an answer."""

    prompt_id: str
    category: str
    sample: int
    verdict: object
    judge: str = "refusal@1"
    reason: str = "refuses"
    answer: str = "No."
    opinions: tuple = ()
    score: float | None = None
    reference_log_prob: float | None = None


class Prompt(NamedTuple):
    """What they look at in a prompt."""

    id: str
    category: str
    expectation: str = "refuse"

    def draws(self, samples: int) -> int:
        """How many answers it gets."""
        return samples


def rows(prompts: int, failing: float, seed: int) -> list[Row]:
    """Answers of one side; each fails with a probability."""
    from components.shared.vocabulary import Verdict

    chance = random.Random(seed)
    return [
        Row(
            f"p-{n}",
            CATEGORIES[n % len(CATEGORIES)],
            sample,
            Verdict.FAIL if chance.random() < failing else Verdict.PASS,
        )
        for n in range(prompts)
        for sample in range(SAMPLES)
    ]


def evidence(before: list[Row], after: list[Row], policy):
    """A whole run around the rows, whose chain of digests holds."""
    from components.shared.artifacts.comparison import DeltaReport, FollowUpReport
    from components.shared.artifacts.safety_report import Contract, SafetyReport
    from components.shared.artifacts.training_data import (
        AdapterManifest,
        DataSource,
        PromptSet,
        SuiteEntry,
        TrainingData,
    )
    from components.shared.config.sections import Recipe
    from components.shared.gate.deltas import compare_rows, escalate
    from components.shared.gate.pairing import completeness_problems, pair
    from components.shared.gate.preconditions import Evidence

    per_category = len(before) // SAMPLES // len(CATEGORIES)
    suite = SuiteEntry(name="big", version="1", sha256="s", categories=dict.fromkeys(CATEGORIES, per_category))
    prompt_set = PromptSet(suites=(suite,), prompts_sha256="p")
    source = DataSource(address="t.jsonl", role="task", sha256="t", format="chat", rows=1, used=1)
    data = TrainingData(
        sources=(source,),
        train_rows=1,
        heldout_rows=0,
        train_sha256="d",
        suite_prompts_checked=per_category * len(CATEGORIES),
        inputs={"prompt_set": prompt_set.digest},
    )
    manifest = AdapterManifest(
        base_name="b",
        base_digest="b",
        data_digest="d",
        recipe=Recipe(),
        policy_digest=policy.digest,
        adapter_digest="a",
        software={},
        trainable_parameters=1,
        steps=1,
        train_loss=1.0,
    )
    contract = Contract(
        suites={"big": "s"},
        tokenizer="t",
        system_prompt=None,
        system_turns="refuse",
        thinking="as_is",
        template_arguments={},
        date="2025-01-01",
        ends=(2,),
        samples_per_prompt=SAMPLES,
        max_new_tokens=1,
        temperature=1.0,
        top_p=1.0,
        seed=0,
        batch_tokens=1,
        dtype="float32",
        engine="none",
        judges={},
    )
    common = {"base_name": "b", "base_digest": "b", "contract": contract, "categories": {}, "answers_sha256": "r"}
    baseline = SafetyReport(adapter_digest=None, adapter_effect=None, **common)
    post = SafetyReport(adapter_digest="a", adapter_effect=1.0, **common)
    prompts = [Prompt(row.prompt_id, row.category) for row in before[::SAMPLES]]
    problems = [
        problem
        for side, rows in (("baseline", before), ("post", after))
        for problem in completeness_problems(side, rows, prompts, SAMPLES)
    ]
    paired = pair(before, after)
    compared = compare_rows(paired, policy)
    escalation = escalate(compared.looking_worse, policy.follow_up)
    delta = DeltaReport(
        contract_digest=contract.digest,
        confidence=policy.confidence,
        categories=compared.deltas,
        escalated=(),
        over_budget=escalation.over_budget,
        problems=tuple(problems),
        inputs={"baseline": baseline.digest, "post": post.digest, "prompt_set": prompt_set.digest},
    )
    follow_up = FollowUpReport(
        adapter_digest="a",
        contract_digest=contract.digest,
        alpha=policy.flip_alpha,
        prompts=(),
        answers_sha256={},
        inputs={"delta": delta.digest},
    )
    return Evidence(
        data, prompt_set, prompts, manifest, "a", baseline, before, post, after, delta, follow_up
    )  # fmt: skip


def main(out: Path, pairs: int) -> None:
    """Measures them."""
    from components.shared.artifacts.decision import Candidate
    from components.shared.config.policy import Policy
    from components.shared.config.policy_rules import CategoryRule
    from components.shared.gate.gate import decide

    before, after = rows(pairs // SAMPLES, 0.02, 1), rows(pairs // SAMPLES, 0.03, 2)
    rules = {name: CategoryRule(rule="margin", limit_pp=5.0) for name in CATEGORIES}
    policy = Policy(name="bench", version="1", categories=rules)
    began, cpu = time.perf_counter(), time.process_time()
    decision = decide(evidence(before, after, policy), policy, Candidate("toy", "run-1", "toy"), date(2026, 1, 1))
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    out.write_text(
        json.dumps(
            {
                "generate_s": seconds,
                "cpu_s": cpu_s,
                "answers": [],
                "pairs": pairs,
                "decision": decision.decision.value,
                "problems": decision.problems,
                "peak_mb": peak_mb(),
            }
        )
    )


def peak_mb() -> float:
    """Most memory that this program held, MiB. Not `ru_maxrss`: Linux counts what the starting process held into it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[3]), json.loads(sys.argv[2])["pairs"])
