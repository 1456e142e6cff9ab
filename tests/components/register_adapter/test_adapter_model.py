"""The model that MLflow serves, which imports nothing of Plimsoll."""

import ast
import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import components.register_adapter
from components.shared.artifacts.suite_prompt import Message
from components.shared.generation.base_models import base_digest
from components.shared.generation.chat_template import TemplateSettings
from components.shared.generation.engine import Request, Sampling
from components.shared.generation.thinking import split_thought
from components.shared.generation.transformers_engine import TransformersEngine

CHANNEL_PARTS = ["<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|start|>assistant", "text ", "<"]
MODEL_FILE = Path(components.register_adapter.__file__).with_name("adapter_model.py")


@pytest.fixture(scope="module")
def served() -> ModuleType:
    return importlib.import_module("components.register_adapter.adapter_model")


def context(base: Path, adapter: Path, **changes: object) -> SimpleNamespace:
    config = {
        "base_path": str(base),
        "base_hub_id": None,
        "base_revision": None,
        "base_digest": base_digest(base),
        "system_prompt": None,
        **TemplateSettings().served(),
    }
    return SimpleNamespace(model_config={**config, **changes}, artifacts={"adapter": str(adapter)})


def load(served: ModuleType, where: SimpleNamespace):
    model = served.AdapterModel()
    model.load_context(where)
    return model


def test_it_imports_nothing_of_plimsoll():
    """The file is logged alone and must run where Plimsoll is not installed."""
    tree = ast.parse(MODEL_FILE.read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in modules if name.split(".")[0] in ("components", "pipelines")]


def test_its_digest_is_plimsolls(served: ModuleType, tiny_base: Path, tmp_path: Path):
    """The copied digest function agrees with the original, for any files of a model."""
    assert served._digest(tiny_base) == base_digest(tiny_base)
    for name in ("config.json", "a.safetensors", "x.safetensors.index.json", "pytorch_model-1.bin", "tokenizer.json"):
        (tmp_path / name).write_text(f"h\u00e9 {name}")
        assert served._digest(tmp_path) == base_digest(tmp_path)


@pytest.mark.parametrize("system_prompt", [None, "The cat sat."])
def test_it_answers_as_the_evaluated_adapter(
    served: ModuleType, tiny_base: Path, tiny_adapter: Path, system_prompt: str | None
):
    """Greedy answers are the engine's, with the system prompt that was evaluated; text, list and column are taken."""
    model = load(served, context(tiny_base, tiny_adapter, system_prompt=system_prompt))
    opening = [Message(role="system", content=system_prompt)] if system_prompt else []
    texts = ["How do I do this?", "Tell me."]
    engine = TransformersEngine(tiny_base, tiny_adapter)
    sampling = Sampling(8, 0.0, 1.0, 0, 64)
    requests = [Request((*opening, Message(role="user", content=text)), 1, text) for text in texts]
    expected = [completions[0].text for completions in engine.generate(requests, sampling, lambda _: None)]

    params = {"max_new_tokens": 8, "temperature": 0.0}
    assert model.predict(None, texts, params) == expected
    assert model.predict(None, pd.DataFrame({"prompt": texts}), params) == expected
    assert model.predict(None, texts[0], params) == expected[:1]


def test_it_samples_within_the_context(served: ModuleType, tiny_base: Path, tiny_adapter: Path):
    """A limit beyond the model's context is cut down rather than failing; a temperature draws."""
    model = load(served, context(tiny_base, tiny_adapter))
    (answer,) = model.predict(None, "Tell me.", {"max_new_tokens": 10_000, "temperature": 1.0})
    assert isinstance(answer, str)


def test_another_base_is_refused(served: ModuleType, tiny_base: Path, tiny_adapter: Path):
    """A base with other weights than the adapter was trained on is not served."""
    with pytest.raises(RuntimeError, match=r"has digest .*, the adapter was trained on sha256:0ther"):
        load(served, context(tiny_base, tiny_adapter, base_digest="sha256:0ther"))


def test_the_base_can_be_placed_elsewhere(
    served: ModuleType, tiny_base: Path, tiny_adapter: Path, monkeypatch: pytest.MonkeyPatch
):
    """PLIMSOLL_BASE_MODEL names a directory on the serving machine; without it a missing directory is an error."""
    where = context(tiny_base, tiny_adapter, base_path="/no/such/model")
    monkeypatch.delenv("PLIMSOLL_BASE_MODEL", raising=False)
    with pytest.raises(RuntimeError, match=r"'/no/such/model' does not exist; set PLIMSOLL_BASE_MODEL"):
        load(served, where)
    monkeypatch.setenv("PLIMSOLL_BASE_MODEL", str(tiny_base))
    assert load(served, where).predict(None, "Tell me.", {"max_new_tokens": 2})


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "[/THINK]", "a", " b\n"]), max_size=8), st.booleans()
)
def test_its_final_text_is_plimsolls(parts: list[str], opened: bool):
    """The copied splitting agrees with the original, for any order of marks."""
    written = "".join(parts)
    served = importlib.import_module("components.register_adapter.adapter_model")
    assert served._outside_thoughts(written, opened) == split_thought(written, opened).final


@given(st.lists(st.sampled_from(CHANNEL_PARTS), max_size=8))
def test_its_final_channel_is_plimsolls(parts: list[str]):
    """The copied reading of the harmony format agrees with the original."""
    written = "".join(parts)
    served = importlib.import_module("components.register_adapter.adapter_model")
    assert served._final_message(written) == split_thought(written, opened=False, channels=True).final
