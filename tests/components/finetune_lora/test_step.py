"""The adapter, where it comes from, and when it is reused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.finetune_lora.checkpoints import Checkpoints
from components.finetune_lora.step import finetune_lora
from components.shared import storage
from components.shared.artifacts.training_data import AdapterManifest, DataSource, TrainingData
from components.shared.audit import open_log
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.run_context import RunContext
from components.shared.config.sections import CheckpointConfig, Recipe
from components.shared.digests import digest_bytes
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.store import Store
from components.shared.tracking.runs import Tracker

RECIPE = Recipe(lora_rank=2, lora_alpha=4, learning_rate=1e-2, batch_size=2, max_steps=2, max_length=64)


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    rows = [
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(4)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_bytes(content)
    result = TrainingData(
        sources=(DataSource(address="t", role="task", sha256="sha256:1", format="chat", rows=4, used=4),),
        train_rows=4,
        heldout_rows=0,
        train_sha256=digest_bytes(content),
        suite_prompts_checked=0,
    )
    result.save(tmp_path / "data" / "training_data.json")
    return result


@pytest.fixture
def run(tmp_path: Path, data: TrainingData, tiny_base: Path, build, context: RunContext):
    def run(name: str, recipe: Recipe = RECIPE, policy: Policy | None = None, **changes: object) -> AdapterManifest:
        arguments = {
            "data_dir": tmp_path / "data",
            "data_digest": data.train_sha256,
            "base_model": BaseModelRef(path=str(tiny_base)),
            "evaluation": EvaluationConfig(),
            "recipe": recipe,
            "policy": policy or build.policy(),
            "store": Store(str(tmp_path / "store")),
            "reuse": True,
            "checkpoints": CheckpointConfig(),
            "adapter_dir": tmp_path / name,
            "context": context,
        }
        return finetune_lora(**{**arguments, **changes})

    return run


def test_the_manifest_names_everything(run, data: TrainingData, tmp_path: Path, tiny_base: Path, build):
    """Base, data, policy and adapter by digest, and the versions of the libraries."""
    manifest = run("adapter")
    assert AdapterManifest.load(tmp_path / "adapter" / "manifest.json") == manifest
    assert manifest.adapter_digest == adapter_digest(tmp_path / "adapter")
    assert (manifest.base_digest, manifest.data_digest) == (base_digest(tiny_base), data.train_sha256)
    assert manifest.policy_digest == build.policy().digest
    assert set(manifest.software) == {"torch", "transformers", "peft", "trl"}
    assert manifest.steps == 2


def test_what_is_learnt_is_on_the_manifest_and_in_mlflow(run, context: RunContext, tmp_path: Path, capsys):
    """Share, rows and method, and the first row with its answer and end token marked; the log says it too."""
    learnt = run("adapter").learnt
    assert learnt is not None
    assert (learnt.rows, learnt.answers, learnt.method) == (4, 4, "prefix")
    assert learnt.example.endswith("⟦It is 0.<|end|>⟧")
    assert learnt.example.count("⟦") == 1
    assert f"{100 * learnt.share:.1f} % of {learnt.tokens:,} tokens are learnt: 4 answers" in capsys.readouterr().out
    tracker = Tracker(context)
    (stage,) = tracker._stages()
    assert stage.data.metrics["train/learnt_token_share"] == pytest.approx(learnt.share)
    assert stage.data.params["learnt_by"] == "prefix"
    shown = tracker.client.download_artifacts(stage.info.run_id, "learnt_row.txt", str(tmp_path))
    assert Path(shown).read_text(encoding="utf-8") == f"{learnt.example}\n"


def test_equal_inputs_are_not_trained_again(run, context: RunContext, capsys):
    """The second run takes the adapter from the store, byte for byte, and says so."""
    first = run("a")
    assert "training on 4 rows" in capsys.readouterr().out
    assert run("b") == first
    said = capsys.readouterr().out
    assert "reusing adapter" in said
    assert "training on" not in said
    assert [stage.data.tags.get("plimsoll.reused") for stage in Tracker(context)._stages()].count("true") == 1


@pytest.mark.parametrize("what", ["recipe", "policy", "reuse"])
def test_other_inputs_are_trained_anew(run, build, capsys, what: str):
    """Another recipe or another policy is another adapter; so is a run that must not reuse."""
    run("a")
    changes = {
        "recipe": {"recipe": RECIPE.model_copy(update={"seed": 5})},
        "policy": {"policy": build.policy(version="2")},
        "reuse": {"reuse": False},
    }
    capsys.readouterr()
    run("b", **changes[what])
    assert "training on 4 rows" in capsys.readouterr().out


def test_rows_of_another_run_are_refused(run):
    """The rows must be the ones that this run is about."""
    with pytest.raises(IntegrityError, match="is not the training data 0ther of this run"):
        run("a", data_digest="sha256:0ther")


def test_changed_rows_are_refused(run, tmp_path: Path):
    """A row that was added after preparation is found."""
    with (tmp_path / "data" / "train.jsonl").open("a") as stream:
        stream.write("\n")
    with pytest.raises(IntegrityError, match="is not the training data"):
        run("a")


def test_a_forged_store_entry_is_refused(run, tmp_path: Path, build):
    """An entry whose files fit its index but not its manifest is not an adapter that was trained."""
    run("a")
    (entry,) = (tmp_path / "store" / "adapters").iterdir()
    store = Store(str(tmp_path / "store"))
    forged = tmp_path / "forged"
    build.adapter_files(forged)
    (forged / "manifest.json").write_bytes((entry / "manifest.json").read_bytes())
    store.put("adapters", entry.name, forged)
    with pytest.raises(IntegrityError, match="the stored adapter is not the one that its manifest describes"):
        run("b")


def test_training_and_reuse_are_audited(run, context: RunContext):
    """The log names everything that the adapter was made from, and tells training from reuse."""
    manifest = run("a")
    run("b")
    trained, reused = open_log(context.tracking.audit_log).entries()
    assert (trained.event, reused.event) == ("trained", "trained")
    assert trained.why == "2 steps on the accepted rows; the policy was fixed before."
    assert reused.why == "Taken from the store: everything that it is made from is equal."
    assert trained.facts == reused.facts
    assert trained.facts == {
        "adapter_digest": manifest.adapter_digest,
        "base_digest": manifest.base_digest,
        "data_digest": manifest.data_digest,
        "recipe_digest": manifest.recipe_digest,
        "policy_digest": manifest.policy_digest,
        "manifest_digest": manifest.digest,
        "base_model": manifest.base_name,
    }


def test_a_killed_training_goes_on_where_it_was(
    run, data: TrainingData, context: RunContext, tmp_path: Path, tiny_base: Path, build, bucket: str, capsys
):
    """Killed outright in the middle, with checkpoints in S3: the next attempt ends with the very same adapter."""
    recipe = RECIPE.model_copy(update={"max_steps": 100, "lora_dropout": 0.2})
    checkpoints = CheckpointConfig(every_minutes=0, store=f"{bucket}/{tmp_path.name}")
    script = f"""
from pathlib import Path
from components.finetune_lora.checkpoints import Checkpoints
from components.finetune_lora.step import finetune_lora
from components.shared import storage
from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.policy import Policy
from components.shared.config.sections import CheckpointConfig, Recipe
from components.shared.store import Store
from components.shared.config.run_context import RunContext
finetune_lora(
    Path({str(tmp_path / "data")!r}), {data.train_sha256!r}, BaseModelRef(path={str(tiny_base)!r}),
    EvaluationConfig(), Recipe.model_validate_json({recipe.model_dump_json()!r}),
    Policy.model_validate_json({build.policy().model_dump_json()!r}),
    Store({str(tmp_path / "store")!r}), True,
    CheckpointConfig.model_validate_json({checkpoints.model_dump_json()!r}),
    Path({str(tmp_path / "cut")!r}), RunContext({context.tracking!r}, {context.pipeline!r}, {context.pipeline_run!r}),
)
""".replace("TrackingConfig(", "__import__('components.shared.config.sections', fromlist=['x']).TrackingConfig(")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as attempt:
        assert attempt.stdout is not None
        reached = next((line for line in attempt.stdout if "kept checkpoint-4 " in line), None)
        attempt.kill()
    assert reached is not None
    assert not (tmp_path / "cut").exists()
    resumed = run("resumed", recipe, checkpoints=checkpoints.model_copy(update={"every_minutes": None}))
    said = capsys.readouterr().out
    assert "where an earlier attempt was interrupted" in said
    step = next(int(word.replace(",", "")) for word in said.partition("continuing after step ")[2].split(", "))
    assert 4 <= step < 100
    assert resumed == run("whole", recipe, reuse=False)
    assert storage.list_addresses(f"{checkpoints.store}/checkpoints") == []
    tags = [stage.data.tags.get("plimsoll.resumed_at_step") for stage in Tracker(context)._stages()]
    assert str(step) in tags
    whys = [entry.why for entry in open_log(context.tracking.audit_log).entries()]
    assert f"The last attempt continued after step {step}." in whys[0]


def test_a_run_that_reuses_nothing_uses_only_its_own_checkpoints(run, tmp_path: Path, context: RunContext, monkeypatch):
    """With reuse off, what another run left is not gone on from; a second attempt of the same run does."""
    seen: list[str] = []

    class Noted(Checkpoints):
        def __init__(self, store: Store, key: str, *arguments) -> None:
            seen.append(key)
            super().__init__(store, key, *arguments)

    monkeypatch.setattr("components.finetune_lora.step.Checkpoints", Noted)
    run("a", reuse=False)
    run("b", reuse=False)
    run("c", reuse=False, context=context._replace(pipeline_run="another"))
    run("d", RECIPE.model_copy(update={"seed": 5}))
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
