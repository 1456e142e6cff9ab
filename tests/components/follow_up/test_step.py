"""The follow-up, end to end on a tiny model: fresh answers, variants, and what is kept of them."""

from pathlib import Path

import pytest

from components.follow_up.frames import FRAMES
from components.follow_up.step import follow_up
from components.shared.artifacts.answer_rows import read_answers
from components.shared.artifacts.comparison import DeltaReport, EscalatedPrompt, FollowUpReport
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy_rules import FollowUpRule
from components.shared.config.run_context import RunContext
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.store import FOLLOW_UP_KIND, Store
from components.shared.tracking.runs import open_client

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

    def escalate(self, *prompt_ids: str, **changes: object) -> None:
        escalated = tuple(EscalatedPrompt(prompt_id=name, category="direct", drop=1.0) for name in prompt_ids)
        fields = {
            "contract_digest": self.post.contract.digest,
            "confidence": 0.95,
            "categories": {},
            "escalated": escalated,
            "over_budget": {},
            "problems": (),
        }
        self.delta = DeltaReport(**{**fields, **changes})
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
    assert report.alpha == pytest.approx(0.05 / 60)
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
    assert (report.prompts, report.answers_sha256, report.alpha) == ((), {}, pytest.approx(0.05 / 60))


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


@pytest.fixture
def flagged(scene: Scene) -> Scene:
    """The same scene under a policy with a budget for two answers in every frame."""
    scene.policy = scene.build.policy(follow_up=FollowUpRule(samples=4, variant_answers=2 * len(FRAMES)))
    return scene


def rows_of(scene: Scene, name: str, folder: str = "out"):
    return read_answers(scene.directory / folder / f"{name}.jsonl", scene.report(folder).answers_sha256[name])


def test_a_flagged_category_is_asked_in_every_way(flagged: Scene, context: RunContext):
    """After the fresh answers: the prompts that fell most in every frame, equally on both sides, within the budget."""
    flagged.run()
    report = flagged.report()
    asked = [(f"{prompt}~{frame.name}", 0) for frame in FRAMES for prompt in ("p-0", "p-2")]
    sides = [rows_of(flagged, name) for name in ("variants_before", "variants_after")]
    for rows in sides:
        assert [(row.prompt_id, row.sample) for row in rows] == asked
        assert {row.category for row in rows} == {"direct"}
    assert [row.answer for row in sides[0]] != [row.answer for row in sides[1]]
    assert [(figures.category, figures.variant, figures.prompts, figures.answers) for figures in report.variants] == [
        ("direct", frame.name, 2, 2) for frame in FRAMES
    ]
    assert set(report.answers_sha256) == {"before", "after", "variants_before", "variants_after"}
    assert [prompt.prompt_id for prompt in report.prompts] == ["p-0", "p-2"]
    client = open_client(context.tracking)
    experiment = client.get_experiment_by_name(context.tracking.experiment)
    metrics = [run.data.metrics for run in client.search_runs([experiment.experiment_id])]
    assert any(figures.get("follow_up/direct/persona/failed_after_pct") == 100 for figures in metrics)


def test_fresh_answers_do_not_depend_on_variants(flagged: Scene):
    """Asking for variants changes neither the fresh answers nor what they confirm."""
    flagged.run()
    flagged.policy = flagged.build.policy(follow_up=FollowUpRule(samples=4))
    flagged.run("plain")
    assert flagged.report("plain").variants == ()
    assert set(flagged.report("plain").answers_sha256) == {"before", "after"}
    for side in ("before", "after"):
        assert rows_of(flagged, side) == rows_of(flagged, side, "plain")
    assert flagged.report().prompts == flagged.report("plain").prompts


def test_a_dropped_category_is_asked_without_escalated_prompts(flagged: Scene):
    """A drop above the attention level is enough; there are no fresh answers then."""
    dropped = flagged.build.delta(drop_pp=4.0, newly_failing=("p-1",))
    flagged.escalate(categories={"direct": dropped})
    flagged.run()
    report = flagged.report()
    assert report.prompts == ()
    assert set(report.answers_sha256) == {"variants_before", "variants_after"}
    assert [row.prompt_id for row in rows_of(flagged, "variants_after")][:2] == ["p-1~prefill_0", "p-0~prefill_0"]


def test_variants_are_reused(flagged: Scene, capsys):
    """A finished follow-up comes from the store with its variants; another attention level is another follow-up."""
    key = flagged.run()
    capsys.readouterr()
    assert flagged.run("again") == key
    assert "reusing 2 followed-up prompts" in capsys.readouterr().out
    assert flagged.report("again") == flagged.report()
    assert rows_of(flagged, "variants_after", "again") == rows_of(flagged, "variants_after")
    rule = flagged.policy.follow_up
    flagged.policy = flagged.build.policy(follow_up=rule, attention_drop_pp=9.0)
    assert flagged.run("other") != key


def test_the_same_question_gets_the_same_answer(flagged: Scene):
    """Asked anew, base and adapter answer the variants as before, byte for byte."""
    flagged.run()
    flagged.run("anew", reuse=False)
    assert flagged.report("anew") == flagged.report()


def test_variants_that_do_not_fit_are_left_out(flagged: Scene, capsys):
    """A context too small for some frames costs these frames, on both sides, and is said; the run goes on."""
    flagged.run(evaluation=EVALUATION.model_copy(update={"max_new_tokens": 70, "coherence": "rules"}))
    asked = {row.prompt_id for row in rows_of(flagged, "variants_before")}
    assert asked == {row.prompt_id for row in rows_of(flagged, "variants_after")}
    assert {"p-0~prefill_0", "p-0~prefill_20"} <= asked
    assert "p-0~hypothetical" not in asked
    left_out = 2 * len(FRAMES) - len(asked)
    assert f"{left_out} variants do not fit the model's context and are left out" in capsys.readouterr().out


def test_a_category_whose_wording_counts_is_left_alone(flagged: Scene, capsys, tmp_path: Path):
    """Prompts with an exact answer have no variants: that is said, and no model is loaded for it."""
    prompts = [flagged.build.prompt("x-1", category="exact", expectation="exact", reference="4")]
    flagged.build.prompt_files(tmp_path / "prompts", prompts)
    flagged.escalate(categories={"exact": flagged.build.delta("exact", drop_pp=50.0)})
    flagged.run(base_model=BaseModelRef(path="/no/such/model"))
    assert (flagged.report().variants, flagged.report().answers_sha256) == ((), {})
    assert "exact: looks worse, but no variant of its prompts is asked" in capsys.readouterr().out
