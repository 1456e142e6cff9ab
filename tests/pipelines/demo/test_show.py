"""The demo's two runs, with a stand-in for `plimsoll run`."""

import pytest

from pipelines.demo.show import run_demo
from pipelines.exit_codes import FAILURE

STAND_IN = """
import pathlib, sys, time
careless = "careless" in sys.argv[2]
known = pathlib.Path("baseline-known")
if careless:
    time.sleep(0.2)
    known.touch()
print("[evaluate_safety_baseline] pass rates" if known.exists() else "[evaluate_safety_baseline] too early", flush=True)
print("the table of", sys.argv[2:], flush=True)
sys.exit({careless} if careless else {careful})
"""


@pytest.mark.parametrize(("careless", "careful", "expected"), [(10, 0, 0), (0, 0, FAILURE), (10, 1, FAILURE)])
def test_the_demo_succeeds_if_both_runs_end_as_expected(tmp_path, monkeypatch, capfd, careless, careful, expected):
    """Careless rejected and careful promoted is success; the second run starts once the first has its baseline."""
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/__init__.py").touch()
    (tmp_path / "pipelines/__main__.py").write_text(
        STAND_IN.replace("{careless}", str(careless)).replace("{careful}", str(careful))
    )
    monkeypatch.chdir(tmp_path)
    assert run_demo(seed=3, fresh=True) == expected
    out, err = capfd.readouterr()
    shown = [line for line in out.splitlines() if "[evaluate" in line]
    assert shown == [f"{act:8} [evaluate_safety_baseline] pass rates" for act in ("careless", "careful")]
    assert out.index("the table of ['configs/pipelines/demo-careless.yaml', '--set', 'recipe.seed=3', '--fresh']") > 0
    assert ("was expected to end as" in err) == (expected == FAILURE)
