"""Trains a LoRA adapter with trl's SFTTrainer and peft, with the loss on the assistant's tokens only."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

from components.finetune_lora.callbacks import checkpoint_callback, progress_callback
from components.finetune_lora.checkpoints import Checkpoints
from components.finetune_lora.rows import write_training_set
from components.finetune_lora.targets import find_targets
from components.shared.artifacts.training_data import LearntTokens
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import Recipe
from components.shared.data.chats import Chat
from components.shared.errors import ModelError
from components.shared.generation.adapters import ADAPTER_FILES
from components.shared.generation.chat_template import ChatTemplate, TemplateSettings
from components.shared.generation.model_loading import end_tokens, load_tokenizer, load_weights
from components.shared.generation.training_tokens import ChatTokenizer
from components.shared.progress import Say

_LOG_POINTS = 100
"""About this many points of the loss curve are kept."""


class Trained(NamedTuple):
    """The result of a training."""

    steps: int
    train_loss: float
    trainable_parameters: int
    loss_curve: tuple[tuple[int, float], ...]
    """Steps, and the mean loss since the previous point."""
    resumed_at: int
    """Steps of the checkpoint that this attempt continued from; 0 if it started anew."""
    learnt: LearntTokens


def train_adapter(
    base: Path,
    base_name: str,
    chats: Iterable[Chat],
    count: int,
    recipe: Recipe,
    target: Path,
    say: Say,
    checkpoints: Checkpoints | None = None,
    evaluation: EvaluationConfig | None = None,
    system_turns: Literal["refuse", "fold"] = "refuse",
) -> Trained:
    """Trains, and writes adapter_model.safetensors and adapter_config.json to `target`.

    A training that continues from a checkpoint gives the same adapter as one without interruption: byte for byte on a
    CPU, and on a GPU as far as its kernels are deterministic.

    Args:
        base: directory of the base model.
        base_name: written to adapter_config.json instead of the local directory.
        chats: training rows.
        count: how many there are.
        recipe: hyper-parameters.
        target: receives the two files; nothing if training fails.
        say: receives progress messages.
        checkpoints: checkpoints of an earlier attempt and of this one; None keeps none.
        evaluation: how the model is asked; None: as by default.
        system_turns: what happens to system turns of rows that the template takes not.

    Raises:
        DataError: a row is longer than recipe.max_length, or cannot be learnt as it is.
        ModelError: the base has no chat template, or it cannot do what the settings ask; or training diverged.
        StorageError: the checkpoints cannot be read.
    """
    import torch
    from peft import LoraConfig
    from transformers import set_seed

    set_seed(recipe.seed)
    cuda = torch.cuda.is_available()
    dtype = ("bfloat16" if cuda else "float32") if recipe.dtype == "auto" else recipe.dtype
    tokenizer = load_tokenizer(base)
    evaluation = evaluation or EvaluationConfig()
    asked = TemplateSettings.of(evaluation)
    of_rows = ChatTemplate(tokenizer, asked._replace(system_turns=system_turns))
    learning = ChatTokenizer(tokenizer, of_rows, end_tokens(base, tokenizer))
    with TemporaryDirectory() as scratch:
        rows_file = Path(scratch) / "rows.arrow"
        rows = write_training_set(
            chats,
            count,
            learning,
            ChatTemplate(tokenizer, asked),
            evaluation.system_prompt,
            recipe.max_length,
            rows_file,
            say,
        )
        say(_sentence(rows.learnt, count))
        steps = recipe.max_steps or math.ceil(
            math.ceil(rows.learnt.rows / recipe.batch_size / recipe.gradient_accumulation) * recipe.epochs
        )
        model = load_weights(base, dtype, tokenizer)
        targets = find_targets(model, recipe.target_modules)
        say(targets.sentence)
        lora = LoraConfig(
            r=recipe.lora_rank,
            lora_alpha=recipe.lora_alpha,
            lora_dropout=recipe.lora_dropout,
            target_modules=targets.modules,
            task_type="CAUSAL_LM",
        )
        callbacks = [
            progress_callback(say, steps),
            *([checkpoint_callback(checkpoints)] if checkpoints is not None else []),
        ]
        arguments = _arguments(recipe, steps, scratch, cuda, dtype)
        trainer = _trainer(base_name, model, tokenizer, lora, rows.dataset, arguments, callbacks)
        resumed_at = _train(trainer, checkpoints, Path(scratch) / "resume", say)
        curve = _loss_curve(trainer.state.log_history)
        loss = _mean_loss(curve)
        tuned: Any = trainer.model
        trained = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
        if not (math.isfinite(loss) and all(bool(p.isfinite().all()) for p in trained)):
            if checkpoints is not None:
                checkpoints.drop()
            raise ModelError(
                f"training diverged: the mean loss is {loss}; lower recipe.learning_rate ({recipe.learning_rate:g})"
            )
        tuned.save_pretrained(scratch, safe_serialization=True)
        _publish(Path(scratch), target, base_name)
    trainable = sum(parameter.numel() for parameter in trained)
    return Trained(trainer.state.global_step, loss, trainable, curve, resumed_at, rows.learnt)


def _arguments(recipe: Recipe, steps: int, scratch: str, cuda: bool, dtype: str) -> Any:
    from trl.trainer.sft_config import SFTConfig

    return SFTConfig(
        output_dir=scratch,
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.lr_scheduler,
        warmup_steps=recipe.warmup_steps,
        weight_decay=recipe.weight_decay,
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1,
        max_length=None,  # nothing is cut
        dataset_kwargs={"skip_prepare_dataset": True},  # tokens and labels are there
        packing=False,
        bf16=dtype == "bfloat16",
        use_cpu=not cuda,
        gradient_checkpointing=recipe.gradient_checkpointing,
        seed=recipe.seed,
        data_seed=recipe.seed,
        logging_steps=max(1, steps // _LOG_POINTS),
        save_strategy="no",  # the callback decides when
        report_to="none",
        logging_nan_inf_filter=False,  # otherwise a loss of NaN counts as 0 and hides divergence
        disable_tqdm=True,
    )


def _trainer(
    base_name: str, model: Any, tokenizer: Any, lora: Any, rows: Any, arguments: Any, callbacks: Sequence[Any]
) -> Any:
    from trl.trainer.sft_trainer import SFTTrainer

    try:
        return SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            processing_class=tokenizer,
            peft_config=lora,
            callbacks=list(callbacks),
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"base model {base_name}: training cannot be set up: {error}") from error


def _sentence(learnt: LearntTokens, chats: int) -> str:
    """Says what is learnt, for the log."""
    rows = f"{learnt.rows:,} rows" if learnt.rows == chats else f"{learnt.rows:,} rows of {chats:,} chats"
    thinking = f"; {learnt.thinking}" if learnt.thinking else ""
    return (
        f"{100 * learnt.share:.1f} % of {learnt.tokens:,} tokens are learnt: {learnt.answers:,} answers with their end "
        f"tokens, in {rows}, the longest of {learnt.longest:,} tokens{thinking}"
    )


def _train(trainer: Any, checkpoints: Checkpoints | None, folder: Path, say: Say) -> int:
    """Trains to the end, from the newest checkpoint if there is one; returns the steps of that checkpoint."""
    resumed = checkpoints.restore(folder) if checkpoints is not None else None
    if resumed is None:
        trainer.train()
        return 0
    steps = int(resumed.name.partition("-")[2])
    say(f"continuing after step {steps:,}, where an earlier attempt was interrupted")
    trainer.train(resume_from_checkpoint=str(resumed))
    return steps


def _loss_curve(history: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, float], ...]:
    return tuple((int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry)


def _mean_loss(curve: Sequence[tuple[int, float]]) -> float:
    """Mean over all steps, earlier attempts included; each point is weighted by the steps since the previous one."""
    steps = [0, *(step for step, _ in curve)]
    return math.fsum(loss * (step - before) for before, (step, loss) in zip(steps, curve, strict=False)) / steps[-1]


def _publish(scratch: Path, target: Path, base_name: str) -> None:
    """Copies the adapter's two files to `target`, with the base model's name in place of its local directory."""
    config_name, weights_name = ADAPTER_FILES
    config = json.loads((scratch / config_name).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name
    config["target_modules"] = sorted(config["target_modules"])  # peft writes a set
    target.mkdir(parents=True, exist_ok=True)
    (target / config_name).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (target / weights_name).write_bytes((scratch / weights_name).read_bytes())
