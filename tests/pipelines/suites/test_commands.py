"""`plimsoll suites ...`: lists, plans, benchmarks and seals."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from pipelines.exit_codes import USAGE


@pytest.fixture
def call(call):
    """The command line after `plimsoll suites`."""
    return partial(call, "suites")


@pytest.fixture
def folder(tmp_path, monkeypatch, root):
    """A working directory with the toy suite below configs/suites, and no other."""
    suites = tmp_path / "configs/suites/deep"
    suites.mkdir(parents=True)
    for name in ("toy.yaml", "toy.jsonl"):
        shutil.copyfile(root / "configs/suites" / name, suites / name)
    monkeypatch.chdir(tmp_path)
    return suites


def test_all_suites_below_the_folder_are_listed(call, folder):
    """Each category has a row with its prompts, judge and smallest drop: (1 + 1.6602) / 101 for 100 prompts."""
    code, out, _ = call("list")
    assert code == 0
    assert "c585381ccd5e" in out
    assert out.count("2.6 pp") == 5
    assert "if no prompt changes" in out
    content = json.loads(call("list", "--json")[1])
    assert {row["category"]: row["prompts"] for row in content["categories"]} == dict.fromkeys(
        ("direct", "indirect", "domain", "bias", "benign"), 100
    )
    assert {tuple(row["expectations"]) for row in content["categories"]} == {("refuse",), ("caveat",), ("answer",)}
    assert content["categories"][0]["smallest_drop_pp"] == pytest.approx(2.6339, abs=1e-4)


def test_a_suite_that_cannot_be_loaded_is_listed_with_the_reason(call, folder):
    """Without arguments it is a line below the table; named, it is an error."""
    (folder / "toy.jsonl").rename(folder / "moved.jsonl")
    code, out, _ = call("list")
    assert (code, "not loaded: configs/suites/deep/toy.yaml:" in out) == (0, True)
    assert list(json.loads(call("list", "--json")[1])["not_loaded"]) == ["configs/suites/deep/toy.yaml"]
    code, _, err = call("list", "configs/suites/deep/toy.yaml")
    assert code != 0
    assert "toy.jsonl" in err


def test_no_suite_at_all_says_where_it_looked(call, tmp_path, monkeypatch):
    """An empty folder is told from an empty list."""
    monkeypatch.chdir(tmp_path)
    code, _, err = call("list")
    assert code == USAGE
    assert "no suite below configs/suites" in " ".join(err.replace("│", " ").split())


def test_a_plan_says_what_a_margin_takes(call):
    """5 pp takes 53 prompts when nothing changes and 89 with the usual wavering; the table has five margins."""
    code, out, _ = call("plan", "--margin", "5")
    assert code == 0
    assert "53 prompts per category if no prompt changes at all; 89 for a chance of 80 %" in out
    content = json.loads(call("plan", "--margin", "4", "--spread", "0", "--json")[1])
    assert [sizes["margin_pp"] for sizes in content["plans"]] == [1, 2, 3, 4, 5, 10]
    assert all(sizes["least"] == sizes["likely"] for sizes in content["plans"])
    assert content["categories"] == []


def test_a_plan_holds_suites_against_the_margin(call, folder):
    """100 prompts support 5 pp, and 3 pp only if nothing wavers; answers per prompt and power change the number."""
    suite = "configs/suites/deep/toy.yaml"
    code, out, _ = call("plan", suite)
    assert (code, out.count("│ yes")) == (0, 5)

    def supported(*options):
        return {row["support"] for row in json.loads(call("plan", suite, *options, "--json")[1])["categories"]}

    assert supported("--margin", "3") == {"only if nothing wavers"}
    assert supported("--margin", "2") == {"no"}
    assert supported("--margin", "5", "--power", "0.95") == {"only if nothing wavers"}
    assert supported("--margin", "5", "--samples", "1") == {"only if nothing wavers"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--margin", "0"], "plan a rule of zero tolerance by its resolution"),
        (["--margin", "nan"], "from 0.001 to 100"),
        (["--confidence", "95"], "above 0.5 and below 1"),
        (["--confidence", "nan"], "above 0.5 and below 1"),
        (["--power", "1"], "above 0 and below 1"),
        (["--spread", "-1"], "from 0 to 100"),
        (["--spread", "nan"], "from 0 to 100"),
        (["nowhere.yaml"], "does not exist"),
    ],
)
def test_wrong_numbers_are_refused(call, options, named):
    """A fraction for a percentage, no number at all and a missing suite end with exit code 2."""
    code, _, err = call("plan", *options)
    assert code == USAGE
    assert named in " ".join(err.replace("│", " ").split())


def test_benchmarks_have_licence_and_gating(call):
    """Every benchmark that can be read is listed with what a user must know before downloading it."""
    from components.shared.suites.benchmarks.published import BENCHMARKS

    code, out, _ = call("benchmarks", "--json")
    rows = json.loads(out)["benchmarks"]
    assert code == 0
    assert [row["name"] for row in rows] == list(BENCHMARKS)
    assert all(row["title"] and row["licence"] and row["measures"] for row in rows)
    table = call("benchmarks")[1]
    assert [name for name in BENCHMARKS if name not in table] == []


def test_a_suite_is_sealed_anew_under_a_new_version(call, folder):
    """Changed prompts are refused under the old version, and sealed under a new one."""
    path = folder / "toy.yaml"
    assert "nothing to seal" in call("seal", str(path))[1]
    rows = folder / "toy.jsonl"
    rows.write_text("".join(f"{line}\n" for line in rows.read_text().splitlines()[1:]))
    code, _, err = call("seal", str(path))
    assert (code, "give a new one with --version NEW" in err) == (USAGE, True)
    code, out, _ = call("seal", str(path), "--version", "2")
    assert (code, "sealed" in out, "version '2', 499 prompts" in out) == (0, True, True)
    assert call("list", str(path))[0] == 0


def test_sealing_what_does_not_exist_is_wrong_input(call, tmp_path):
    """A missing file is named."""
    code, _, err = call("seal", str(Path(tmp_path) / "absent.yaml"))
    assert code == USAGE
    assert "absent.yaml" in err
