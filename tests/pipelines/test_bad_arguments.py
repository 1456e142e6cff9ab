"""Bad arguments of every command: each ends with exit code 2 and one error that names the argument and the cure."""

import shlex
from pathlib import Path

import pytest

from pipelines.exit_codes import USAGE

NO_STORE = "there is no MLflow store"
LABELS = "judge check --labels l.csv --judge refusal"
ROWS = "init x.yaml --base base --data task.jsonl"
ARGUMENTS = {
    "nope": "No such command 'nope'",
    "--nope": "No such option: --nope",
    "init x.txt": "FILE: 'x.txt' does not end in .yaml",
    "init config.yaml --base base --data task.jsonl": "config.yaml: exists already; choose another name",
    "init x.yaml": "--base is missing, and there is no terminal to ask on",
    "init x.yaml --base nowhere --data task.jsonl": "base_model.path: 'nowhere' does not exist; expected a directory",
    "init x.yaml --base base --data nowhere": "task rows: nowhere: no such file",
    "init x.yaml --base a/b --data task.jsonl": "which needs a commit (--revision)",
    f"{ROWS} --prompt-column q": "--prompt-column: give both columns, or none",
    f"{ROWS} --prompt-column q --completion-column a": "task.jsonl:1: no column 'q'",
    f"{ROWS} --prompt-column '' --completion-column a": "--prompt-column: got ''; expected the name of a column",
    f"{ROWS} --prompt-column q --completion-column ''": "--completion-column: got ''; expected the name of a column",
    f"{ROWS} --policy nope": "policy 'nope': expected financial, legal",
    f"{ROWS} --suite nope": "suite 'nope' does not exist; . holds config.yaml",
    f"{ROWS} --name 'A b'": "name 'A b': expected lower-case letters, digits and hyphens",
    f"{ROWS} --model-name 'a/b'": "model name 'a/b': a registered model's name may not hold",
    f"{ROWS} --model-name 'a|b'": "backslash, such as 'a-b'",
    f"{ROWS} --tracking ftp://x": "MLflow store 'ftp://x': expected sqlite:///PATH",
    "doctor nowhere.yaml": "nowhere.yaml: no such file",
    "doctor config.yaml extra": "Got unexpected extra argument(s) (extra)",
    "doctor config.yaml --set a.b=1": "--set a.b=1: a: unknown key; expected one of name",
    "run": "Missing argument 'CONFIG'",
    "run nowhere.yaml": "nowhere.yaml: no such file",
    "run config.yaml --set recipe.sed=1": "recipe.sed: unknown key; did you mean 'seed'?",
    "ui --port abc": "'--port': Input should be a valid integer",
    "ui": NO_STORE,
    "ui --config nowhere.yaml": "nowhere.yaml: no such file",
    "compile config.yaml": "Missing option '--output'",
    "compile config.yaml -o x.txt": "--output: 'x.txt' does not end in .yaml",
    "compile nowhere.yaml -o x.yaml": "nowhere.yaml: no such file",
    "demo extra": "Got unexpected extra argument(s) (extra)",
    "verify": "Missing argument 'RUN_OR_DIR'",
    "verify x --tracking-uri ftp://x": "--tracking-uri: uri: got 'ftp://x'; the MLflow store must be sqlite:///PATH, postgresql://",
    "verify x --config nowhere.yaml": "nowhere.yaml: no such file",
    "verify x --config config.yaml --tracking-uri sqlite:///x": "both name an MLflow store: give one of them",
    "replay base p --config nowhere.yaml": "nowhere.yaml: no such file",
    "submit nowhere.yaml": "nowhere.yaml: no such file",
    "schedule config.yaml": "give exactly one of --cron, --list, --pause",
    "trigger nowhere.yaml": "nowhere.yaml: no such file",
    "trigger config.yaml --local --set data.train=nowhere": "no such file",
    "review": "Missing argument 'RUN'",
    "review nowhere": NO_STORE,
    "review nowhere --approve": "--reason: a review without questions needs it",
    "review nowhere --approve --refuse --reason x": "choose one of --approve, --refuse and --show",
    "review nowhere --reason x": "go with --approve or --refuse",
    "review nowhere --tracking-uri ftp://x --show": "'ftp://x'; expected sqlite:///PATH",
    "rollback": "Missing argument 'MODEL'",
    "rollback small --reason x --name me": NO_STORE,
    "rollback small --reason x --tracking-uri sqlite:///nowhere.db --name me": NO_STORE,
    "config nope": "No such command 'nope'",
    "config check": "Missing argument 'CONFIG'",
    "config check config.yaml --clusters": "(Possible options: --cluster)",
    "config schema --of nope": "'nope'; expected one of pipeline, policy, suite",
    "config schema extra": "Got unexpected extra argument(s) (extra)",
    "audit verify": "there is no audit log '.plimsoll/audit.jsonl' yet",
    "audit verify --log nowhere": "there is no audit log 'nowhere' yet",
    "audit verify --log http://x": "audit log 'http://x': expected a local path or s3://BUCKET/PREFIX",
    "audit verify --log task.jsonl --config config.yaml": "give --log or --config, not both",
    "audit show --log nowhere": "there is no audit log 'nowhere' yet",
    "audit show --event nope": "'nope'; expected one of triggered",
    "gate calibrate": "Missing argument 'CONFIG'",
    "gate calibrate config.yaml --mutants 2": "Input should be greater than or equal to 4",
    "gate calibrate config.yaml --workers 0": "Input should be greater than or equal to 1",
    "gate calibrate config.yaml --simulations 1": "Input should be greater than or equal to 10",
    "judge check": "Missing option '--labels'",
    "judge check --labels nowhere.csv --judge refusal": "nowhere.csv: there is no such file of labels",
    "judge check --labels base --judge refusal": "base: is a directory, expected a file",
    "judge check --labels task.jsonl --judge refusal": "no column looks like prompt; the columns are 'messages'",
    "judge check --labels l.csv --judge nope": "there is no judge 'nope'; expected one of abstain",
    f"{LABELS} --columns x": "'x': expected NAME=VALUE, separated by commas",
    f"{LABELS} --columns prompt=a,prompt=b": "'prompt' is given twice",
    f"{LABELS} --columns '{{x'": "'{x' is not valid JSON",
    f"{LABELS} --labels-map x=nope": "'nope' is none of pass, partial, fail, incoherent",
    LABELS: "column 'label': no verdict for 'x'",
    "policy show": "Missing argument 'POLICY'",
    "policy show base": "base: is a directory, expected a file",
    "policy show suite.yaml": "suite.yaml: categories: missing; it is required",
    "policy rates policy.yaml --samples 10000": "Input should be less than or equal to 1000",
    "policy rates policy.yaml --wavering nan": "nan: expected a number from 0 to 1",
    "policy rates policy.yaml --judge-noise -1": "-1.0: expected a number from 0 to 0.5",
    "policy rates policy.yaml suite.yaml suite.yaml": "2 suites have the name 'small'; give each suite once",
    "suites list nowhere.yaml": "suite 'nowhere.yaml' does not exist; . holds",
    "suites list suite.yaml --confidence nan": "nan: expected a number above 0.5 and below 1",
    "suites list base": "base: is a directory, expected a file",
    "suites plan --margin nan": "nan: expected percentage points from 0.001 to 100",
    "suites plan --power 1": "1.0: expected a number above 0 and below 1",
    "suites plan --spread -1": "-1.0: expected percentage points from 0 to 100",
    "suites benchmarks extra": "Got unexpected extra argument(s) (extra)",
    "suites benchmarks --jsonn": "(Possible options: --json)",
    "suites seal": "Missing argument 'FILE'",
    "suites seal config.yaml": "is not a suite with its own prompts; expected the keys prompts",
    "suites seal suite.yaml --version 'a|b'": "version: got 'a|b'; holds '|'; expected printable characters",
}


@pytest.mark.parametrize("command", ARGUMENTS)
def test_a_bad_argument_is_named(call, project, monkeypatch: pytest.MonkeyPatch, command: str):
    """The error says what was expected, and the command leaves nothing behind."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    Path("l.csv").write_text("prompt,answer,label\nq,a,x\n")
    before = sorted(project.folder.iterdir())
    called = call(*shlex.split(command))
    shown = " ".join(called.err.replace("│", " ").split())
    assert called.code == USAGE, called.err
    assert ARGUMENTS[command] in shown
    assert "Traceback" not in shown
    assert "pydantic" not in shown
    assert shown.count("error: ") + shown.count("─ Error ─") == 1
    assert sorted(project.folder.iterdir()) == before


@pytest.mark.parametrize(
    "command", ["verify x", "replay x p", "review x --show", "rollback small --reason x --name me"]
)
def test_a_password_in_a_refused_address_is_not_shown(call, project, command: str):
    """The error shows the address without it, and says where a password belongs."""
    called = call(*shlex.split(command), "--tracking-uri", "http://ada:sesame@127.0.0.1:1")
    assert called.code == USAGE, called.err
    assert "sesame" not in called.out + called.err
    assert "MLFLOW_TRACKING_PASSWORD" in called.err
    assert "Traceback" not in called.err


def test_a_config_that_init_cannot_use_is_not_written(call, project):
    """The error names the store, and says that the config was not written."""
    called = call(*shlex.split(f"{ROWS} --store config.yaml"))
    assert called.code == USAGE, called.err
    assert "is no folder that this user may write to" in called.err
    assert "x.yaml was not written" in called.err
    assert not Path("x.yaml").exists()
