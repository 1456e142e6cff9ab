"""The adapter, where it comes from, and when it is reused."""

import json
from pathlib import Path

import pytest

from components.finetune_lora.step import finetune_lora
from components.shared.artifacts.training import AdapterManifest, DataSource, TrainingData
from components.shared.audit import open_log
from components.shared.config.base_model import BaseModelRef
from components.shared.config.policy import Policy
from components.shared.config.sections import Recipe
from components.shared.digests import digest_bytes
from components.shared.errors import IntegrityError
from components.shared.generation.adapters import adapter_digest
from components.shared.generation.base_models import base_digest
from components.shared.store import Store
from components.shared.tracking.runs import RunContext, Tracker

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
            "recipe": recipe,
            "policy": policy or build.policy(),
            "store": Store(str(tmp_path / "store")),
            "reuse": True,
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
        "base_model": manifest.base_name,
    }
