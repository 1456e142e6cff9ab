"""What identifies a judge's model, and what happens when memory runs out."""

import pytest
import torch

from components.shared.config.base_model import BaseModelRef
from components.shared.errors import ModelError
from components.shared.judges.models.weights import in_halves, locate_model, model_identity, placement


def test_a_hub_model_is_identified_without_a_download():
    """Its id and revision are enough."""
    assert model_identity("toxicity", BaseModelRef(hub_id="org/m", revision="abc")) == "org/m@abc"


def test_a_hub_model_that_cannot_be_had_is_named(monkeypatch, tmp_path):
    """Offline and not in the cache is one error that names judge and model."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="judge 'toxicity': model org/none@abc cannot be downloaded"):
        locate_model("toxicity", BaseModelRef(hub_id="org/none", revision="abc"))


def test_any_of_the_files_counts(classifier, tmp_path):
    """Weights, config and tokenizer each change the identity."""
    import shutil

    found = {model_identity("x", BaseModelRef(path=str(classifier)))}
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        shutil.copytree(classifier, tmp_path / name)
        with (tmp_path / name / name).open("ab") as stream:
            stream.write(b" ")
        found.add(model_identity("x", BaseModelRef(path=str(tmp_path / name))))
    assert len(found) == 4


@pytest.mark.parametrize("dtype", ["auto", "float32", "bfloat16"])
def test_the_dtype_fits_the_device(dtype):
    """auto is bfloat16 on a GPU and float32 on a CPU; what is asked for is taken."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    auto = "bfloat16" if device == "cuda" else "float32"
    assert placement(dtype) == (device, auto if dtype == "auto" else dtype)


def test_a_batch_that_does_not_fit_is_halved(capsys):
    """Results keep their order, each item is computed once, and a person is warned."""
    computed: list[int] = []

    def run(batch):
        if len(batch) > 3:
            raise torch.OutOfMemoryError
        computed.extend(batch)
        return [item * 10 for item in batch]

    assert in_halves("guard", range(11), run) == [item * 10 for item in range(11)]
    assert computed == list(range(11))
    assert "11 texts do not fit in the GPU's memory; trying again with half as many" in capsys.readouterr().err


def test_one_text_that_does_not_fit_is_an_error():
    """There is nothing left to halve."""

    def run(batch):
        raise torch.OutOfMemoryError

    with pytest.raises(ModelError, match="one text does not fit in the GPU's memory; lower its max_length"):
        in_halves("guard", [1, 2], run)
