"""Runs one engine once, in a separate process, and measures it from outside: wall time, CPU time, peak memory."""

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parents[1]
OURS_PYTHON = ROOT / ".venv/bin/python"
PEERS_PYTHON = ROOT / ".venv-bench/bin/python"
_LOG_TAIL = 2000


@dataclass(frozen=True)
class Engine:
    """What to run, and with which settings."""

    name: str
    script: str
    python: Path
    settings: dict = field(default_factory=dict)
    threads: int = 1

    def having(self, threads: int | None = None, **settings) -> "Engine":
        """The same engine with other settings."""
        return Engine(self.name, self.script, self.python, self.settings | settings, threads or self.threads)

    @property
    def label(self) -> str:
        """Its settings in a few words, for progress and reports."""
        size = self.settings.get("batch_size", self.settings.get("batch_tokens"))
        kind = "batch" if "batch_size" in self.settings else "batch tokens"
        return f"{kind} {size}, {self.threads} thread{'s' * (self.threads > 1)}"


class Run(NamedTuple):
    """One process.

    Attributes:
        wall_s: from start to end, with imports, loading, generating, judging and writing.
        cpu_s: user and system time of all its threads.
        peak_mb: largest resident set.
        generate_s: from the first prompt to the last answer.
        library_s: the part of that inside the peer's batches; ours has no such part.
        answers: in the order of the prompts.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    generate_s: float
    library_s: float
    answers: list[str]

    @property
    def tokens(self) -> int:
        """Generated tokens without the end token: every token of the benchmark's model is a word."""
        return sum(len(answer.split()) for answer in self.answers)

    @property
    def speed(self) -> float:
        """Generated tokens per second of generating."""
        return self.tokens / self.generate_s


def run(engine: Engine, world: Path) -> Run:
    """Runs an engine on the benchmark's prompts.

    Args:
        engine: what to run.
        world: made by `world.py`.

    Raises:
        RuntimeError: the process failed; the end of its log is in the message.
    """
    out = world / "out.json"
    out.unlink(missing_ok=True)
    facts = measured([engine.python, BENCH / engine.script, world, json.dumps(engine.settings), out], world, engine)
    result = json.loads(out.read_text())
    return Run(*facts, result["generate_s"], result.get("library_s", 0.0), result["answers"])


def measured(command: list, world: Path, engine: Engine) -> tuple[float, float, float]:
    """Wall and CPU time in seconds and peak memory in MB of one process.

    Raises:
        RuntimeError: it failed.
    """
    log = world / "log.txt"
    began = time.perf_counter()
    with log.open("w") as lines:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=world,
            env=_environment(world, engine.threads),
            stdout=lines,
            stderr=lines,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log.read_text(errors="replace")[-_LOG_TAIL:]
        raise RuntimeError(f"{engine.name} ({engine.label}) ended with status {process.returncode}:\n{tail}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _environment(world: Path, threads: int) -> dict[str, str]:
    """Equal for all: fixed threads, nothing fetched, caches in the scratch folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "INSPECT_", "PYTHON"))}
    return kept | {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(world / "cache"),
        "XDG_CACHE_HOME": str(world / "cache"),
        "XDG_DATA_HOME": str(world / "cache"),
    }
