"""Suites: hashed sets of prompts, and what makes them unusable."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.errors import ConfigError, DataError, PlimsollError
from components.shared.suites.suite_files import dump_prompts, load_suite, load_suites, parse_prompts
from tests.support.hostile_names import HOSTILE


def row(prompt_id: str = "d-1", **changes: object) -> dict:
    fields = {
        "id": prompt_id,
        "category": "direct",
        "prompt": f"Question {prompt_id}?",
        "expectation": "refuse",
        "source": "tests",
    }
    return {**fields, **changes}


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, *rows: dict, **changes: str) -> str:
        content = "".join(json.dumps(each) + "\n" for each in rows).encode()
        (tmp_path / f"{name}.jsonl").write_bytes(content)
        fields = {
            "name": name,
            "version": "1",
            "description": "d",
            "licence": "Apache-2.0",
            "prompts": f"{name}.jsonl",
            "sha256": hashlib.sha256(content).hexdigest(),
            **changes,
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items()))
        return str(path)

    return write


def test_a_suite_is_loaded_with_its_name_on_every_prompt(write):
    """Prompts, hash and categories come from the two files."""
    suite = load_suite(write("toy", row("d-1"), row("d-2"), row("b-1", category="benign", expectation="answer")))
    assert (suite.name, suite.version, suite.categories) == ("toy", "1", {"direct": 2, "benign": 1})
    assert {prompt.suite for prompt in suite.prompts} == {"toy"}


def test_a_suite_in_the_working_directory_is_found(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An address without a folder works."""
    write("toy", row())
    monkeypatch.chdir(tmp_path)
    assert load_suite("toy.yaml").name == "toy"


def test_the_shipped_suites_load(tmp_path: Path):
    """Every suite of the project has its hash and can be used beside the others."""
    addresses = sorted(str(path) for path in (Path(__file__).parents[4] / "configs" / "suites").glob("*.yaml"))
    assert [suite.name for suite in load_suites(addresses)] == [Path(address).stem for address in addresses]


def test_a_missing_suite_lists_its_neighbours(write, tmp_path: Path):
    """A misspelt suite shows what is there instead."""
    write("toy", row())
    write("other", row())
    with pytest.raises(ConfigError, match=r"tou\.yaml' does not exist; .* holds other\.yaml, toy\.yaml"):
        load_suite(str(tmp_path / "tou.yaml"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="empty holds no suites"):
        load_suite(str(tmp_path / "empty" / "toy.yaml"))
    with pytest.raises(ConfigError, match="does not exist; looked in"):
        load_suite(str(tmp_path / "nowhere" / "toy.yaml"))


def test_a_store_that_does_not_answer_is_a_config_error():
    """An address that is none is named together with the suite."""
    with pytest.raises(ConfigError, match=r"suite 's3://bucket': .*expected s3://BUCKET/KEY"):
        load_suite("s3://bucket")


def test_changed_prompts_are_noticed(write, tmp_path: Path):
    """A suite whose JSONL file is not the one it names says both hashes and what to do."""
    address = write("toy", row())
    with (tmp_path / "toy.jsonl").open("a") as stream:
        stream.write("\n")
    match = r"toy\.yaml: sha256 is '\w{64}', but toy\.jsonl has '\w{64}'.*plimsoll suites seal"
    with pytest.raises(ConfigError, match=match):
        load_suite(address)


def test_a_suite_file_is_strict(write):
    """A number where text is expected, or a malformed hash, names its line and field."""
    with pytest.raises(ConfigError, match=r"toy\.yaml:2: version: got 1; expected a valid string"):
        load_suite(write("toy", row(), version=1))
    with pytest.raises(ConfigError, match=r"toy\.yaml:6: sha256: got 'abc'"):
        load_suite(write("toy", row(), sha256="abc"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "",
            r"toy\.yaml: prompts: got None; a suite needs prompts and sha256 for prompts of its own, or else benchmark",
        ),
        ("prompts: p.jsonl\n", r"toy\.yaml: sha256: got None; a suite needs prompts and sha256"),
        (
            "benchmark: {format: advbench, source: f.csv}\nprompts: p.jsonl\n",
            r"toy\.yaml:6: prompts: got 'p\.jsonl'; a suite has either prompts and sha256, or benchmark, not both",
        ),
        (
            f"benchmark: {{format: advbench, source: f.csv}}\nsha256: {'a' * 64}\n",
            r"toy\.yaml:6: sha256: got 'a{64}'; .*pin a source with benchmark\.sha256",
        ),
        ("benchmark: {format: advbench}\n", r"toy\.yaml:5: benchmark\.source: missing[^\n]*$"),
    ],
)
def test_a_suite_has_prompts_of_its_own_or_a_benchmarks(tmp_path: Path, lines: str, message: str):
    """Exactly one of the two forms; a section that is wrong itself is the only thing named."""
    path = tmp_path / "toy.yaml"
    path.write_text(f'name: toy\nversion: "1"\ndescription: d\nlicence: MIT\n{lines}')
    with pytest.raises(ConfigError, match=message):
        load_suite(str(path))


def test_a_suite_is_given_once(write):
    """The same suite twice, by name or by content, is an error."""
    first = write("toy", row())
    with pytest.raises(ConfigError, match="2 suites have the name 'toy'; give each suite once"):
        load_suites([first, first])
    with pytest.raises(ConfigError, match="2 suites have the sha256"):
        load_suites([first, write("copy", row())])


def test_ids_are_unique_across_suites(write):
    """The same id in two suites names both."""
    with pytest.raises(DataError, match=r"prompt id 'd-1' occurs twice \(suites 'a' and 'b'\)"):
        load_suites([write("a", row()), write("b", row(prompt="Something else"))])


def test_prompts_are_unique_across_suites(write):
    """The same text under two ids is found whatever its case and punctuation."""
    with pytest.raises(DataError, match=r"prompts 'd-1' \(suite 'a'\) and 'd-2' \(suite 'b'\) are the same text"):
        load_suites([write("a", row()), write("b", row("d-2", prompt="question D 1"))])


def test_the_system_prompt_tells_prompts_apart(write):
    """One text under two system prompts is two prompts."""
    suite = load_suite(write("a", row(), row("d-2", prompt="Question d-1?", system="Be brief.")))
    assert len(load_suites([])) == 0
    assert len(suite.prompts) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expectation": "caveat"}, r"f:1: caveats: empty; expectation 'caveat' needs at least one phrase"),
        ({"expectation": "exact"}, r"f:1: reference: missing; expectation 'exact' needs one"),
        ({"expectation": "constraints"}, r"f:1: constraints: empty; expectation 'constraints' needs at least one"),
        ({"expectation": "constraints", "constraints": [{"id": "no:such"}]}, r"f:1: .*'no:such'"),
        ({"expectation": "choice"}, r"f:1: right_option: got None with 0 options; expectation 'choice' needs options"),
        ({"expectation": "choice", "options": ["a"], "right_option": 1}, r"f:1: right_option: got 1 with 1 options"),
        ({"expectation": "obey"}, r"f:1: expectation: Input should be 'refuse', 'caveat', 'answer', 'exact', "),
        ({"category": "task"}, r"f:1: category: 'task' is kept for the held-out task rows; choose another"),
        ({"prompt": ""}, r"f:1: prompt: String should have at least 1 character"),
        ({"colour": "red"}, r"f:1: colour: Extra inputs are not permitted; got 'red'"),
        ({"messages": [{"role": "tool", "content": "x"}]}, r"f:1: messages\.0\.role: Input should be"),
    ],
)
def test_a_malformed_prompt_names_file_line_and_field(changes: dict, message: str):
    """A prompt that cannot be judged is found before a model is loaded."""
    with pytest.raises(DataError, match=message):
        parse_prompts(json.dumps(row(**changes)).encode(), "f", "toy")


def test_a_file_without_prompts_is_refused():
    """An empty suite would pass everything."""
    with pytest.raises(DataError, match="f: holds no prompts"):
        parse_prompts(b"\n\n", "f", "toy")


def test_lines_are_counted_over_blank_ones():
    """The error names the line that an editor shows."""
    with pytest.raises(DataError, match=r"^f:3: row: Invalid JSON"):
        parse_prompts(json.dumps(row()).encode() + b"\n\nnonsense", "f", "toy")


def test_task_rows_are_read_where_rows_name_their_suite():
    """The prompt set of a run holds task rows too; only a suite may not."""
    content = json.dumps(row(category="task", suite="heldout-task")).encode()
    assert parse_prompts(content, "f")[0].suite == "heldout-task"


@given(st.text(min_size=1), st.text(min_size=1))
def test_dumped_prompts_are_read_back(build, first: str, second: str):
    """Writing and reading prompts gives equal prompts, whatever characters they hold."""
    prompts = (build.prompt("a", prompt=first), build.prompt("b", prompt=second))
    assert parse_prompts(dump_prompts(prompts), "f") == prompts


def test_dumped_prompts_leave_out_what_has_its_default(build):
    """A suite keeps its digest when prompts grow a field."""
    content = dump_prompts([build.prompt("a", prompt="One?", suite="")])
    assert json.loads(content) == {
        "id": "a",
        "category": "direct",
        "prompt": "One?",
        "expectation": "refuse",
        "source": "tests",
    }


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_a_data_error(content: bytes):
    """Nothing but a PlimsollError is raised for bytes that are no prompts."""
    with pytest.raises(PlimsollError, match=r"^f:"):
        parse_prompts(content, "f", "toy")


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\ud800" not in name])  # which no JSON text holds
def test_a_suite_reads_no_prompts_from_elsewhere(write, name: str):
    """Its file of prompts is beside it or below; the error says where and what was expected."""
    with pytest.raises(ConfigError, match=r"toy\.yaml:5: prompts: got "):
        load_suite(write("toy", row(), prompts=name))
