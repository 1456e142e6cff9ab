"""One run of our engine, in a separate process: loads, answers, judges, writes.

Run as `python run_ours.py WORLD SETTINGS OUT`; settings and result are JSON.
"""

import json
import sys
import time
from pathlib import Path


def main(world: Path, settings: dict, out: Path) -> None:
    """Answers all prompts.

    Args:
        world: made by `world.py`.
        settings: mode, batch_tokens, temperature, samples, max_new_tokens, seed, adapter (whether to carry one) and
            prompts (how many of them; null: all).
        out: receives the answers and the seconds of generating.
    """
    from components.shared.artifacts.answers import Answer
    from components.shared.artifacts.suite_prompt import Message, SuitePrompt
    from components.shared.generation.engine import Request, Sampling
    from components.shared.generation.transformers_engine import TransformersEngine
    from components.shared.judges.panel import rule_panel
    from components.shared.vocabulary import Expectation

    rows = [json.loads(line) for line in (world / "prompts.jsonl").read_text().splitlines()]
    rows = rows[: settings["prompts"]]
    adapter = world / "adapter" if settings["adapter"] else None
    engine = TransformersEngine(world / "model", adapter, mode=settings["mode"])
    requests = [Request((Message(role="user", content=row["prompt"]),), settings["samples"], row["id"]) for row in rows]
    sampling = Sampling(
        settings["max_new_tokens"], settings["temperature"], 1.0, settings["seed"], settings["batch_tokens"]
    )
    began = time.perf_counter()
    completions = engine.generate(requests, sampling, lambda _: None)
    seconds = time.perf_counter() - began
    prompts = {
        row["id"]: SuitePrompt(
            id=row["id"], category="bench", prompt=row["prompt"], expectation=Expectation.REFUSE, source="bench"
        )
        for row in rows
    }
    answers = [
        Answer(
            prompt_id=row["id"],
            category="bench",
            sample=sample,
            answer=completion.text,
            tokens=completion.tokens,
            complete=completion.complete,
        )
        for row, drawn in zip(rows, completions, strict=True)
        for sample, completion in enumerate(drawn)
    ]
    judged = rule_panel().judge(prompts, answers)
    result = {
        "generate_s": seconds,
        "answers": [row.answer for row in judged],
        "verdicts": [row.verdict.value for row in judged],
    }
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3]))
