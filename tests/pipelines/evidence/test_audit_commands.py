"""`plimsoll audit ...`: verifying and showing."""

import json
from functools import partial
from pathlib import Path

import pytest

from components.shared.audit import AuditEntry, open_log
from pipelines.exit_codes import FAILURE, USAGE

LOG = ".plimsoll/audit.jsonl"


@pytest.fixture
def call(call):
    """The command line after `plimsoll audit`."""
    return partial(call, "audit")


@pytest.fixture
def entries(tmp_path, monkeypatch) -> list[AuditEntry]:
    """The default log of the current directory, with three entries."""
    monkeypatch.chdir(tmp_path)
    log = open_log(LOG)
    return [
        log.append("data_accepted", "20 rows are well-formed.", {"train_rows": "20"}, "toy", "run-1", "ada"),
        log.append("decided", "PROMOTED: all is well.", {}, "toy", "run-1", "ada"),
        log.append("decided", "REJECTED: direct [bold]fell[/].", {}, "toy", "run-2", "grace"),
    ]


def test_a_sound_log_is_one_line(call, entries):
    """Exit code 0, how many entries, and the last one's digest and time."""
    digest = entries[-1].digest.removeprefix("sha256:")[:12]
    expected = f"{LOG}: sound, 3 entries, the last {digest} of {entries[-1].time}\n"
    assert call("verify") == call("verify", "--log", LOG) == (0, expected, "")


def test_each_problem_is_a_line(call, entries):
    """An edited entry and a removed end give exit code 1 and say where."""
    lines = Path(LOG).read_text().splitlines(keepends=True)
    Path(LOG).write_text(lines[0].replace("20 rows", "21 rows") + lines[1])
    code, out, _ = call("verify")
    assert code == FAILURE
    first, second, count = out.splitlines()
    assert first.startswith("line 1: entry 0 was edited")
    assert second == "end of the log: the head record counts 3 entries, the log has 2: its end was removed"
    assert count == f"{LOG}: 2 problems"


def test_a_digest_kept_elsewhere_is_looked_for(call, entries):
    """An entry that MLflow knows must be in the log."""
    assert call("verify", "--expect", entries[1].digest)[0] == 0
    code, out, _ = call("verify", "--expect", f"sha256:{'1' * 64}", "--expect", entries[1].digest)
    assert code == FAILURE
    assert out.splitlines()[-1] == f"{LOG}: 1 problem"


def test_entries_are_shown_in_a_table(call, entries):
    """Each entry is a row, and nothing in it is markup."""
    code, out, _ = call("show")
    assert code == 0
    assert [text in out for text in ("data_accepted", "PROMOTED: all is well.", "[bold]fell[/]", "grace")] == [True] * 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], [0, 1, 2]), (["--run", "run-1"], [0, 1]), (["--event", "decided"], [1, 2]), (["--run", "run-9"], [])],
)
def test_entries_are_chosen_by_run_and_event(call, entries, options, expected):
    """JSON carries every field of the chosen entries."""
    code, out, _ = call("show", "--json", *options)
    assert code == 0
    assert json.loads(out)["entries"] == [entries[number].model_dump(mode="json") for number in expected]


def test_a_damaged_log_is_not_shown_as_if_it_were_sound(call, entries):
    """Showing stops at the first line that is not as it was written."""
    Path(LOG).write_text(Path(LOG).read_text().replace("all is well", "all is fine"))
    code, out, err = call("show")
    assert (code, out) == (FAILURE, "")
    assert "line 2: entry 1 was edited" in err
    assert "`plimsoll audit verify` shows every problem" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["verify"], "there is no audit log '.plimsoll/audit.jsonl' yet"),
        (["show", "--log", "other.jsonl"], "there is no audit log 'other.jsonl' yet"),
        (["show", "--event", "promoted"], "'promoted'; expected one of triggered, data_accepted"),
        (["verify", "--log", "a", "--config", "b"], "give --log or --config, not both"),
        (["verify", "--config", "absent.yaml"], "absent.yaml"),
        (["verify", "--log", "gs://bucket/log"], "expected a local path or s3://BUCKET/PREFIX"),
    ],
)
def test_wrong_input_is_named(call, tmp_path, monkeypatch, arguments, named):
    """A missing log, an unknown event and two logs end with exit code 2."""
    monkeypatch.chdir(tmp_path)
    code, _, err = call(*arguments)
    assert code == USAGE
    assert named in " ".join(err.replace("│", " ").split())


def test_a_config_names_its_log(call, project):
    """The log is found through the config that wrote it."""
    project.write_config(tracking={"audit_log": "elsewhere/log.jsonl"})
    open_log("elsewhere/log.jsonl").append("rollback", "Back to version 1.", {}, "small", "run-1", "ada")
    code, out, _ = call("verify", "--config", "config.yaml")
    assert (code, out.startswith("elsewhere/log.jsonl: sound, 1 entry,")) == (0, True)
