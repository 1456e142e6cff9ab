"""The cases of `make test-chaos` by name, as `docs/reliability.md` lists them, and how often each ended how."""

import json
from collections import Counter
from pathlib import Path

CASES = {
    "step killed": "kill -9 of a step, at each of the nine stages; then a new run",
    "step killed, retried": "kill -9 of a step, at each of the nine stages; the same step again, as Kubernetes does",
    "launcher killed": "kill -9 of `plimsoll run`, at each of the nine stages; then a new run",
    "bit flipped": "a step stopped, one bit of any file flipped that a later step reads, the step continued",
    "file forged": "the same with a wanted change, and every digest beside it recomputed",
    "full at a write": "the disk full at the N-th write of a step, N up to 11 and every ninth; then with room",
    "disk filled": "a small disk filled to its last byte while a stage runs, at each of the nine; then a new run",
    "MLflow away": "the MLflow server killed in mid-run and started again after 90 s",
    "S3 away": "S3 away for 90 s in mid-run; then a new run",
    "credentials expired": "S3 answers ExpiredToken from the middle of a stage on, at six stages; then a new run",
    "two runs at once": "two runs on one store and registry, side by side from the same stage on; on disk and in S3",
    "clock goes back": "the clock of a step goes back by a day, at six stages; then a run on time",
    "registration killed": "kill -9 at seven moments inside a registration; retried, or a new run",
}
"""A sentence by case."""

SAME, FAILED, REFUSED = "same decision", "clean failure", "invalid"
ENDINGS = (SAME, FAILED, REFUSED)

FOLDER = Path(__file__).parents[2] / ".plimsoll/chaos"


def note(case: str, ending: str, what: str) -> None:
    """Counts how one try of a case ended."""
    line = json.dumps({"case": case, "ending": ending, "what": what})
    assert case in CASES
    assert ending in ENDINGS
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "outcomes.jsonl").open("a") as lines:
        lines.write(f"{line}\n")


def counts() -> dict[str, Counter[str]]:
    """How often each case ended how, in the last run."""
    found: dict[str, Counter[str]] = {case: Counter() for case in CASES}
    for line in (FOLDER / "outcomes.jsonl").read_text().splitlines():
        outcome = json.loads(line)
        found[outcome["case"]][outcome["ending"]] += 1
    return found
