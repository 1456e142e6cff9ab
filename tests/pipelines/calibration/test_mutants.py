"""Mutants: their update is exactly the weighted sum, and their manifest says what they are made of."""

import json
import shutil

import pytest

from components.shared.artifacts.training_data import AdapterManifest
from components.shared.errors import ConfigError, IntegrityError
from components.shared.generation.adapters import adapter_digest
from pipelines.calibration.mutants import Dose, make_mutant, read_adapter


def _updates(directory):
    """The full update of every module: s B A."""
    from safetensors.torch import load_file

    adapter = read_adapter(directory)
    weights = load_file(directory / "adapter_model.safetensors")
    return {
        name.removesuffix("lora_A.weight"): adapter.scale * weights[name.replace("lora_A", "lora_B")] @ down
        for name, down in weights.items()
        if name.endswith("lora_A.weight")
    }


@pytest.mark.parametrize(("bad", "good"), [(0.25, 0.75), (1.0, 0.0), (0.0, 1.0), (0.01, 0.0), (0.5, 2.0)])
def test_the_update_is_the_weighted_sum(bad_adapter, good_adapter, tmp_path, bad, good):
    """Every module's update equals w1 s1 B1 A1 + w2 s2 B2 A2, up to float rounding."""
    doses = [Dose("bad", read_adapter(bad_adapter), bad), Dose("good", read_adapter(good_adapter), good)]
    make_mutant(doses, "sha256:da7a", "sha256:01", tmp_path)
    first, second, made = _updates(bad_adapter), _updates(good_adapter), _updates(tmp_path)
    assert made.keys() == first.keys()
    for name, update in made.items():
        assert update.allclose(bad * first[name] + good * second[name], atol=1e-6)


def test_peft_applies_the_sum(tiny_base, bad_adapter, good_adapter, tmp_path):
    """A model with the mutant has the logits of the base with both updates added to its weights."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    doses = [Dose("bad", read_adapter(bad_adapter), 0.5), Dose("good", read_adapter(good_adapter), 0.5)]
    make_mutant(doses, "sha256:da7a", "sha256:01", tmp_path)
    tokens = torch.tensor([[5, 6, 7, 8]])
    plain = AutoModelForCausalLM.from_pretrained(tiny_base)
    with torch.no_grad():
        for source in (bad_adapter, good_adapter):
            for name, update in _updates(source).items():
                plain.get_submodule(name.removeprefix("base_model.model.").rstrip(".")).weight.add_(0.5 * update)
        expected = plain(input_ids=tokens).logits
        tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_base), str(tmp_path))
        assert tuned(input_ids=tokens).logits.allclose(expected, atol=1e-4)


def test_the_manifest_names_base_data_policy_and_sources(bad_adapter, good_adapter, tmp_path):
    """Digest of its own files, base as trained, data and policy as checked with, sources and weights by name."""
    bad, good = read_adapter(bad_adapter), read_adapter(good_adapter)
    make_mutant([Dose("bad", bad, 0.25), Dose("good", good, 0.75)], "sha256:da7a", "sha256:01", tmp_path)
    manifest = AdapterManifest.load(tmp_path / "manifest.json")
    assert manifest.adapter_digest == adapter_digest(tmp_path)
    assert manifest.adapter_digest not in (bad.manifest.adapter_digest, good.manifest.adapter_digest)
    assert manifest.base_digest == bad.manifest.base_digest
    assert (manifest.data_digest, manifest.policy_digest) == ("sha256:da7a", "sha256:01")
    assert manifest.inputs == {
        "bad_adapter": bad.manifest.adapter_digest,
        "bad_data": "sha256:da7a1",
        "bad_weight": "0.25",
        "good_adapter": good.manifest.adapter_digest,
        "good_data": "sha256:da7a2",
        "good_weight": "0.75",
    }


def test_a_module_that_one_adapter_lacks_counts_as_unchanged(bad_adapter, good_adapter, tmp_path):
    """Where only one adapter has an update, the sum is that one's share."""
    from safetensors.torch import load_file, save_file

    less = tmp_path / "less"
    shutil.copytree(good_adapter, less)
    weights = load_file(less / "adapter_model.safetensors")
    gone = sorted(weights)[0].partition(".lora_")[0]
    save_file({n: w for n, w in weights.items() if not n.startswith(gone)}, less / "adapter_model.safetensors")
    manifest = AdapterManifest.load(less / "manifest.json").model_copy(update={"adapter_digest": adapter_digest(less)})
    manifest.save(less / "manifest.json")
    doses = [Dose("bad", read_adapter(bad_adapter), 0.5), Dose("good", read_adapter(less), 0.5)]
    make_mutant(doses, "sha256:da7a", "sha256:01", tmp_path / "sum")
    name = f"{gone}."
    assert _updates(tmp_path / "sum")[name].allclose(0.5 * _updates(bad_adapter)[name], atol=1e-6)


def test_all_weights_zero_is_no_mutant(bad_adapter, tmp_path):
    """An adapter that is nothing is refused: the gate would call it invalid."""
    with pytest.raises(ConfigError, match="every weight of the mutant is 0"):
        make_mutant([Dose("bad", read_adapter(bad_adapter), 0.0)], "sha256:da7a", "sha256:01", tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"use_dora": True}, ConfigError, "not a plain LoRA"),
        ({"rank_pattern": {"q_proj": 4}}, ConfigError, "not a plain LoRA"),
        ({"peft_type": "IA3"}, ConfigError, "not a plain LoRA"),
        ({"lora_alpha": 5}, IntegrityError, "not the one that its manifest describes"),
    ],
)
def test_what_cannot_be_added_exactly_is_refused(bad_adapter, tmp_path, change, error, message):
    """DoRA, per-module ranks, other methods and changed files end in an error that names the directory."""
    odd = tmp_path / "odd"
    shutil.copytree(bad_adapter, odd)
    config = json.loads((odd / "adapter_config.json").read_text()) | change
    (odd / "adapter_config.json").write_text(json.dumps(config))
    if error is ConfigError:
        sealed = AdapterManifest.load(odd / "manifest.json").model_copy(update={"adapter_digest": adapter_digest(odd)})
        sealed.save(odd / "manifest.json")
    with pytest.raises(error, match=message) as raised:
        read_adapter(odd)
    assert str(odd) in str(raised.value)


def test_a_folder_without_an_adapter_is_named(tmp_path):
    """The error says which file is missing, and what was expected."""
    with pytest.raises(ConfigError, match=r"holds no adapter_config.json; expected .* finetune_lora"):
        read_adapter(tmp_path)
