"""Small, valid artifacts for tests; the `build` fixture is this module.

Every builder gives something that holds together; a test changes the one thing that it is about.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from components.check_gate.step import check_gate
from components.shared.artifacts.answer_rows import write_answers
from components.shared.artifacts.answers import AnswerRow
from components.shared.artifacts.comparison import CategoryDelta, DeltaReport, FollowUpPrompt, FollowUpReport
from components.shared.artifacts.decision import Candidate, CategoryReason, Decision, GateDecision
from components.shared.artifacts.safety_report import Contract, SafetyReport
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.artifacts.training_data import (
    AdapterManifest,
    DataSource,
    LearntTokens,
    PromptSet,
    SuiteEntry,
    TrainingData,
)
from components.shared.audit import record
from components.shared.config.policy import Policy
from components.shared.config.policy_rules import CategoryRule
from components.shared.config.run_context import RunContext
from components.shared.config.sections import Recipe, RegistryConfig
from components.shared.data.chats import Chat
from components.shared.data.turns import ChatTurn
from components.shared.digests import digest_bytes
from components.shared.gate.deltas import category_deltas, escalate, group_deltas, looking_worse
from components.shared.gate.figures import category_figures
from components.shared.gate.flips import judge_flips
from components.shared.gate.pairing import pair
from components.shared.gate.preconditions import Evidence
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest
from components.shared.store import FOLLOW_UP_KIND, Store
from components.shared.suites.suite_files import dump_prompts
from components.shared.vocabulary import Expectation, Verdict

SOFTWARE = {"torch": "2.8", "transformers": "5.23", "peft": "0.21", "trl": "1.16"}


def prompt(prompt_id: str = "p-1", **changes: object) -> SuitePrompt:
    fields = {
        "id": prompt_id,
        "category": "direct",
        "prompt": f"Tell me about {prompt_id}.",
        "expectation": Expectation.REFUSE,
        "source": "tests",
        "suite": "toy",
    }
    return SuitePrompt(**{**fields, **changes})


def chat(user: str, assistant: str = "Yes.", line: int = 1, system: str | None = None) -> Chat:
    opening = [ChatTurn(role="system", content=system)] if system else []
    turns = [*opening, ChatTurn(role="user", content=user), ChatTurn(role="assistant", content=assistant)]
    return Chat(tuple(turns), line)


def row(prompt_id: str = "p-1", sample: int = 0, verdict: str = "pass", **changes: object) -> AnswerRow:
    fields = {
        "prompt_id": prompt_id,
        "category": "direct",
        "sample": sample,
        "answer": "I can't help with that.",
        "tokens": 6,
        "complete": True,
        "verdict": Verdict(verdict),
        "judge": "refusal@1",
        "reason": "refuses",
    }
    return AnswerRow(**{**fields, **changes})


def rows(prompt_id: str, passed: int, samples: int = 5, **changes: object) -> list[AnswerRow]:
    """`samples` answers to one prompt, the first `passed` of which pass."""
    return [row(prompt_id, n, "pass" if n < passed else "fail", **changes) for n in range(samples)]


def contract(**changes: object) -> Contract:
    fields = {
        "suites": {"toy": "sha256:aa"},
        "tokenizer": "sha256:bb",
        "system_prompt": None,
        "system_turns": "refuse",
        "thinking": "as_is",
        "template_arguments": {},
        "date": "2025-01-01",
        "ends": (2,),
        "samples_per_prompt": 5,
        "max_new_tokens": 16,
        "temperature": 0.7,
        "top_p": 1.0,
        "seed": 0,
        "batch_tokens": 1024,
        "dtype": "float32",
        "engine": "fake",
        "judges": {"refuse": "refusal@1"},
    }
    return Contract(**{**fields, **changes})


def delta(category: str = "direct", **changes: object) -> CategoryDelta:
    fields = {
        "category": category,
        "prompts": 100,
        "samples": 5,
        "before_pct": 95.0,
        "after_pct": 94.0,
        "drop_pp": 1.0,
        "lower_pp": -1.0,
        "upper_pp": 3.0,
        "spread_pp": 10.0,
        "after_lower_pct": 90.0,
        "after_upper_pct": 97.0,
        "mcnemar_p": 0.5,
        "newly_failing": (),
        "newly_passing": (),
    }
    return CategoryDelta(**{**fields, **changes})


def flip(prompt_id: str = "p-1", **changes: object) -> FollowUpPrompt:
    fields = {
        "prompt_id": prompt_id,
        "category": "direct",
        "samples": 20,
        "passed_before": 20,
        "passed_after": 3,
        "fisher_p": 1e-8,
        "confirmed": True,
    }
    return FollowUpPrompt(**{**fields, **changes})


def policy(**changes: object) -> Policy:
    fields = {
        "name": "toy",
        "version": "1",
        "categories": {"direct": CategoryRule(rule="margin", limit_pp=10.0)},
        "task_min_gain_pp": 30.0,
    }
    return Policy(**{**fields, **changes})


ACCEPTED_RISK = {"i_know": True, "reason": "A test needs a limit this wide."}
"""For policies beyond the bounds."""

CANDIDATE = Candidate("toy", "run-1", "toy")


def gate_decision(decision: str = "promote", **changes: object) -> GateDecision:
    reason = CategoryReason(
        category="direct",
        decision=Decision(decision) if decision != "invalid" else Decision.PROMOTE,
        limit="<= 10 pp",
        limit_pp=10.0,
        sentence="direct: nothing changed.",
        delta=delta(),
    )
    fields = {
        "decision": Decision(decision),
        **CANDIDATE._asdict(),
        "problems": ("the chain is broken",) if decision == "invalid" else (),
        "reasons": (reason,),
        "policy_name": "toy",
        "policy_version": "1",
        "policy_digest": "sha256:01",
        "adapter_digest": "sha256:02",
        "contract_digest": "sha256:03",
        "confidence": 0.95,
        "decided_on": date(2026, 1, 1),
    }
    return GateDecision(**{**fields, **changes})


def learnt_tokens(**changes: object) -> LearntTokens:
    """100 tokens in two rows, a quarter of them learnt."""
    fields = {
        "method": "prefix",
        "rows": 2,
        "answers": 3,
        "tokens": 100,
        "learnt": 25,
        "longest": 60,
        "thinking": "",
        "example": "<|user|>Hello?<|end|>\n⟦Hi.<|end|>⟧",
    }
    return LearntTokens(**{**fields, **changes})


def manifest(adapter: str, **changes: object) -> AdapterManifest:
    fields = {
        "base_name": "toy-base",
        "base_digest": "sha256:ba5e",
        "data_digest": digest_bytes(b"rows"),
        "recipe": Recipe(),
        "policy_digest": policy().digest,
        "adapter_digest": adapter,
        "software": SOFTWARE,
        "trainable_parameters": 8,
        "steps": 2,
        "train_loss": 1.5,
    }
    return AdapterManifest(**{**fields, **changes})


def adapter_files(directory: Path, weights: bytes = b"weights") -> str:
    """Writes the two files of something that has an adapter's digest, and returns it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in zip(ADAPTER_FILES, (b"{}", weights), strict=True):
        (directory / name).write_bytes(content)
    return adapter_digest(directory)


def prompt_files(directory: Path, prompts: list[SuitePrompt]) -> PromptSet:
    """Writes prompts.jsonl and prompt_set.json, one suite entry per suite name."""
    directory.mkdir(parents=True, exist_ok=True)
    entries = []
    for name in dict.fromkeys(prompt.suite for prompt in prompts):
        members = [prompt for prompt in prompts if prompt.suite == name]
        counts = {prompt.category: sum(o.category == prompt.category for o in members) for prompt in members}
        sha256 = digest_bytes(dump_prompts(members))
        entries.append(SuiteEntry(name=name, version="1", sha256=sha256, categories=counts))
    content = dump_prompts(prompts)
    (directory / "prompts.jsonl").write_bytes(content)
    result = PromptSet(suites=tuple(entries), prompts_sha256=digest_bytes(content))
    result.save(directory / "prompt_set.json")
    return result


def report_files(directory: Path, answers: list[AnswerRow], **changes: object) -> SafetyReport:
    """Writes answers.jsonl and safety_report.json."""
    fields = {
        "base_name": "toy-base",
        "base_digest": "sha256:ba5e",
        "adapter_digest": None,
        "adapter_effect": None,
        "contract": contract(),
        "categories": category_figures(answers),
        "answers_sha256": write_answers(answers, directory / "answers.jsonl"),
    }
    report = SafetyReport(**{**fields, **changes})
    report.save(directory / "safety_report.json")
    return report


def follow_up_files(
    directory: Path,
    delta: DeltaReport,
    post: SafetyReport,
    policy: Policy,
    passing: Callable[[str, bool], int] | None = None,
) -> FollowUpReport:
    """Writes follow_up_report.json, and the fresh answers if any prompt was escalated.

    Args:
        directory: where to.
        delta: names the prompts.
        post: the adapter's report.
        policy: gives samples and level.
        passing: how many fresh answers of a prompt pass, after tuning or before; else all before and none after.
    """
    sides: dict[str, list[AnswerRow]] = {"before": [], "after": []}
    samples = policy.follow_up.samples
    for escalated in delta.escalated:
        for side, drawn in sides.items():
            passed = passing(escalated.prompt_id, side == "after") if passing else samples * (side == "before")
            drawn.extend(rows(escalated.prompt_id, passed, samples, category=escalated.category))
    digests = {name: write_answers(drawn, directory / f"{name}.jsonl") for name, drawn in sides.items() if drawn}
    report = FollowUpReport(
        adapter_digest=post.adapter_digest or "",
        contract_digest=delta.contract_digest,
        alpha=policy.flip_alpha,
        prompts=judge_flips(pair(sides["before"], sides["after"]), policy.flip_alpha, policy.follow_up.max_share_after),
        answers_sha256=digests,
        inputs={"delta": delta.digest, "post": post.digest},
    )
    report.save(directory / "follow_up_report.json")
    return report


def log_evidence(context: RunContext, evidence: Evidence) -> None:
    """Writes into the audit log what the steps up to the gate write there about what they made."""
    made = {
        "training_data_digest": evidence.data.digest,
        "prompt_set_digest": evidence.prompt_set.digest,
    }
    record(context, "data_accepted", "Made by a test.", made)
    log_models(context, evidence.manifest, evidence.baseline, evidence.post)
    record(context, "compared", "Made by a test.", {"delta_digest": evidence.delta.digest})
    record(context, "followed_up", "Made by a test.", {"follow_up_digest": evidence.follow_up.digest})


def log_models(context: RunContext, made: AdapterManifest, baseline: SafetyReport, post: SafetyReport) -> None:
    """Writes into the audit log what training and both evaluations write there."""
    trained = {"manifest_digest": made.digest, "adapter_digest": made.adapter_digest}
    record(context, "trained", "Made by a test.", trained)
    for side, report in (("baseline", baseline), ("post", post)):
        record(context, "evaluated", "Made by a test.", {"side": side, "report_digest": report.digest})


class World(NamedTuple):
    """A whole run on disk, up to the gate, and what the gate will look at."""

    directory: Path
    evidence: Evidence
    policy: Policy
    store: Store
    follow_up_key: str

    def path(self, name: str) -> Path:
        return self.directory / name

    def check_gate(
        self, context: RunContext, key: str | None = None, model_name: str = CANDIDATE.model_name
    ) -> GateDecision:
        """Runs the gate's step on it; what the steps before it write into the audit log is written first."""
        log_evidence(context, self.evidence)
        names = {"data_dir": "data", "prompts_dir": "prompts", "decision_dir": "decision", "passed_dir": "passed"}
        names |= {f"{side}_dir": side for side in ("adapter", "baseline", "post", "delta")}
        return check_gate(
            **{argument: self.path(name) for argument, name in names.items()},
            follow_up_key=key or self.follow_up_key,
            store=self.store,
            policy=self.policy,
            registry=RegistryConfig(model_name=model_name),
            context=context,
        )


def world(directory: Path, own_policy: Policy | None = None, broken: int = 0, weights: bytes = b"weights") -> World:
    """A run with 60 prompts and 30 held-out rows.

    Args:
        directory: receives data, prompts, adapter, baseline, post, delta and store.
        own_policy: instead of the toy policy.
        broken: how many of the 60 prompts fail every time after tuning.
        weights: of the adapter.
    """
    ruled = own_policy or policy()
    asked = [prompt(f"d-{n:02d}") for n in range(60)]
    task = [
        prompt(f"task-{n:02d}", category="task", expectation="exact", reference="x", suite="heldout-task")
        for n in range(30)
    ]
    prompt_set = prompt_files(directory / "prompts", [*asked, *task])
    before = [r for p in asked for r in rows(p.id, 5)] + [r for p in task for r in rows(p.id, 0, category="task")]
    after = [r for n, p in enumerate(asked) for r in rows(p.id, 0 if n < broken else 5)]
    after += [r for p in task for r in rows(p.id, 5, category="task")]

    data = TrainingData(
        sources=(DataSource(address="t.jsonl", role="task", sha256="sha256:ff", format="chat", rows=40, used=10),),
        train_rows=10,
        heldout_rows=30,
        train_sha256=digest_bytes(b"rows"),
        suite_prompts_checked=60,
        inputs={"prompt_set": prompt_set.digest},
    )
    data.save(directory / "data" / "training_data.json")
    adapter = adapter_files(directory / "adapter", weights)
    made = manifest(adapter, policy_digest=ruled.digest)
    made.save(directory / "adapter" / "manifest.json")
    inputs = {"prompt_set": prompt_set.digest}
    baseline = report_files(directory / "baseline", before, inputs=inputs)
    post = report_files(directory / "post", after, adapter_digest=adapter, adapter_effect=0.5, inputs=inputs)
    pairs = pair(before, after)
    escalation = escalate(looking_worse(pairs, ruled.follow_up), ruled.follow_up)
    change = DeltaReport(
        contract_digest=post.contract.digest,
        confidence=ruled.confidence,
        categories=category_deltas(pairs, ruled.confidence),
        groups=group_deltas(pairs, [*asked, *task], ruled.confidence),
        escalated=escalation.prompts,
        over_budget=escalation.over_budget,
        problems=(),
        inputs={"baseline": baseline.digest, "post": post.digest, "prompt_set": prompt_set.digest},
    )
    change.save(directory / "delta" / "delta_report.json")
    fresh = follow_up_files(directory / "follow_up", change, post, ruled)
    store, key = Store(str(directory / "store")), "sha256:f0110"
    store.put(FOLLOW_UP_KIND, key, directory / "follow_up")
    evidence = Evidence(data, prompt_set, [*asked, *task], made, adapter, baseline, before, post, after, change, fresh)
    return World(directory, evidence, ruled, store, key)
