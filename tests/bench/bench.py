"""`make bench`: our engine against lm-evaluation-harness and inspect_ai, on one model, prompts and sampling.

Each run is a separate process. The peers' best settings are found first; then the engines take turns, so that a
noisy machine is noisy for all of them, and ratios are taken within a turn. Answers are compared word by word: who
draws fewer or others than the rest stops the benchmark.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from figures import World, chunks, ratios, read_world, spread, wasted_share
from processes import BENCH, OURS_PYTHON, PEERS_PYTHON, ROOT, Engine, Run, run
from rich.console import Console
from rich.table import Table

GREEDY = {"temperature": 0.0, "max_new_tokens": 256, "seed": 1}
SHIPPED = {"mode": "refill", "batch_tokens": 16_384, "samples": 1, "adapter": False, "prompts": None}
"""Our engine's defaults; they are not tuned."""

OURS = Engine("plimsoll", "run_ours.py", OURS_PYTHON, SHIPPED | GREEDY)
SORTED = Engine("sorted generate()", "run_ours.py", OURS_PYTHON, SHIPPED | GREEDY | {"mode": "generate"})
LM_EVAL = Engine("lm-evaluation-harness", "run_lm_eval.py", PEERS_PYTHON, GREEDY)
INSPECT = Engine("inspect_ai", "run_inspect_ai.py", PEERS_PYTHON, GREEDY)
BATCHES = {LM_EVAL.name: (8, 16, 32, 64, 128, 256, "auto"), INSPECT.name: (16, 32, 50, 100, 200, 400)}
"""Batch sizes tried, ascending; inspect_ai waits two seconds for a last batch that is not full: 50 and more are."""

_WORSE = 1.15
"""Larger batches are not tried once one is this much slower than the best."""

_SAMPLED_TOLERANCE = 0.25
"""Sampled answers differ from engine to engine: their total may, by about 7 % (one standard deviation)."""

console = Console(highlight=False)


def checked(engine: Engine, world: Path, facts: World) -> Run:
    """One run whose answers are what they should be.

    Raises:
        RuntimeError: greedy answers are not those of the model, or sampled ones are too few or too many.
    """
    done = run(engine, world)
    if engine.settings["temperature"] == 0:
        answers = [answer.strip() for answer in done.answers]
        wrong = sum(one != other for one, other in zip(answers, facts.answers, strict=True))
        if wrong:
            raise RuntimeError(f"{engine.name} ({engine.label}): {wrong} of {len(answers)} answers are not the model's")
    console.print(
        f"  {engine.name:<22} {engine.label:<28} {done.speed:>7,.0f} tokens/s   generating {done.generate_s:5.1f} s   "
        f"process {done.wall_s:5.1f} s   {done.peak_mb:5,.0f} MB"
    )
    return done


def best_setting(peer: Engine, world: Path, facts: World) -> tuple[Engine, list[dict]]:
    """The batch size and number of threads with which a peer generates fastest, and all that was tried."""
    tried: list[tuple[Run, Engine]] = []

    def attempt(engine: Engine) -> float:
        tried.append((checked(engine, world, facts), engine))
        return tried[-1][0].generate_s

    fastest = float("inf")
    for size in (batch for batch in BATCHES[peer.name] if batch != "auto"):
        seconds = attempt(peer.having(batch_size=size))
        if seconds > _WORSE * fastest:
            break
        fastest = min(fastest, seconds)
    if "auto" in BATCHES[peer.name]:
        attempt(peer.having(batch_size="auto"))
    best = min(tried, key=lambda run: run[0].generate_s)[1]
    attempt(best.having(threads=2))
    best = min(tried, key=lambda run: run[0].generate_s)[1]
    return best, [{"setting": engine.label, "tokens_per_s": done.speed} for done, engine in tried]


def take_turns(engines: Sequence[Engine], rounds: int, world: Path, facts: World) -> dict[str, list[Run]]:
    """A B C, A B C, ...: the runs of each engine, in the order of the rounds."""
    runs: dict[str, list[Run]] = {engine.name: [] for engine in engines}
    for number in range(rounds):
        console.print(f"[bold]Round {number + 1} of {rounds}[/bold]   {_load()}")
        for engine in engines:
            runs[engine.name].append(checked(engine, world, facts))
    totals = {name: sum(run.tokens for run in done) / rounds for name, done in runs.items()}
    ours = totals[OURS.name]
    if any(abs(total - ours) > _SAMPLED_TOLERANCE * ours for total in totals.values()):
        raise RuntimeError(f"the engines did not draw about equally many tokens: {totals}")
    return runs


def compared(runs: dict[str, list[Run]], engines: Sequence[Engine]) -> list[dict]:
    """Per engine its figures, and how many times longer it takes per token than ours."""
    ours = runs[OURS.name]
    rows = []
    for engine in engines:
        done = runs[engine.name]
        per_token = ratios(done, ours, lambda run: run.generate_s / run.tokens)
        row = {
            "engine": engine.name,
            "setting": engine.label,
            "tokens": spread([run.tokens for run in done]),
            "tokens_per_s": spread([run.speed for run in done]),
            "process_s": spread([run.wall_s for run in done]),
            "cpu_s": spread([run.cpu_s for run in done]),
            "peak_mb": spread([run.peak_mb for run in done]),
            "generating_ratio": per_token,
            "process_ratio": ratios(done, ours, lambda run: run.wall_s),
            "cpu_ratio": ratios(done, ours, lambda run: run.cpu_s),
        }
        if all(run.library_s for run in done):
            inside = [run.library_s / run.tokens for run in done]
            outside = [run.generate_s / run.tokens for run in ours]
            row["library_ratio"] = spread([one / other for one, other in zip(inside, outside, strict=True)])
        rows.append(row)
    return rows


def show(title: str, rows: list[dict]) -> None:
    """Prints a comparison."""
    table = Table(title=title, title_justify="left")
    for heading in ("engine", "best setting", "tokens/s", "generating", "process", "CPU time", "process s", "peak MB"):
        table.add_column(heading, justify="left" if heading in ("engine", "best setting") else "right")
    for row in rows:
        is_ours = row["engine"] == OURS.name
        times = [
            "1" if is_ours else f"{row[name].shown(2)} x" for name in ("generating_ratio", "process_ratio", "cpu_ratio")
        ]
        table.add_row(
            row["engine"],
            row["setting"],
            row["tokens_per_s"].shown(0),
            *times,
            row["process_s"].shown(1),
            f"{row['peak_mb'].high:,.0f}",
        )
    console.print(table)


def ours_alone(world: Path, facts: World) -> dict:
    """What only our engine is asked: more samples per prompt, an adapter carried along, judging."""
    console.print(f"[bold]Ours alone[/bold]   {_load()}")
    sampled = OURS.having(temperature=1.0, prompts=200)
    one, five = (checked(sampled.having(samples=samples), world, facts) for samples in (1, 5))
    plain, adapted = (checked(OURS.having(adapter=adapter), world, facts) for adapter in (False, True))
    judging = run(Engine("judging", "run_judging.py", OURS_PYTHON, {"count": 100_000}), world)
    judged = json.loads((world / "out.json").read_text())
    console.print(f"  judging 100,000 answers                              {judging.generate_s:.1f} s")
    gate = run(Engine("gate", "run_gate.py", OURS_PYTHON, {"pairs": 1_000_000}), world)
    console.print(
        f"  delta and gate on 1,000,000 verdict pairs            {gate.generate_s:.1f} s   {gate.peak_mb:,.0f} MB"
    )
    found = {
        "five_samples": {
            "prompts": 200,
            "one_s": one.generate_s,
            "five_s": five.generate_s,
            "tokens": [one.tokens, five.tokens],
            "ratio": five.generate_s / one.generate_s,
            "ratio_per_token": (five.generate_s / five.tokens) / (one.generate_s / one.tokens),
        },
        "adapter": {
            "plain_s": plain.generate_s,
            "adapter_s": adapted.generate_s,
            "merging_would_give": adapted.generate_s / plain.generate_s,
        },
        "judging": {**judged, "peak_mb": judging.peak_mb},
        "gate": json.loads((world / "out.json").read_text()),
    }
    console.print(
        f"  5 samples take {found['five_samples']['ratio']:.2f} times as long as 1; with an adapter "
        f"{found['adapter']['merging_would_give']:.2f} times as long as merged"
    )
    return found


def wasted(facts: World, lm_eval_rows: int, inspect_rows: int) -> dict[str, float]:
    """Share of decode steps that static batches spend on rows that have ended; ours spends none."""
    steps, order = facts.answer_steps, list(range(len(facts.answers)))
    return {
        f"{LM_EVAL.name}, longest prompt first, {lm_eval_rows} rows": wasted_share(
            steps, chunks(facts.longest_first, lm_eval_rows)
        ),
        f"{INSPECT.name}, in the order given, {inspect_rows} rows": wasted_share(steps, chunks(order, inspect_rows)),
        "longest prompt first, 64 rows": wasted_share(steps, chunks(facts.longest_first, 64)),
    }


def against_peers(rounds: int, world: Path, facts: World) -> dict:
    """The peers' best settings, then rounds of greedy answers and one of sampled ones."""
    result: dict = {"tried": {}}
    best = []
    for peer in (LM_EVAL, INSPECT):
        console.print(f"[bold]Best setting of {peer.name}[/bold]   {_load()}")
        engine, result["tried"][peer.name] = best_setting(peer, world, facts)
        best.append(engine)
    sizes = [64 if engine.settings["batch_size"] == "auto" else engine.settings["batch_size"] for engine in best]
    result["wasted_steps"] = wasted(facts, *sizes)
    engines = [OURS, SORTED, *best]
    result["greedy"] = compared(take_turns(engines, rounds, world, facts), engines)
    console.print("[bold]Sampled at temperature 1[/bold]")
    sampled = [engine.having(temperature=1.0) for engine in engines]
    result["sampled"] = compared(take_turns(sampled, 1, world, facts), sampled)
    show("Greedy answers, the same for all", result["greedy"])
    show("Sampled at temperature 1", result["sampled"])
    for name, share in result["wasted_steps"].items():
        console.print(f"decode steps on rows that have ended: {share:.0%} ({name})")
    return result


def versions(python: Path, names: Sequence[str]) -> dict[str, str]:
    """Installed versions, asked of an environment's Python."""
    code = (
        "import sys, json; from importlib.metadata import version as v; print(json.dumps([v(n) for n in sys.argv[1:]]))"
    )
    done = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True)
    return dict(zip(names, json.loads(done.stdout), strict=True))


def _load() -> str:
    return f"[dim]load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores[/dim]"


def main() -> None:
    """Measures, shows and writes."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rounds", type=int, default=3, help="turns that the engines take")
    asked.add_argument("--quick", action="store_true", help="our engine only")
    asked.add_argument("--out", type=Path, default=ROOT / ".plimsoll/bench/result.json", help="figures as JSON")
    options = asked.parse_args()
    result: dict = {"cores": os.cpu_count(), "ours": versions(OURS_PYTHON, ("torch", "transformers"))}
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        subprocess.run([OURS_PYTHON, BENCH / "world.py", world], check=True, capture_output=True)
        facts = read_world(world)
        if options.quick:
            runs = take_turns([OURS, SORTED], options.rounds, world, facts)
            result["greedy"] = compared(runs, [OURS, SORTED])
            show("Greedy answers, the same for both", result["greedy"])
        else:
            result["peers"] = versions(PEERS_PYTHON, ("lm-eval", "inspect-ai", "torch", "transformers"))
            result |= against_peers(options.rounds, world, facts)
        result["ours_alone"] = ours_alone(world, facts)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    console.print(f"Written to {options.out}")


if __name__ == "__main__":
    main()
