"""What happens beside each training step: progress is said, the loss is noted, a checkpoint is kept when one is due.

Imports transformers when called. It does not know what is trained.
"""

from pathlib import Path
from typing import Any

from components.finetune_lora.checkpoints import Checkpoints
from components.shared.progress import Progress, Say


def progress_callback(say: Say, steps: int) -> Any:
    """A TrainerCallback that says how far training is, and notes the loss after the last step too.

    Args:
        say: where progress goes.
        steps: how many there will be.
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
    """A TrainerCallback that has a checkpoint made when one is due, and keeps it.

    The loss is noted with it: what was not noted by then would be lost to the next attempt's curve.
    """
    from transformers import TrainerCallback

    class _Keep(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step < state.max_steps and checkpoints.due():
                control.should_save = control.should_log = True

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            checkpoints.keep(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return _Keep()
