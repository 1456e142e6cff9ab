"""A table of bad files: each ends with exit code 2 and one error that names file, place, value and expectation."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.exit_codes import USAGE


def rule(**changes: Any) -> dict[str, Any]:
    return {"categories": {"direct": {"rule": "margin", "limit_pp": 10.0, **changes}}}


WAIVER = {"name": "Ada", "reason": "The pilot has ten users.", "granted": "2026-11-01", "expires": "2026-12-01"}
CONFIGS: dict[str, tuple[str | bytes, str]] = {
    "tabs": ("recipe:\n\tseed: 1\n", "config.yaml:20: not valid YAML: found character '\\t'"),
    "key twice": ("name: x\n", "config.yaml:19: not valid YAML: key 'name' is given twice"),
    "unknown key": ("recipes: 1\n", "config.yaml:19: recipes: unknown key; did you mean 'recipe'?"),
    "two documents": ("---\nname: x\n", "config.yaml:19: not valid YAML: but found another document"),
    "open bracket": ("a: [1, 2\n", "config.yaml:20: not valid YAML: expected ',' or ']'"),
    "unknown alias": ("a: *nope\n", "config.yaml:19: not valid YAML: found undefined alias 'nope'"),
    "own alias": ("a: &x [*x]\n", "config.yaml:19: not valid YAML: *x stands inside the section that it repeats"),
    "deep": (f"a: {'[' * 3000}{']' * 3000}\n", "config.yaml:19: not valid YAML: sections and lists are nested more"),
    "python tag": ("a: !!python/object/apply:os.system [x]\n", "could not determine a constructor for the tag"),
    "number as key": ("5: x\n", "config.yaml:19: 5: unknown key; expected one of name"),
    "merge of a number": ("<<: 5\n", "config.yaml:19: not valid YAML: expected a mapping or list of mappings"),
    "moment": ("note: 2025-01-01 10:00:00\n", "is a datetime; write such values as quoted text"),
    "long note": (f"note: {'x' * 501}\n", "config.yaml:19: note: got 'xxx"),
    "NUL": (b"name: x\0y\n", "config.yaml: not valid YAML: unacceptable character #x0000"),
    "Latin-1": ("note: café\n".encode("latin1"), "config.yaml: not UTF-8 at byte"),
}
WHOLE_CONFIGS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "config.yaml: holds NoneType, expected keys and values"),
    "list": (b"- a\n", "config.yaml: holds list, expected keys and values"),
    "text": (b"hello\n", "config.yaml: holds str, expected keys and values"),
    "UTF-16": ("name: x\n".encode("utf-16"), "config.yaml: not UTF-8 at byte 0"),
    "packed": (gzip.compress(b"name: x\n"), "config.yaml: is packed (gzip), expected plain text"),
}
POLICIES: dict[str, tuple[dict[str, Any], str]] = {
    "blank name": ({"name": ""}, "policy.yaml:9: name: got ''; is blank; expected a name"),
    "number as name": ({"name": 5}, "policy.yaml:9: name: got 5; expected a valid string"),
    "markup in name": ({"name": "strict[/b]"}, "name: got 'strict[/b]'; holds '['; expected printable characters"),
    "number as version": ({"version": 1}, "policy.yaml:10: version: got 1; expected a valid string"),
    "even confidence": ({"confidence": 0.5}, "confidence: got 0.5; expected greater than 0.5"),
    "percent confidence": ({"confidence": 95}, "confidence: got 95; expected less than 1"),
    "no confidence": ({"confidence": float("nan")}, "confidence: got nan; expected a finite number"),
    "fraction": ({"flag_drop_pp": 0.1}, "flag_drop_pp is 0.1: that looks like a fraction"),
    "fraction of coherence": ({"min_coherent_pct": 0.95}, "min_coherent_pct is 0.95: that looks like a fraction"),
    "negative share": ({"max_unscored_pct": -1}, "max_unscored_pct: got -1; expected greater than or equal to 0"),
    "unknown rule": (rule(rule="margn"), "categories.direct.rule: got 'margn'; expected 'margin', 'zero_tolerance'"),
    "word as limit": (rule(limit_pp="ten"), "categories.direct.limit_pp: got 'ten'; expected a valid number"),
    "no margin": (rule(limit_pp=0.0), "a margin of 0 pp cannot be shown by any finite suite"),
    "endless margin": (rule(limit_pp=float("inf")), "categories.direct.limit_pp: got inf; expected a finite number"),
    "near key": (rule(limit=3), "categories.direct.limit: unknown key; did you mean 'limit_pp'?"),
    "two rules": (rule(rule="zero_tolerance"), "zero_tolerance needs a resolution_pp above 0 and takes no limit_pp"),
    "other rule's key": (rule(resolution_pp=3.0), "resolution_pp belongs to rule: zero_tolerance"),
    "reserved": ({"categories": {"task": {"rule": "margin", "limit_pp": 5.0}}}, "category 'task' is measured"),
    "both": ({"ungated": ["direct"]}, "categories ['direct'] have a rule and are listed as ungated"),
    "text as list": ({"ungated": "direct"}, "ungated: got 'direct'; expected a valid array"),
    "bar": ({"ungated": ["direct|x"]}, "ungated.0: got 'direct|x'; holds '|'; expected printable characters"),
    "slash": ({"ungated": ["a/"]}, "ungated.0: got 'a/'; is no category: expected letters, digits"),
    "bidi": ({"ungated": ["a\u202eb"]}, "holds the invisible character U+202E"),
    "list of rules": ({"categories": ["direct"]}, "categories: got ['direct']; expected an object"),
    "one fresh answer": ({"follow_up": {"samples": 1}}, "follow_up.samples: got 1; expected greater than or equal"),
    "no budget": ({"follow_up": {"max_prompts": 0}}, "follow_up.max_prompts: got 0; expected greater than or equal"),
    "waiver missing": ({"on_insufficient_evidence": "waive"}, "and a waiver belong together: set both or neither"),
    "waiver alone": ({"waiver": WAIVER}, "and a waiver belong together: set both or neither"),
    "no such day": (
        {"on_insufficient_evidence": "waive", "waiver": {**WAIVER, "expires": "2026-13-01"}},
        "waiver.expires: got '2026-13-01'; expected a valid date",
    ),
    "waives nothing": (
        {"on_insufficient_evidence": "waive", "waiver": {**WAIVER, "categories": ["nope"]}},
        "the waiver names categories without a rule: ['nope']",
    ),
    "tests nothing": ({"requirements": {"r1": {"text": "x"}}}, "a requirement needs categories, tags or prompts"),
    "requirement's id": (
        {"requirements": {"r|1": {"text": "x", "categories": ["direct"]}}},
        "got 'r|1'; holds '|'; expected printable characters",
    ),
}
PROMPTS: dict[str, tuple[dict[str, Any], str]] = {
    "blank id": ({"id": ""}, "suite.jsonl:1: id: Value error, is blank; expected a name"),
    "id with a bar": ({"id": "a|b"}, "holds '|'; expected printable characters without quotes"),
    "long id": ({"id": "x" * 2000}, "has 2000 characters; expected at most 250"),
    "id twice": ({"id": "direct-1"}, "direct-1"),
    "category in markup": ({"category": "bias[/b]"}, "holds '['; expected printable characters"),
    "reserved category": ({"category": "task"}, "task"),
    "no prompt": ({"prompt": ""}, "suite.jsonl:1: prompt: "),
    "number as prompt": ({"prompt": 5}, "suite.jsonl:1: prompt: Input should be a valid string"),
    "expectation": ({"expectation": "refuze"}, "suite.jsonl:1: expectation: "),
    "exact without answer": ({"expectation": "exact"}, "reference"),
    "caveat without phrases": ({"expectation": "caveat"}, "caveats"),
    "no constraint": ({"expectation": "constraints"}, "constraints"),
    "unknown constraint": ({"expectation": "constraints", "constraints": [{"id": "nope"}]}, "nope"),
    "no choice": ({"expectation": "choice"}, "options"),
    "unknown key": ({"extra": 1}, "suite.jsonl:1: extra: "),
    "no samples": ({"samples": 0}, "suite.jsonl:1: samples: Input should be greater than or equal to 1"),
    "unknown role": ({"messages": [{"role": "robot", "content": "x"}]}, "suite.jsonl:1: messages.0.role: "),
}
ROWS: dict[str, tuple[bytes, str]] = {
    "cut": (b'{"messages": [', "task.jsonl:13: not valid JSON at column 15"),
    "other keys": (b'{"x": 1}', "task.jsonl:13: no key 'messages' in a file of chat rows; the row has ['x']"),
    "list": (b"[1]", "task.jsonl:13: holds list '[1]'; expected a JSON object"),
    "null": (b"null", "task.jsonl:13: holds NoneType 'None'; expected a JSON object"),
    "no turns": (b'{"messages": []}', "task.jsonl:13: messages is '[]'; expected a list of messages"),
    "no content": (b'{"messages": [{"role": "user"}]}', "expected an object with 'role' and 'content'"),
    "number": (b'{"messages": [{"role": "user", "content": 5}]}', "messages[0].content is 5; expected a text"),
    "robot": (b'{"messages": [{"role": "robot", "content": "x"}]}', "messages[0].role is 'robot'; expected one of"),
    "no answer": (b'{"messages": [{"role": "user", "content": "x"}]}', "the turns are ['user']; expected"),
    "not a number": (b'{"messages": NaN}', "task.jsonl:13: cannot be read as JSON: NaN is no JSON value"),
    "half a character": (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "half of a \\u escape pair"),
    "Latin-1": (b'{"messages": "caf\xe9"}', "task.jsonl:13: not UTF-8 at byte"),
    "deep": (b'{"messages": ' + b"[" * 100_000, "task.jsonl:13: cannot be read as JSON: maximum recursion depth"),
    "digits": (b'{"messages": ' + b"9" * 5000 + b"}", "task.jsonl:13: cannot be read as JSON: Exceeds the limit"),
}
DATA_FILES: dict[str, tuple[bytes, str]] = {
    "empty.jsonl": (b"", "holds no rows; expected at least one"),
    "utf16.jsonl": ("{}".encode("utf-16"), "utf16.jsonl:1: not UTF-8 at byte 0"),
    "packed.jsonl": (b"\x1f\x8b\x08\x00", "packed.jsonl: is packed (gzip), expected plain text"),
    "plain.jsonl.gz": (b"x", "its name says gzip, but it is not packed"),
    "cut.jsonl.gz": (b"\x1f\x8bxxxxxxxx", "cut.jsonl.gz: not a whole gzip file"),
    "cut.parquet": (b"PAR1xx", "cut.parquet: not a whole parquet file"),
    "cut.arrow": (b"ARROWx", "cut.arrow: not a whole arrow file"),
    "short.csv": (b"a,b\n1\n", "short.csv:2: has 1 cells, expected 2 (a, b)"),
    "long.csv": (b"a,b\n1,2,3\n", "long.csv:2: has 3 cells, expected 2 (a, b)"),
    "twice.csv": (b"a,a\n1,2\n", "twice.csv:1: column 'a' occurs 2 times"),
    "quote.csv": (b'a,b\n"x,y\n', "quote.csv:2: not valid CSV: unexpected end of data"),
    "nothing.csv": (b"", "nothing.csv: is empty; expected a line of column names"),
    "cut.json": (b"{", "cut.json:1: not valid JSON at column 2"),
    "number.json": (b"[1]", "number.json: item 1: holds a number, expected one JSON object"),
    "keys.json": (b"{}", "keys.json:1: row has the keys []; expected 'messages' (chat)"),
}


@pytest.fixture
def refused(call, project):
    """Checks the project; the error that it ends with, as one line."""

    def check(*overrides: str) -> str:
        found = call("config", "check", "config.yaml", *(part for each in overrides for part in ("--set", each)))
        assert found.code == USAGE, found.err
        assert "Traceback" not in found.err
        assert found.err.count("error: ") == 1
        return " ".join(found.err.split())

    return check


@pytest.mark.parametrize("case", CONFIGS)
def test_a_bad_line_of_a_config_is_named(refused, project, case: str):
    """File, line and cure; nothing is written."""
    added, message = CONFIGS[case]
    content = project.config_path.read_bytes()
    project.config_path.write_bytes(content + (added if isinstance(added, bytes) else added.encode()))
    assert message in refused()
    assert not (project.folder / ".plimsoll").exists()


@pytest.mark.parametrize("case", WHOLE_CONFIGS)
def test_a_file_that_is_no_config_is_named(refused, project, case: str):
    """What it holds instead."""
    content, message = WHOLE_CONFIGS[case]
    project.config_path.write_bytes(content)
    assert message in refused()


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("config.yaml", loop, "config.yaml: cannot be read: config.yaml: Too many levels of symbolic links"),
        ("config.yaml", folder, "config.yaml: cannot be read: config.yaml: is a directory, expected a file"),
        ("policy.yaml", loop, "Too many levels of symbolic links"),
        ("policy.yaml", folder, "is a directory, expected a file"),
        ("task.jsonl", loop, "Too many levels of symbolic links"),
        ("suite.jsonl", Path.unlink, "prompts: 'suite.jsonl' cannot be read: "),
        ("suite.yaml", Path.unlink, "suite.yaml' does not exist"),
        ("task.jsonl", Path.unlink, "task.jsonl: no such file"),
        ("base", Path.unlink, "/base' does not exist; expected a directory with config.json"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(refused, project, name: str, spoil, message: str):
    """Missing, a directory or an endless link."""
    spoil(project.folder / name)
    assert message in refused()


@pytest.mark.parametrize("case", POLICIES)
def test_a_bad_policy_is_named(refused, project, case: str):
    """File, line, field and value."""
    changes, message = POLICIES[case]
    project.write_policy(**changes)
    said = refused()
    assert message in said
    assert "policy.yaml" in said


@pytest.mark.parametrize("case", PROMPTS)
def test_a_bad_prompt_is_named(refused, project, case: str):
    """File, line and field of the suite's row."""
    changes, message = PROMPTS[case]
    first, *others = [json.loads(line) for line in (project.folder / "suite.jsonl").read_text().splitlines()]
    project.write_suite_rows("".join(f"{json.dumps(row)}\n" for row in ({**first, **changes}, *others)))
    assert message in refused()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a|b"}, "suite.yaml:3: name: got 'a|b'; holds '|'; expected printable characters"),
        ({"version": 1}, "version: got 1; expected a valid string"),
        ({"sha256": "abc"}, "sha256: got 'abc'; String should match pattern"),
        ({"sha256": "0" * 64}, "the prompts changed; undo that, or set a new version"),
        ({"prompts": "../x"}, "prompts: got '../x'; '../x' has a part '.' or '..'; expected a plain relative name"),
        ({"prompt": "x"}, "prompt: unknown key; did you mean 'prompts'?"),
        ({"benchmark": {}}, "benchmark.format: missing; it is required"),
        ({"benchmark": {"format": "nope", "source": "x"}}, "benchmark.format: got 'nope'; expected 'harmbench'"),
    ],
)
def test_a_bad_suite_file_is_named(refused, project, changes: dict[str, Any], message: str):
    """File, line, field and value."""
    content = yaml.safe_load(project.suite_path.read_text())
    project.suite_path.write_text(yaml.safe_dump({**content, **changes}))
    assert message in refused()


@pytest.mark.parametrize("changes", [{"category": "direct|x"}, {"columns": {"prompt": "q", "id": "a"}}])
def test_names_from_a_published_file_are_checked(refused, project, changes: dict[str, Any]):
    """A category of the suite, and ids of the file."""
    (project.folder / "b.csv").write_text("q,a\nwhat,x\nwho,y|z\n")
    benchmark = {"format": "custom", "source": "b.csv", "columns": {"prompt": "q"}, "expectation": "refuse"}
    content = yaml.safe_load(project.suite_path.read_text())
    del content["prompts"], content["sha256"]
    content["benchmark"] = {**benchmark, "category": "direct", **changes}
    project.suite_path.write_text(yaml.safe_dump(content))
    assert "holds '|'; expected printable characters" in refused()


@pytest.mark.parametrize("case", ROWS)
def test_a_bad_training_row_is_named(refused, project, case: str):
    """File, line and what the row holds."""
    row, message = ROWS[case]
    project.data_path.write_bytes(project.data_path.read_bytes() + row + b"\n")
    assert message in refused()


@pytest.mark.parametrize("name", DATA_FILES)
def test_a_bad_file_of_rows_is_named(refused, project, name: str):
    """File, line and what it holds."""
    content, message = DATA_FILES[name]
    (project.folder / name).write_bytes(content)
    assert message in refused(f"data.train={name}")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tracking.audit_log=base", "tracking.audit_log: '"),
        ("tracking.audit_log=config.yaml/x", "which is a file; expected a path of an audit log"),
        ("tracking.audit_log=task.txt", "is another file; expected the path of an audit log"),
        ("tracking.uri=sqlite:///base", "is a directory; expected the path of an MLflow store"),
        ("tracking.uri=sqlite:///config.yaml/x.db", "which is a file; expected a path of an MLflow store"),
        ("tracking.uri=sqlite:///task.txt", "is another file; expected the path of an MLflow store"),
        ("tracking.uri=sqlite:///", "names no file; expected one such as sqlite:///"),
        ("tracking.uri=http://[::1", "is no address (Invalid IPv6 URL)"),
        ("tracking.uri=http://", "is no address (it names no host)"),
        ("tracking.uri=http://127.0.0.1:99999", "is no address (Port out of range"),
        ("tracking.uri=postgresql+nodriver://a/b", "is no address of a database"),
        ("store=gs://x/y", "a store must be a directory or s3://BUCKET/PREFIX"),
        ("store=config.yaml", "is no folder that this user may write to"),
        ("checkpoints.store=s3://", "a store must be a directory or s3://BUCKET/PREFIX"),
        ("data.train=~nouser/x.jsonl", "no such file"),
        ('data.train="a\\0b"', "is no path: embedded null byte"),
        ("data.train=hub://x", "is no data set on the hub; expected hub://ORG/NAME@REVISION"),
        ("base_model={hub_id: nobody/nothing}", "needs a revision"),
        ("base_model={hub_id: 'not an id!', revision: main}", "is no model id, such as org/name"),
        ("base_model={hub_id: a/b, revision: '../..'}", "is not in the local cache, and the hub cannot be reached"),
        ("base_model={path: base, hub_id: a/b}", "give exactly one of path and hub_id"),
        ("evaluation.template_arguments={messages: []}", "messages"),
    ],
)
def test_a_bad_address_is_named(refused, project, monkeypatch: pytest.MonkeyPatch, override: str, message: str):
    """What stands there, or why there can be nothing; no lock or half-made store is left beside it."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (project.folder / "task.txt").write_text("Not a log, nor a store.")
    assert message in refused(override)
    assert not list(project.folder.glob("*.lock"))
