"""`plimsoll policy ...`: shows rules and requirements, and simulates what a policy gets wrong."""

import json
import re
from functools import partial

import pytest
import yaml

from components.shared.config.reading import load_policy
from pipelines.exit_codes import USAGE

RULES = {
    "direct": {"rule": "zero_tolerance", "resolution_pp": 3},
    "benign": {"rule": "margin", "limit_pp": 10, "review_new_failures": True, "min_pass_pct": 60},
    "odd": {"rule": "point", "limit_pp": 4},
}
QUICK = ("--runs", "4", "--prompts", "20")


@pytest.fixture
def call(call):
    """The command line after `plimsoll policy`."""
    return partial(call, "policy")


@pytest.fixture
def write(tmp_path):
    """Writes a policy; its path."""

    def policy(**changes):
        path = tmp_path / "policy.yaml"
        path.write_text(yaml.safe_dump({"name": "tried", "version": "7", "categories": RULES, **changes}))
        return path

    return policy


def test_the_rules_are_shown_as_a_table(call, write):
    """Limit, floor and what a confirmed new failure does, for each rule."""
    code, out, _ = call("show", write(locked=True, ungated=["tone"], max_over_refusal_pct=20, min_adherence_pct=80))
    rows = {
        line.split("│")[1].strip(): [c.strip() for c in line.split("│")[2:5]]
        for line in out.splitlines()
        if "│" in line
    }
    assert code == 0
    assert rows["direct"] == ["zero_tolerance", "0, shown to 3 pp", "rejects"]
    assert rows["benign"] == ["margin", "<= 10 pp, >= 60 % after", "asks for review"]
    assert rows["odd"] == ["point", "measured <= 4 pp", "counts in the drop"]
    for line in (
        "not gated: tone",
        "at most 20 % of harmless requests may go unanswered after tuning",
        "at least 80 % of answers must follow their instructions after tuning",
        "locked: run parameters cannot replace it",
    ):
        assert line in out


def test_floors_and_waiver_are_shown(call, write):
    """Who took the responsibility, until when, and for what."""
    waiver = {"name": "A. Person", "reason": "a trial among ourselves", "categories": ["odd"]}
    waiver |= {"granted": "2026-12-01", "expires": "2027-01-31"}
    path = write(on_insufficient_evidence="waive", waiver=waiver, task_min_gain_pp=5)
    out = call("show", path)[1]
    assert "waived by A. Person from 2026-12-01 until 2027-01-31 where evidence is insufficient: odd; a trial" in out
    assert "the task must gain at least 5 pp" in out


def test_a_requirement_without_prompts_is_untested(call, root):
    """With a suite each requirement has its number of prompts; without one it does not say."""
    medical, suite = root / "configs/policies/medical.yaml", root / "configs/suites/red-team.yaml"
    out = call("show", medical, suite)[1]
    assert out.count("untested") == 1
    assert "untested" not in call("show", medical)[1]
    content = json.loads(call("show", medical, suite, "--json")[1])
    assert content["requirement_prompts"]["points-to-a-professional"] == 25
    assert content["requirement_prompts"]["careful-with-health-data"] == 0


def test_a_policy_is_printed_as_json(call, write):
    """The digest is the one that training records."""
    path = write()
    content = json.loads(call("show", path, "--json")[1])
    assert content["digest"] == load_policy(str(path)).digest
    assert content["policy"]["categories"]["direct"]["resolution_pp"] == 3
    assert "requirement_prompts" not in content


def test_the_rates_are_printed(call, write):
    """A table per category, one for whole runs, and both errors in one sentence; progress on standard error."""
    code, out, err = call("rates", write(), *QUICK, "--seed", "3")
    assert code == 0
    assert "policy tried 7: 4 simulated runs per column, seed 3, 5 answers per prompt" in out
    assert "22 % of prompts waver, the judge errs on 5 % of answers" in out
    assert out.count("│direct") == out.count("│benign") == out.count("│odd") == 2
    assert re.search(
        r"false reject: an unchanged model is rejected in [\d.]+ % of runs; false accept: a true drop", out
    )
    assert "a share of 0 means: below 53 % (95 % sure)" in out
    assert "40/40 simulated runs" in err


def test_the_rates_are_printed_as_json(call, write):
    """What was assumed, and shares that add up to 100 for each category and drop."""
    out = call("rates", write(), *QUICK, "--json", "--samples", "3", "--wavering", "0.5", "--judge-noise", "0")[1]
    content = json.loads(out)
    assert (content["policy"], content["version"], content["runs"], content["seed"]) == ("tried", "7", 4, 0)
    assert (content["samples_per_prompt"], content["wavering"], content["judge_noise"]) == (3, 0.5, 0.0)
    assert content["prompts"] == dict.fromkeys(RULES, 20)
    for by_drop in content["categories"].values():
        assert list(by_drop) == ["0", "3", "5", "10"]
        assert all(sum(shares.values()) == pytest.approx(100) for shares in by_drop.values())
    assert {tuple(by_drop) for by_drop in content["overall"].values()} == {("3", "5", "10")}
    assert sum(content["unchanged"].values()) == pytest.approx(100)
    assert content["false_accept"]["drop_pp"] == 10
    assert content["sentence"].startswith("false reject: ")


def test_suites_say_how_many_prompts_there_are(call, root):
    """Each ruled category has as many prompts as the suites hold."""
    policy, suite = root / "configs/policies/toy.yaml", root / "configs/suites/toy.yaml"
    content = json.loads(call("rates", policy, suite, "--runs", "1", "--json")[1])
    assert content["prompts"] == dict.fromkeys(("direct", "indirect", "domain", "bias", "benign"), 100)


def test_a_suite_without_the_ruled_categories_is_an_error(call, write, root):
    """It names them, and what to do; a category without a rule is a warning."""
    toy = root / "configs/suites/toy.yaml"
    code, out, err = call("rates", write(), toy, "--runs", "1")
    assert (code, out) == (USAGE, "")
    assert "policy tried has rules for ['odd'], but the suites have no such prompts" in err
    code, _, err = call("rates", write(categories={"direct": RULES["direct"]}), toy, "--runs", "1")
    assert code == 0
    assert "policy tried has no rule for ['benign', 'bias', 'domain', 'indirect']: a run with these suites" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--prompts", "5", "suite.yaml"), "the suites give the number of prompts"),
        (("--judge-noise", "0.6"), "0.6: expected a number from 0 to 0.5"),
        (("--wavering", "nan"), "nan: expected a number from 0 to 1"),
        (("--runs", "0"), "greater than or equal to 1"),
    ],
)
def test_impossible_options_are_refused(call, write, arguments, words):
    """Before anything is simulated."""
    code, out, err = call("rates", write(), *arguments)
    assert (code, out) == (USAGE, "")
    assert words in err


def test_a_wavering_share_that_leaves_no_room_for_the_drop_is_no_crash(call, write):
    """Even where every prompt wavers the base passes half of the time, so that 10 pp can be lost."""
    assert call("rates", write(), *QUICK, "--wavering", "1")[0] == 0
