"""The list of benchmarks, and the suite files that use it."""

from pathlib import Path
from typing import get_args

import pytest

from components.shared.config.reading import read_yaml, validate
from components.shared.errors import ConfigError
from components.shared.suites.benchmarks.benchmark_section import Format
from components.shared.suites.benchmarks.published import BENCHMARKS
from components.shared.suites.suite_files import SuiteFile, load_suite

CONFIGS = Path(__file__).parents[5] / "configs" / "suites" / "benchmarks"


def test_every_benchmark_can_be_named_and_says_what_it_is():
    """The formats of a suite file are the registry's, and no entry has a blank."""
    assert list(BENCHMARKS) == list(get_args(Format))
    for name, benchmark in BENCHMARKS.items():
        assert benchmark.name == name
        assert all((benchmark.title, benchmark.licence, benchmark.gating, benchmark.citation, benchmark.measures))
        assert name == "custom" or benchmark.columns


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_benchmark_has_a_suite_file_that_explains_itself(name: str, tmp_path: Path, monkeypatch):
    """It says what it is and names a command, it is valid, and a user without the file learns where to get it."""
    path = CONFIGS / f"{name}.yaml"
    header = [line for line in path.read_text().splitlines() if line.startswith("# ")]
    assert len(header) >= 3
    assert f"plimsoll suites list configs/suites/benchmarks/{name}.yaml" in header[-1 if name != "custom" else 4]
    file = validate(read_yaml(str(path)), SuiteFile, str(path))
    assert file.benchmark is not None
    assert (file.name, file.benchmark.format) == (name, name)
    assert file.benchmark.source.startswith(f"benchmarks/{name}/")
    copy = tmp_path / "s.yaml"
    copy.write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"benchmark.source: .*nothing is bundled: g(et|ive) "):
        load_suite(str(copy))


def test_no_suite_file_is_left_over():
    """Each file in the folder belongs to a benchmark."""
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == set(BENCHMARKS)
