"""One run of inspect_ai, in a separate process: a task of one solver, with a clock around its generation.

Run as `python run_inspect_ai.py WORLD SETTINGS OUT` with the peers' Python; settings and result are JSON. It does not
know our engine.
"""

import json
import sys
import tempfile
import time
from pathlib import Path


def main(world: Path, settings: dict, out: Path) -> None:
    """Answers all prompts.

    Args:
        world: made by `world.py`.
        settings: batch_size (max_connections), temperature, max_new_tokens and seed.
        out: receives the answers, the seconds of generating, and those inside the library's `generate`.
    """
    from inspect_ai import Task, eval  # noqa: A004 - its name
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model
    from inspect_ai.model._providers import hf
    from inspect_ai.scorer import exact
    from inspect_ai.solver import generate

    clock = _Clock()
    hf.HuggingFaceAPI.generate = clock.asking(hf.HuggingFaceAPI.generate)
    hf._generate_batch = clock.batch(hf._generate_batch)
    rows = [json.loads(line) for line in (world / "prompts.jsonl").read_text().splitlines()]
    sampled = settings["temperature"] > 0
    with tempfile.TemporaryDirectory() as folder:
        model = get_model("hf/ragged", model_path=str(world / "model"), device="cpu", do_sample=sampled)
        samples = [Sample(row["prompt"], target=row["answer"], id=row["id"]) for row in rows]
        (log,) = eval(
            Task(dataset=samples, solver=generate(), scorer=exact()),
            model=model,
            max_connections=settings["batch_size"],
            max_tokens=settings["max_new_tokens"],
            temperature=float(settings["temperature"]) if sampled else None,
            seed=settings["seed"],
            display="none",
            log_dir=folder,
        )
        if log.status != "success":
            raise SystemExit(f"inspect_ai: {log.status}: {log.error}")
        # Read from the log, while it is there.
        answers = {sample.id: sample.output.completion for sample in log.samples}
    result = {
        "generate_s": clock.last - clock.first,
        "library_s": clock.inside,
        "answers": [answers[row["id"]] for row in rows],
    }
    out.write_text(json.dumps(result))


class _Clock:
    """From the first question to the last answer, and inside its batches."""

    def __init__(self) -> None:
        self.first, self.last, self.inside = float("inf"), 0.0, 0.0

    def asking(self, method):
        async def measured(*args, **kwargs):
            self.first = min(self.first, time.perf_counter())
            try:
                return await method(*args, **kwargs)
            finally:
                self.last = time.perf_counter()

        return measured

    def batch(self, function):
        def measured(*args, **kwargs):
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.inside += time.perf_counter() - began

        return measured


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3]))
