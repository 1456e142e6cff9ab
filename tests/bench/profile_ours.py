"""Where the time of our decode loop goes, as CPU time of its one thread: by part, and per step by number of rows.

Run as `OMP_NUM_THREADS=1 python tests/bench/profile_ours.py WORLD [SAMPLES]`, with a folder that `world.py` has
filled. Its figures are in docs/performance.md.
"""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

from rich.console import Console

_CONTEXT = 120
"""Columns of the live window in the measurement per step: about what the benchmark's rows attend to."""


class Parts:
    """CPU seconds and calls by part; a part inside another is taken off the outer one."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._inner = [0.0]

    def watch(self, owner: object, name: str, part: str | None = None) -> None:
        function, part = getattr(owner, name), part or name

        def watched(*args, **kwargs):
            self._inner.append(0.0)
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.thread_time() - began
                self.seconds[part] += spent - self._inner.pop()
                self.calls[part] += 1
                self._inner[-1] += spent

        setattr(owner, name, watched)


def by_part(world: Path, samples: int) -> tuple[Parts, float]:
    """Draws all answers with a clock in every part of the loop."""
    from transformers import LlamaForCausalLM
    from transformers.models.llama import modeling_llama

    from components.shared.artifacts.suite_prompt import Message
    from components.shared.generation import loaded_model, refill
    from components.shared.generation.engine import Request, Sampling
    from components.shared.generation.transformers_engine import TransformersEngine

    parts = Parts()
    parts.watch(loaded_model.LoadedModel, "encode", "tokenizing")
    parts.watch(loaded_model.LoadedModel, "completion", "decoding text")
    parts.watch(refill, "_take_in", "prompts: the rest")
    parts.watch(refill, "_step", "steps: the rest")
    parts.watch(refill, "_choose", "choosing tokens")
    parts.watch(refill, "_append", "choosing tokens")
    parts.watch(refill._Table, "take_in", "copying prompts into rows")
    parts.watch(refill._Table, "drop", "dropping rows")
    parts.watch(refill._Table, "make_room", "moving to the front")
    parts.watch(refill._Layer, "update", "writing keys and values")
    parts.watch(refill, "_uniforms", "random numbers")
    forward = LlamaForCausalLM.forward
    stages = SimpleNamespace(prompts=forward, steps=forward)
    parts.watch(stages, "prompts", "model: prompts")
    parts.watch(stages, "steps", "model: steps")
    attention = modeling_llama.ALL_ATTENTION_FUNCTIONS["sdpa"]
    held = SimpleNamespace(attention=attention)
    parts.watch(held, "attention", "model: attention")
    modeling_llama.ALL_ATTENTION_FUNCTIONS["sdpa"] = held.attention

    def staged(self, *args, **kwargs):
        stage = stages.steps if kwargs["input_ids"].shape[1] == 1 else stages.prompts
        return stage(self, *args, **kwargs)

    LlamaForCausalLM.forward = staged
    engine = TransformersEngine(world / "model", mode="refill")
    rows = [json.loads(line) for line in (world / "prompts.jsonl").read_text().splitlines()]
    requests = [Request((Message(role="user", content=row["prompt"]),), samples, row["id"]) for row in rows]
    sampling = Sampling(256, 1.0 if samples > 1 else 0.0, 1.0, 1, 16_384)
    began = time.thread_time()
    engine.generate(requests, sampling, lambda _: None)
    spent = time.thread_time() - began
    LlamaForCausalLM.forward = forward
    modeling_llama.ALL_ATTENTION_FUNCTIONS["sdpa"] = attention
    return parts, spent


def per_step(world: Path) -> dict[int, float]:
    """CPU milliseconds of one decode step of the library's model, by rows."""
    import torch
    from transformers import AutoModelForCausalLM, DynamicCache

    model = AutoModelForCausalLM.from_pretrained(world / "model").eval()
    found = {}
    with torch.inference_mode():
        for rows in (1, 8, 16, 35, 70, 140):
            cache = DynamicCache(config=model.config)
            model(input_ids=torch.ones((rows, _CONTEXT), dtype=torch.long), past_key_values=cache, use_cache=True)
            token = torch.ones((rows, 1), dtype=torch.long)
            times = []
            for _ in range(30):
                began = time.thread_time()
                model(input_ids=token, past_key_values=cache, use_cache=True)
                times.append(time.thread_time() - began)
            found[rows] = 1000 * sorted(times)[len(times) // 2]
    return found


def linear_layers(world: Path, rows: int) -> float:
    """CPU milliseconds of nothing but the matrix products of one step: the bound of any loop around them."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(world / "model").eval()
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    inputs = [torch.randn(rows, layer.in_features) for layer in layers]
    times = []
    with torch.inference_mode():
        for _ in range(50):
            began = time.thread_time()
            for layer, given in zip(layers, inputs, strict=True):
                torch.nn.functional.linear(given, layer.weight)
            times.append(time.thread_time() - began)
    return 1000 * sorted(times)[len(times) // 2]


def main(world: Path, samples: int) -> None:
    """Prints both."""
    console = Console(highlight=False)
    parts, spent = by_part(world, samples)
    console.print(f"generating, {samples} sample(s) per prompt: {spent:.2f} s of CPU time")
    rest = spent - sum(parts.seconds.values())
    for part, seconds in sorted([*parts.seconds.items(), ("the loop itself", rest)], key=lambda part: -part[1]):
        console.print(f"  {seconds:6.2f} s  {seconds / spent:5.1%}  {parts.calls[part]:>7,} calls  {part}")
    for rows, milliseconds in per_step(world).items():
        products = linear_layers(world, rows)
        console.print(
            f"  one step of {rows:>3} rows: {milliseconds:5.2f} ms, of which matrix products {products:5.2f} ms"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
