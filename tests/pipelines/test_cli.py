"""The command line: fast to start, and clear about wrong input."""

import json
import shlex
import subprocess
import sys
import time

import pytest
from typer.main import get_command

from pipelines import cli
from pipelines.exit_codes import BUG, DECISION_CODES, FAILURE, USAGE, error_code


def test_importing_the_cli_imports_nothing_heavy():
    """`import pipelines.cli` brings in no torch, transformers, mlflow, kfp or scipy."""
    heavy = "{'torch', 'transformers', 'mlflow', 'kfp', 'scipy', 'matplotlib', 'boto3'}"
    script = f"import sys, pipelines.cli; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_help_answers_at_once():
    """`plimsoll --help` takes about a second once warm; the limit leaves room for a busy machine."""
    command = [sys.executable, "-m", "pipelines", "--help"]
    assert min(_seconds(command) for _ in range(3)) < 5


def _commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize(("path", "command"), _commands(get_command(cli.app)))
def test_every_command_has_an_example(call, path, command):
    """Each command's help ends with an example of that command, whose options exist and whose values are accepted."""
    words = shlex.split(command.epilog.removeprefix("Example: plimsoll "))
    depth = len(path.split())
    assert " ".join(words[:depth]) == path
    with command.make_context(path, words[depth:]):
        assert command.epilog in " ".join(call(*path.split(), "--help").out.split())


@pytest.mark.parametrize("of", ["pipeline", "policy", "suite"])
def test_schema_is_json_with_descriptions(call, of):
    """`config schema` prints a JSON schema in which every field is described."""
    code, out, _ = call("config", "schema", "--of", of)
    schema = json.loads(out)
    assert code == 0
    assert all({"description", "$ref"} & set(field) for field in schema["properties"].values())


def test_a_good_project_passes_the_check(call, project):
    """`config check` says what it checked, then ok, and runs nothing."""
    code, out, _ = call("config", "check", "config.yaml")
    *checked, last = out.splitlines()
    assert (code, last) == (0, "config.yaml: ok")
    assert [line.partition(":")[0].strip() for line in checked] == [
        "suites and policy", "base model", "data", "judges", "cautions", "chat template", "store", "audit log",
        "MLflow", "free disk", "caution", "caution",
    ]  # fmt: skip
    assert "  caution: limits above the attention level of 3 pp" in out
    assert "  caution: never compared with people's labels (`plimsoll judge check`), but verdicts count: " in out
    assert "  data: 12 task (chat) rows, none of them a suite prompt; 8 to train on, 4 held out" in checked
    assert not (project.folder / ".plimsoll/mlflow.db").exists()


def test_a_check_for_a_cluster_says_what_it_does_not_reach(call, project):
    """With --cluster a claim that is not mounted here is no error."""
    claim = ("--set", "data.train=/data/x.jsonl", "--set", "cluster.volumes=[{claim: rows, path: /data}]")
    assert call("config", "check", "config.yaml", *claim).code == USAGE
    called = call("config", "check", "config.yaml", "--cluster", *claim)
    assert called.code == 0
    assert "  not checked: data: /data/x.jsonl is on the claim rows" in called.out


def _break_line(project):
    with project.data_path.open("a") as stream:
        stream.write('{"messages": [\n')


def _overlap(project):
    rows = [json.loads(line) for line in project.data_path.read_text().splitlines()]
    rows[6]["messages"][0]["content"] = "  DIRECT question, number 1!"
    project.write_data(rows)


BAD_INPUT = {
    "malformed line": (_break_line, ["task.jsonl:13", "not valid JSON"]),
    "empty data set": (lambda p: p.data_path.write_text("\n"), ["task.jsonl", "holds no rows"]),
    "missing data set": (lambda p: p.data_path.unlink(), ["task.jsonl", "no such file"]),
    "unknown key": (
        lambda p: p.write_config(recipe={"lora_rnk": 8}),
        ["config.yaml", "recipe.lora_rnk", "did you mean 'lora_rank'"],
    ),
    "wrong type": (lambda p: p.write_config(recipe={"lora_rank": "many"}), ["recipe.lora_rank", "'many'", "integer"]),
    "NaN threshold": (lambda p: p.write_policy(flag_drop_pp=float("nan")), ["policy.yaml", "flag_drop_pp", "finite"]),
    "negative threshold": (
        lambda p: p.write_policy(categories={"direct": {"rule": "margin", "limit_pp": -1.0}}),
        ["policy.yaml", "categories.direct.limit_pp", "-1.0", "greater than or equal to 0"],
    ),
    "no categories": (lambda p: p.write_policy(categories={}), ["policy.yaml", "categories", "at least 1"]),
    "unknown category": (
        lambda p: p.write_policy(categories={"rudeness": {"rule": "margin", "limit_pp": 10.0}}),
        ["policy.yaml", "'rudeness' is in no suite", "benign, direct"],
    ),
    "category without rule": (
        lambda p: p.write_policy(categories={"direct": {"rule": "margin", "limit_pp": 10.0}}),
        ["policy.yaml", "no rule for benign"],
    ),
    "task floor without rows": (
        lambda p: (
            p.write_policy(task_min_gain_pp=5.0),
            p.write_config(data={"train": "task.jsonl", "heldout_rows": 0}),
        ),
        ["task_min_gain_pp", "heldout_rows is 0"],
    ),
    "missing base model": (
        lambda p: p.write_config(base_model={"path": "nowhere"}),
        ["base_model.path", "nowhere", "does not exist"],
    ),
    "empty base model": (
        lambda p: ((p.folder / "hollow").mkdir(), p.write_config(base_model={"path": "hollow"})),
        ["base_model.path", "hollow", "config.json"],
    ),
    "unknown suite": (lambda p: p.write_config(suites=["siute.yaml"]), ["siute.yaml", "does not exist", "suite.yaml"]),
    "missing policy": (lambda p: p.policy_path.unlink(), ["policy.yaml", "no such file"]),
    "overlap with the suite": (_overlap, ["task.jsonl:7", "'direct-1'"]),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_wrong_input_is_one_clear_error(call, project, case):
    """Wrong input ends with exit code 2, names what is wrong and where, and leaves nothing behind."""
    spoil, named = BAD_INPUT[case]
    spoil(project)
    code, _, err = call("run", "config.yaml")
    assert code == USAGE
    assert [part for part in named if part not in err] == []
    assert "Traceback" not in err
    assert not (project.folder / ".plimsoll/mlflow.db").exists()


def test_overrides_reach_the_config(call, project):
    """`--set` replaces a value, and a wrong one is reported like any other."""
    assert call("config", "check", "config.yaml", "--set", "recipe.seed=3")[0] == 0
    code, _, err = call("config", "check", "config.yaml", "--set", "recipe.sede=3")
    assert code == USAGE
    assert "did you mean 'seed'" in err


def test_compile_writes_the_pipeline(call, project):
    """`compile` writes KFP's YAML, and warns about paths that a cluster will not see."""
    code, out, err = call("compile", "config.yaml", "-o", "out/pipeline.yaml")
    assert code == 0
    assert "wrote out/pipeline.yaml" in out
    assert "data.train is the local path 'task.jsonl'" in err
    assert "plimsoll-small" in (project.folder / "out/pipeline.yaml").read_text()


def test_ui_without_a_store_says_how_to_make_one(call, project):
    """`ui` does not start a server on nothing."""
    code, _, err = call("ui")
    assert code == USAGE
    assert "no MLflow store" in err


def test_a_verdict_never_shares_a_code_with_a_failure():
    """Decisions, wrong input and failures have different exit codes."""
    codes = [*DECISION_CODES.values(), USAGE, FAILURE, BUG]
    assert len(set(codes)) == len(codes)
    assert sorted(DECISION_CODES.values()) == [0, 10, 11, 12, 13]
    assert (error_code("DataError"), error_code("ConfigError"), error_code("ModelError")) == (USAGE, USAGE, FAILURE)


def _seconds(command):
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - start
