"""Peak memory of preparing many rows, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GIB = 1 << 30
SELECT = """
import json, resource, sys
from pathlib import Path
from components.shared.config.sections import DataConfig
from components.shared.data.selection import select_rows
from components.shared.data.training_files import read_training_files
from components.shared.digests import write_lines

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

before = peak()
data = DataConfig(train=sys.argv[1], heldout_rows=100, rare_intent_rows=100)
files = read_training_files(data, [])
selected = select_rows(files, data)
write_lines(selected.train.dump(), Path(sys.argv[2]))
print(json.dumps([len(selected.train), peak() - before]))
"""
PREPARE = """
import json, resource, sys
from pathlib import Path
from components.prepare_data.step import prepare_data
from components.shared.config.run_context import RunContext
from components.shared.config.sections import DataConfig, TrackingConfig

folder = Path(sys.argv[2]).parent
tracking = TrackingConfig(uri=f"sqlite:///{folder / 'mlflow.db'}", audit_log=str(folder / "audit.jsonl"))
data = DataConfig(train=sys.argv[1], heldout_rows=100, rare_intent_rows=100)
result = prepare_data(data, [], folder / "data", folder / "prompts", RunContext(tracking, "toy", "run-1"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([result.train_rows, peak]))
"""


def measure(script: str, rows: int, folder: Path) -> list[int]:
    """The rows to train on, and bytes of memory, for a file whose rows have 900 bytes."""
    source = folder / "rows.jsonl"
    with source.open("w") as stream:
        for number in range(rows):
            turns = [{"role": "user", "content": f"Question {number} " + "about my parcel " * 20}]
            turns += [{"role": "assistant", "content": f"Answer {number} " + "is on its way " * 30}]
            stream.write(json.dumps({"messages": turns, "intent": f"intent {number % 97}"}) + "\n")
    command = [sys.executable, "-c", script, str(source), str(folder / "train.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: list[int] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_a_tenth_of_a_million_rows_needs_a_tenth_of_a_gibibyte(tmp_path: Path):
    """Reading, choosing and writing 100,000 rows (90 MB) takes less than 1 GiB / 10."""
    rows, grown = measure(SELECT, 100_000, tmp_path)
    assert rows == 99_800
    assert grown < GIB / 10


@pytest.mark.long
def test_a_million_rows_need_less_than_a_gibibyte(tmp_path: Path):
    """The whole step on 1,000,000 rows (0.9 GB), with MLflow loaded, peaks below 1 GiB."""
    rows, peak = measure(PREPARE, 1_000_000, tmp_path)
    assert rows == 999_800
    assert peak < GIB
