"""Trains a LoRA adapter with trl's SFTTrainer and peft. Loss on the assistant's tokens only.

Imports torch, trl and peft when called. It does not know digests, policies or MLflow.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from components.shared.chats import Chat
from components.shared.config.sections import Recipe
from components.shared.errors import DataError, ModelError
from components.shared.generation.adapters import ADAPTER_FILES
from components.shared.progress import Progress, Say

if TYPE_CHECKING:
    from datasets import Dataset

_LOG_POINTS = 100
"""About this many points of the loss curve are kept."""


class Trained(NamedTuple):
    """What training says about itself."""

    steps: int
    train_loss: float
    trainable_parameters: int
    loss_curve: tuple[tuple[int, float], ...]
    """Step and mean loss since the point before."""


def train_adapter(base: Path, base_name: str, chats: Sequence[Chat], recipe: Recipe, target: Path, say: Say) -> Trained:
    """Trains, and writes adapter_model.safetensors and adapter_config.json to `target`.

    Args:
        base: directory of the base model.
        base_name: written to adapter_config.json instead of the directory, which is local to this machine.
        chats: training rows.
        recipe: hyper-parameters.
        target: receives the two files, and nothing when training fails.
        say: where progress goes.

    Raises:
        DataError: a row is longer than recipe.max_length.
        ModelError: the base has no chat template, or training diverged.
    """
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    set_seed(recipe.seed)
    cuda = torch.cuda.is_available()
    dtype = ("bfloat16" if cuda else "float32") if recipe.dtype == "auto" else recipe.dtype
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    if tokenizer.chat_template is None:
        raise ModelError(f"base model {base_name}: its tokenizer has no chat template; Plimsoll tunes chat models")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    _check_lengths(tokenizer, chats, recipe.max_length)
    masked = _can_mask_assistant(tokenizer)
    dataset = _dataset(chats, masked)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, dtype))
    targets = list(recipe.target_modules)
    lora = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear" if targets == ["all-linear"] else targets,
        task_type="CAUSAL_LM",
    )
    steps = recipe.max_steps or math.ceil(
        math.ceil(len(chats) / recipe.batch_size / recipe.gradient_accumulation) * recipe.epochs
    )
    with TemporaryDirectory() as scratch:
        settings = SFTConfig(
            output_dir=scratch,
            per_device_train_batch_size=recipe.batch_size,
            gradient_accumulation_steps=recipe.gradient_accumulation,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type=recipe.lr_scheduler,
            warmup_steps=recipe.warmup_steps,
            weight_decay=recipe.weight_decay,
            num_train_epochs=recipe.epochs,
            max_steps=recipe.max_steps or -1,
            max_length=recipe.max_length,
            assistant_only_loss=masked,
            completion_only_loss=not masked,
            packing=False,
            bf16=dtype == "bfloat16",
            use_cpu=not cuda,
            gradient_checkpointing=recipe.gradient_checkpointing,
            seed=recipe.seed,
            data_seed=recipe.seed,
            logging_steps=max(1, steps // _LOG_POINTS),
            save_strategy="no",
            report_to="none",
            logging_nan_inf_filter=False,  # else a loss of NaN counts as 0, and divergence as success
            disable_tqdm=True,
        )
        try:
            trainer = SFTTrainer(
                model=model,
                args=settings,
                train_dataset=dataset,
                processing_class=tokenizer,
                peft_config=lora,
                callbacks=[_progress_callback(say, steps)],
            )
        except (RuntimeError, ValueError) as error:  # such as a template that marks no token, or an unknown module
            raise ModelError(f"base model {base_name}: training cannot be set up: {error}") from error
        _check_labels(trainer)
        outcome = trainer.train()
        tuned: Any = trainer.model
        trained = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
        if not (math.isfinite(outcome.training_loss) and all(bool(p.isfinite().all()) for p in trained)):
            raise ModelError(
                f"training diverged: the mean loss is {outcome.training_loss}; lower recipe.learning_rate "
                f"({recipe.learning_rate:g})"
            )
        tuned.save_pretrained(scratch, safe_serialization=True)
        _publish(Path(scratch), target, base_name)
    trainable = sum(parameter.numel() for parameter in trained)
    curve = tuple((int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry)
    return Trained(outcome.global_step, float(outcome.training_loss), trainable, curve)


def _can_mask_assistant(tokenizer: Any) -> bool:
    """Whether the chat template marks the assistant's tokens, or trl knows one that does."""
    from trl.chat_template_utils import get_training_chat_template

    try:
        get_training_chat_template(tokenizer)
    except ValueError:
        return False
    return True


def _dataset(chats: Sequence[Chat], masked: bool) -> "Dataset":
    """Rows as trl reads them.

    Whole chats where every assistant turn can be masked in; otherwise, as the portable fallback, the turns before
    the last answer as prompt and the last answer as completion.
    """
    from datasets import Dataset

    turns = [[message.model_dump() for message in chat.messages] for chat in chats]
    if masked:
        return Dataset.from_list([{"messages": row} for row in turns])
    return Dataset.from_list([{"prompt": row[:-1], "completion": row[-1:]} for row in turns])


def _check_lengths(tokenizer: Any, chats: Sequence[Chat], limit: int) -> None:
    for number, chat in enumerate(chats, start=1):
        messages = [message.model_dump() for message in chat.messages]
        tokens = len(tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True)["input_ids"])
        if tokens > limit:
            raise DataError(
                f"training row {number} has {tokens} tokens, over recipe.max_length {limit}; it begins "
                f"{chat.user_texts[0][:60]!r}: raise max_length, or shorten or remove the row"
            )


def _check_labels(trainer: Any) -> None:
    """Makes sure that the loss sees the assistant's tokens and nothing else is all there is."""
    rows = [trainer.train_dataset[index] for index in range(min(4, len(trainer.train_dataset)))]
    batch = trainer.data_collator(rows)
    learnt = float((batch["labels"] != -100).sum() / batch["attention_mask"].sum())
    if not 0 < learnt < 1:
        raise ModelError(
            f"{100 * learnt:.0f} % of the tokens of the first rows are trained on; expected the assistant's tokens "
            "only: the chat template's {% generation %} markers do not work"
        )


def _progress_callback(say: Say, steps: int) -> Any:
    from transformers import TrainerCallback

    progress = Progress(say, "steps", steps)

    class _Report(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            progress.advance(1, f"loss {float(losses[-1]):.3f}" if losses else "")

    return _Report()


def _publish(scratch: Path, target: Path, base_name: str) -> None:
    """Moves the adapter's two files to `target`, with the base named instead of its local directory."""
    config_name, weights_name = ADAPTER_FILES
    config = json.loads((scratch / config_name).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name
    target.mkdir(parents=True, exist_ok=True)
    (target / config_name).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (target / weights_name).write_bytes((scratch / weights_name).read_bytes())
