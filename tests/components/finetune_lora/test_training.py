"""Training on a real model of a few thousand parameters, for a few steps."""

import datetime
import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from components.finetune_lora.checkpoints import Checkpoints
from components.finetune_lora.training import Trained, train_adapter
from components.shared.artifacts.suite_prompt import Message
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import Recipe
from components.shared.errors import DataError, ModelError
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest
from components.shared.generation.chat_template import TemplateSettings
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.store import Store
from tests.conftest import MARKED_TEMPLATE, PLAIN_TEMPLATE

RECIPE = Recipe(lora_rank=2, lora_alpha=4, learning_rate=1e-2, batch_size=2, max_steps=3, max_length=64, seed=1)


def quiet(text: str) -> None:
    assert text


def rows(build) -> list:
    return [build.chat(f"What is {n} and {n}?{' Yes?' * n}", f"It is {2 * n}.", line=n) for n in range(1, 5)]


def train(base: Path, target: Path, build, recipe: Recipe = RECIPE, checkpoints: Checkpoints | None = None) -> Trained:
    return train_adapter(base, "toy-base", rows(build), 4, recipe, target, quiet, checkpoints)


def test_two_files_appear_and_are_an_adapter(tiny_base: Path, tmp_path: Path, build):
    """Safetensors and a config that names the base, not its directory; the engine loads it and it has an effect."""
    trained = train(tiny_base, tmp_path / "adapter", build)
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == sorted(ADAPTER_FILES)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["r"], config["lora_alpha"]) == ("toy-base", 2, 4)
    assert str(tiny_base) not in json.dumps(config)
    assert trained.steps == 3
    assert [step for step, _ in trained.loss_curve] == [1, 2, 3]
    assert trained.train_loss == pytest.approx(sum(loss for _, loss in trained.loss_curve) / 3, rel=1e-3)
    assert 0 < trained.trainable_parameters < 10_000
    assert TransformersEngine(tiny_base, tmp_path / "adapter").adapter_effect() > 0


def test_the_seed_decides_the_adapter(tiny_base: Path, tmp_path: Path, build):
    """The same seed gives the same bytes, another seed others."""
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(tiny_base, tmp_path / name, build, RECIPE.model_copy(update={"seed": seed, "max_steps": 1}))
        digests.append(adapter_digest(tmp_path / name))
    assert digests[0] == digests[1] != digests[2]


def test_training_learns(tiny_base: Path, tmp_path: Path, build):
    """The loss falls when the same rows are seen again and again."""
    recipe = RECIPE.model_copy(update={"max_steps": 20, "lr_scheduler": "constant", "batch_size": 4})
    curve = train(tiny_base, tmp_path, build, recipe).loss_curve
    assert curve[-1][1] < 0.8 * curve[0][1]


class SpiedTrainer:
    """Keeps the labels of the first batch that the loss sees."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from trl.trainer.sft_trainer import SFTTrainer

        self.seen: list[tuple[torch.Tensor, torch.Tensor]] = []
        original = SFTTrainer.compute_loss

        def compute_loss(trainer, model, inputs, *args, **kwargs):
            self.seen.append((inputs["input_ids"].clone(), inputs["labels"].clone()))
            return original(trainer, model, inputs, *args, **kwargs)

        monkeypatch.setattr(SFTTrainer, "compute_loss", compute_loss)


@pytest.mark.parametrize("marked", [True, False])
def test_the_loss_is_on_the_assistants_tokens_only(
    tiny_base: Path, unmarked_base: Path, tmp_path: Path, build, monkeypatch: pytest.MonkeyPatch, marked: bool
):
    """With and without generation markers in the template, what is learnt is the answer and its end."""
    spied = SpiedTrainer(monkeypatch)
    base = tiny_base if marked else unmarked_base
    train(base, tmp_path, build, RECIPE.model_copy(update={"max_steps": 1, "batch_size": 4}))
    tokenizer = AutoTokenizer.from_pretrained(base)
    (inputs, labels), *_ = spied.seen
    learnt = {tokenizer.decode(row[kept != -100]) for row, kept in zip(inputs, labels, strict=True)}
    assert {text.removesuffix("<|end|>") for text in learnt} == {"It is 2.", "It is 4.", "It is 6.", "It is 8."}
    assert all(text.endswith("<|end|>") for text in learnt)


@pytest.mark.parametrize("marked", [True, False])
def test_the_context_is_the_one_that_is_asked(
    copy_of_base, tmp_path: Path, build, monkeypatch: pytest.MonkeyPatch, marked: bool
):
    """Rows are trained with the evaluation's system prompt, template arguments and date, as they will be asked."""
    opening = "{{ style }}{{ strftime_now('%Y-%m-%d') }}"
    base = copy_of_base(opening + (MARKED_TEMPLATE if marked else PLAIN_TEMPLATE))
    evaluation = EvaluationConfig(
        template_arguments={"style": "I can"}, date=datetime.date(2030, 3, 4), system_prompt="The cat sat."
    )
    spied = SpiedTrainer(monkeypatch)
    recipe = RECIPE.model_copy(update={"max_steps": 1, "batch_size": 1})
    train_adapter(base, "toy-base", rows(build)[:1], 1, recipe, tmp_path / "a", quiet, None, evaluation)
    engine = TransformersEngine(base, settings=TemplateSettings.of(evaluation))
    asked = [Message(role="system", content="The cat sat."), *rows(build)[0].messages[:-1]]
    (inputs, labels), *_ = spied.seen
    prompt = inputs[0][labels[0] == -100].tolist()
    assert prompt == engine._loaded.encode(asked)


def test_system_turns_are_folded_or_refused(copy_of_base, tmp_path: Path, build, monkeypatch: pytest.MonkeyPatch):
    """Where the template takes no system turn, its text is trained before the first user turn, or training refuses."""
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    base = copy_of_base(refusing + MARKED_TEMPLATE)
    recipe = RECIPE.model_copy(update={"max_steps": 1, "batch_size": 1})
    chats, spied = rows(build)[:1], SpiedTrainer(monkeypatch)
    refusal = "takes no system turns: set system_turns: fold"
    prompted = EvaluationConfig(system_prompt="The cat sat.")
    with pytest.raises(ModelError, match=refusal):
        train_adapter(base, "toy-base", chats, 1, recipe, tmp_path / "a", quiet, None, prompted, "fold")
    folding = prompted.model_copy(update={"system_turns": "fold"})
    own = [chats[0]._replace(messages=(Message(role="system", content="The cat sat."), *chats[0].messages))]
    with pytest.raises(ModelError, match=refusal):
        train_adapter(base, "toy-base", own, 1, recipe, tmp_path / "a", quiet, None, folding)
    train_adapter(base, "toy-base", own, 1, recipe, tmp_path / "b", quiet, None, prompted, "fold")
    train_adapter(base, "toy-base", chats, 1, recipe, tmp_path / "a", quiet, None, folding)
    assert adapter_digest(tmp_path / "a") == adapter_digest(tmp_path / "b")
    text = AutoTokenizer.from_pretrained(base).decode(spied.seen[0][0][0])
    assert text.startswith("<|user|>The cat sat.\n\nWhat is 1 and 1?")


def test_epochs_are_counted_in_steps(tiny_base: Path, tmp_path: Path, build):
    """4 rows in batches of 2, twice: 4 steps."""
    recipe = RECIPE.model_copy(update={"max_steps": None, "epochs": 2.0})
    assert train(tiny_base, tmp_path, build, recipe).steps == 4


def test_named_modules_are_trained_alone(tiny_base: Path, tmp_path: Path, build):
    """Target modules of the recipe reach peft."""
    recipe = RECIPE.model_copy(update={"target_modules": ("q_proj",), "max_steps": 1})
    train(tiny_base, tmp_path, build, recipe)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["target_modules"] == ["q_proj"]


def test_a_row_that_is_too_long_is_refused(tiny_base: Path, tmp_path: Path, build):
    """Rows are never cut: the row is named with its length, and nothing is written."""
    recipe = RECIPE.model_copy(update={"max_length": 10})
    with pytest.raises(
        DataError, match=r"training row 1 has \d+ tokens, over recipe\.max_length 10; it begins 'What is 1"
    ):
        train(tiny_base, tmp_path / "adapter", build, recipe)
    assert not (tmp_path / "adapter").exists()


def test_training_that_diverges_is_refused(tiny_base: Path, tmp_path: Path, build):
    """An absurd learning rate ends in an error that names it, and nothing is written."""
    recipe = RECIPE.model_copy(update={"learning_rate": 1e30, "max_steps": 4, "lr_scheduler": "constant"})
    with pytest.raises(ModelError, match=r"training diverged: .*; lower recipe\.learning_rate \(1e\+30\)"):
        train(tiny_base, tmp_path / "adapter", build, recipe)
    assert not (tmp_path / "adapter").exists()


def test_a_base_without_chat_template_is_refused(copy_of_base, tmp_path: Path, build):
    """There is nothing to tell the assistant's tokens by."""
    with pytest.raises(ModelError, match="its tokenizer has no chat template"):
        train(copy_of_base(None), tmp_path, build)


def test_an_unknown_module_is_refused(tiny_base: Path, tmp_path: Path, build):
    """Target modules that the base does not have are named."""
    with pytest.raises(
        ModelError, match=r"recipe\.target_modules: 'no_proj' is no module .*expected names among .*q_proj"
    ):
        train(tiny_base, tmp_path / "adapter", build, RECIPE.model_copy(update={"target_modules": ("no_proj",)}))


def test_a_missing_pad_token_is_replaced(tiny_base: Path, tmp_path: Path, build):
    """A tokenizer without a pad token pads with its end token, in training and in answering."""
    base = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    settings = json.loads((base / "tokenizer_config.json").read_text())
    settings.pop("pad_token")
    (base / "tokenizer_config.json").write_text(json.dumps(settings))
    train(base, tmp_path / "adapter", build, RECIPE.model_copy(update={"max_steps": 1}))
    assert TransformersEngine(base, tmp_path / "adapter").adapter_effect() > 0


class CutOffError(Exception):
    """Stands for a pod that goes away."""


@pytest.fixture
def kept(tmp_path: Path):
    """Checkpoints after every step, in a store on disk; as a new attempt finds them each time it is called."""
    said: list[str] = []

    def make(every_minutes: float | None = 0) -> Checkpoints:
        return Checkpoints(Store(str(tmp_path / "store")), "sha256:key", every_minutes, said.append)

    make.said = said
    return make


def cut_off_at(checkpoints: Checkpoints, step: int) -> Checkpoints:
    """The same checkpoints, and the process ends right after that of this step."""
    keep = checkpoints.keep

    def kept_and_cut(folder: Path) -> None:
        keep(folder)
        if folder.name == f"checkpoint-{step}":
            raise CutOffError

    checkpoints.keep = kept_and_cut
    return checkpoints


LONGER = {"max_steps": None, "epochs": 4.0, "lora_dropout": 0.3, "warmup_steps": 2}


@pytest.mark.parametrize(
    ("step", "changes"),
    [(1, LONGER), (3, LONGER), (4, LONGER), (3, {"max_steps": 5, "gradient_accumulation": 2, "lora_dropout": 0.3})],
)
def test_a_training_that_was_cut_off_ends_as_if_it_had_not(
    tiny_base: Path, tmp_path: Path, build, kept, step: int, changes: dict
):
    """In an epoch's middle and at its end, with dropout and warm-up: the same adapter to the byte, and one curve."""
    recipe = RECIPE.model_copy(update=changes)
    whole = train(tiny_base, tmp_path / "whole", build, recipe)
    with pytest.raises(CutOffError):
        train(tiny_base, tmp_path / "cut", build, recipe, cut_off_at(kept(), step))
    assert not (tmp_path / "cut").exists()
    resumed = train(tiny_base, tmp_path / "resumed", build, recipe, kept())
    assert adapter_digest(tmp_path / "resumed") == adapter_digest(tmp_path / "whole")
    assert (resumed.resumed_at, whole.resumed_at) == (step, 0)
    assert resumed._replace(resumed_at=0) == whole


def test_checkpoints_do_not_change_the_adapter(tiny_base: Path, tmp_path: Path, build, kept):
    """With one after every step or with none, the bytes are the same; the last step leaves none."""
    train(tiny_base, tmp_path / "without", build)
    train(tiny_base, tmp_path / "with", build, RECIPE, kept())
    assert adapter_digest(tmp_path / "with") == adapter_digest(tmp_path / "without")
    assert [line.partition(" in ")[0] for line in kept.said] == ["kept checkpoint-1", "kept checkpoint-2"]


def test_the_mean_loss_counts_every_step(tiny_base: Path, tmp_path: Path, build):
    """Points that stand for several steps weigh as many, and the last steps are in it."""
    recipe = RECIPE.model_copy(update={"max_steps": 205})  # a point every second step, and one after the last
    trained = train(tiny_base, tmp_path, build, recipe)
    assert trained.loss_curve[-1][0] == 205
    weights = [2] * 102 + [1]
    losses = [loss for _, loss in trained.loss_curve]
    mean = sum(weight * loss for weight, loss in zip(weights, losses, strict=True)) / 205
    assert trained.train_loss == pytest.approx(mean, rel=1e-12)


def test_a_diverged_training_leaves_no_checkpoint(tiny_base: Path, tmp_path: Path, build, kept):
    """The next attempt would only go on with what is broken."""
    recipe = RECIPE.model_copy(update={"learning_rate": 1e30, "max_steps": 4, "lr_scheduler": "constant"})
    with pytest.raises(ModelError, match="training diverged"):
        train(tiny_base, tmp_path / "adapter", build, recipe, kept())
    assert kept().restore(tmp_path / "found") is None
