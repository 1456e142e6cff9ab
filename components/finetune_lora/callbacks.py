"""Callbacks of the trainer: progress, loss and checkpoints."""

from pathlib import Path
from typing import Any

from components.finetune_lora.checkpoints import Checkpoints
from components.shared.progress import Progress, Say


def progress_callback(say: Say, steps: int) -> Any:
    """A TrainerCallback that reports progress, and logs the loss after the last step too.

    Args:
        say: receives progress messages.
        steps: number of training steps.
    """
    from transformers import TrainerCallback

    class _Report(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self._progress = Progress(say, "steps", steps, done=state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            self._progress.advance(1, f"loss {float(losses[-1]):.3f}" if losses else "")
            control.should_log = control.should_log or state.global_step >= state.max_steps

    return _Report()


def checkpoint_callback(checkpoints: Checkpoints) -> Any:
    """A TrainerCallback that makes and keeps a checkpoint when one is due.

    The loss is logged with it, or the curve of the next attempt would lack the steps before.
    """
    from transformers import TrainerCallback

    class _Keep(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step < state.max_steps and checkpoints.due():
                control.should_save = control.should_log = True

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            checkpoints.keep(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return _Keep()
