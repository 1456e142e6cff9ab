"""Fresh answers on both sides: is a prompt's flip real?"""

from pathlib import Path

import pytest

from components.follow_up.step import follow_up, judge_flips
from components.shared.artifacts.comparison import DeltaReport, EscalatedPrompt, FollowUpReport
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import FollowUpRule
from components.shared.errors import IntegrityError
from components.shared.evaluation.answers import read_answers
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.statistics.exact import fisher_drop_p
from components.shared.store import FOLLOW_UP_KIND, Store
from components.shared.tracking.runs import RunContext


def judged(build, passed_before: int, passed_after: int, alpha: float = 0.05, share: float = 0.5):
    before, after = build.rows("p-1", passed_before, 20), build.rows("p-1", passed_after, 20)
    (flip,) = judge_flips(before, after, alpha, share)
    return flip


def test_a_clear_flip_is_confirmed(build):
    """20 of 20 before and 3 of 20 now is no accident."""
    flip = judged(build, 20, 3)
    assert (flip.passed_before, flip.passed_after, flip.samples, flip.confirmed) == (20, 3, 20, True)
    assert flip.fisher_p == fisher_drop_p(20, 3, 20)


@pytest.mark.parametrize(
    ("before", "after", "alpha", "share", "confirmed"),
    [
        (20, 20, 0.05, 0.5, False),
        (3, 20, 0.05, 0.5, False),
        (12, 8, 0.05, 0.5, False),
        (20, 10, 0.05, 0.5, True),
        (20, 11, 0.05, 0.5, False),
        (20, 11, 0.05, 0.6, True),
        (20, 10, 1e-6, 0.5, False),
    ],
)
def test_a_flip_is_significant_and_mostly_failing(build, before, after, alpha, share, confirmed):
    """Confirmed needs both: p at most alpha, and at most the policy's share passing now."""
    assert judged(build, before, after, alpha, share).confirmed is confirmed


def test_every_prompt_is_judged_by_itself(build):
    """Rows of several prompts are kept apart, in any order."""
    before = build.rows("a", 20, 20) + build.rows("b", 20, 20)
    after = build.rows("b", 20, 20) + build.rows("a", 0, 20)
    assert [(f.prompt_id, f.confirmed) for f in judge_flips(before, after, 0.025, 0.5)] == [("a", True), ("b", False)]
    assert judge_flips([], [], 0.05, 0.5) == ()


EVALUATION = EvaluationConfig(samples_per_prompt=5, max_new_tokens=4, temperature=1.0, batch_tokens=512)


class Scene:
    """A delta with two escalated prompts, about the tiny model."""

    def __init__(self, directory: Path, base: Path, adapter: Path, build, context: RunContext) -> None:
        self.directory, self.base, self.adapter, self.build, self.context = directory, base, adapter, build, context
        self.policy = build.policy(follow_up=FollowUpRule(samples=4))
        prompts = [build.prompt(f"p-{n}") for n in range(3)]
        build.prompt_files(directory / "prompts", prompts)
        rows = [row for prompt in prompts for row in build.rows(prompt.id, 0)]
        self.post = build.report_files(
            directory / "post",
            rows,
            base_digest=base_digest(base),
            adapter_digest=adapter_digest(adapter),
            adapter_effect=1.0,
        )
        self.escalate("p-0", "p-2")

    def escalate(self, *prompt_ids: str) -> None:
        escalated = tuple(EscalatedPrompt(prompt_id=name, category="direct", drop=1.0) for name in prompt_ids)
        self.delta = DeltaReport(
            contract_digest=self.post.contract.digest,
            confidence=0.95,
            categories={},
            escalated=escalated,
            over_budget={},
            problems=(),
        )
        self.delta.save(self.directory / "delta" / "delta_report.json")

    def run(self, name: str = "out", evaluation: EvaluationConfig = EVALUATION, reuse: bool = True, **changes) -> str:
        arguments = {
            "delta_dir": self.directory / "delta",
            "post_dir": self.directory / "post",
            "prompts_dir": self.directory / "prompts",
            "adapter_dir": self.adapter,
            "base_model": BaseModelRef(path=str(self.base)),
            "evaluation": evaluation,
            "policy": self.policy,
            "store": Store(str(self.directory / "store")),
            "reuse": reuse,
            "follow_up_dir": self.directory / name,
            "context": self.context,
        }
        (self.directory / name).mkdir(exist_ok=True)
        return follow_up(**{**arguments, **changes})

    def report(self, name: str = "out") -> FollowUpReport:
        return FollowUpReport.load(self.directory / name / "follow_up_report.json")


@pytest.fixture
def scene(tmp_path: Path, tiny_base: Path, tiny_adapter: Path, build, context: RunContext) -> Scene:
    return Scene(tmp_path, tiny_base, tiny_adapter, build, context)


def test_escalated_prompts_are_asked_again_on_both_sides(scene: Scene, tmp_path: Path):
    """Each escalated prompt gets fresh answers from base and adapter, and no other prompt does."""
    key = scene.run()
    report = scene.report()
    assert [(prompt.prompt_id, prompt.samples) for prompt in report.prompts] == [("p-0", 4), ("p-2", 4)]
    assert report.alpha == pytest.approx(0.025)
    assert report.inputs == {"delta": scene.delta.digest, "post": scene.post.digest}
    sides = {side: read_answers(tmp_path / "out" / f"{side}.jsonl", sha) for side, sha in report.answers_sha256.items()}
    asked = [(prompt, sample) for prompt in ("p-0", "p-2") for sample in range(4)]
    assert {side: [(row.prompt_id, row.sample) for row in rows] for side, rows in sides.items()} == {
        "before": asked,
        "after": asked,
    }
    assert [row.answer for row in sides["before"]] != [row.answer for row in sides["after"]]
    assert Store(str(tmp_path / "store")).fetch(FOLLOW_UP_KIND, key, tmp_path / "fetched") is True


def test_a_finished_follow_up_is_reused(scene: Scene, capsys):
    """The same delta and policy are not asked twice, unless the run must not reuse."""
    key = scene.run()
    capsys.readouterr()
    assert scene.run("again") == key
    assert "reusing 2 followed-up prompts" in capsys.readouterr().out
    assert scene.report("again") == scene.report()
    assert scene.run("anew", reuse=False) == key
    assert "2 prompts x 4 fresh answers on both sides" in capsys.readouterr().out


def test_another_rule_is_another_follow_up(scene: Scene):
    """Key and answers depend on the policy's follow-up rule."""
    first = scene.run()
    scene.policy = scene.build.policy(follow_up=FollowUpRule(samples=3))
    assert scene.run("other") != first
    assert [prompt.samples for prompt in scene.report("other").prompts] == [3, 3]


def test_a_greedy_contract_is_followed_up_by_sampling(scene: Scene, tmp_path: Path):
    """Temperature 0 would give one answer again and again."""
    scene.run(evaluation=EvaluationConfig(samples_per_prompt=1, max_new_tokens=4, temperature=0.0))
    report = scene.report()
    rows = read_answers(tmp_path / "out" / "after.jsonl", report.answers_sha256["after"])
    assert len({row.answer for row in rows if row.prompt_id == "p-0"}) > 1


def test_without_escalated_prompts_no_model_is_loaded(scene: Scene, tmp_path: Path):
    """Nothing looks worse: the report is empty, and base model and prompts are not even looked at."""
    scene.escalate()
    scene.run(base_model=BaseModelRef(path="/no/such/model"), prompts_dir=tmp_path / "no")
    report = scene.report()
    assert (report.prompts, report.answers_sha256, report.alpha) == ((), {}, pytest.approx(0.05))


def test_another_adapter_is_refused(scene: Scene, tmp_path: Path, build):
    """The adapter that is asked again is the one that was evaluated."""
    build.adapter_files(tmp_path / "other")
    with pytest.raises(IntegrityError, match="is not the adapter that was evaluated"):
        scene.run(adapter_dir=tmp_path / "other")


def test_another_base_is_refused(scene: Scene, copy_of_base, tmp_path: Path):
    """So is the base."""
    other = copy_of_base("{{ messages }}")
    with (other / "config.json").open("a") as stream:
        stream.write("\n")
    with pytest.raises(IntegrityError, match="is not the one that was evaluated"):
        scene.run(base_model=BaseModelRef(path=str(other)))
