"""Labelled files as they are found: encodings, line ends, quoting, columns, and precise errors."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.digests import digest_bytes
from components.shared.errors import DataError
from components.shared.vocabulary import Verdict
from pipelines.judging.labelled import read_labelled, read_verdicts

TRICKY = '\ufeffquestion,response,human\r\n"Two\r\nlines, ""quoted""","An\nanswer",yes\r\n\r\nPlain,, no \r\n'
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ROWS = st.lists(
    st.tuples(TEXTS.filter(str.strip), TEXTS, TEXTS.map(str.strip)),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def write(tmp_path):
    """Writes a file and returns its address."""

    def make(content, name="labels.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return make


def test_a_tricky_csv_is_read(write):
    """BOM, CRLF, line breaks and quotes in cells, an empty answer: as people write them."""
    address = write(TRICKY)
    file = read_labelled(address)
    assert [(row.line, row.prompt, row.answer, row.label) for row in file.rows] == [
        (2, 'Two\r\nlines, "quoted"', "An\nanswer", "yes"),
        (6, "Plain", "", "no"),
    ]
    assert file.columns == {"prompt": "question", "answer": "response", "label": "human"}
    assert (file.name, file.sha256) == ("labels.csv", digest_bytes(Path(address).read_bytes()))


def test_jsonl_labels_may_be_numbers_and_truths(write):
    """JSON's own values become the text of the label; further fields are kept where a judge may read them."""
    lines = [
        {"prompt": "a", "answer": "b", "label": 1, "caveats": ["see a doctor"]},
        {"prompt": "a\u2028a", "answer": "b", "label": True, "other": 3},
    ]
    file = read_labelled(write("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "labels.jsonl"))
    assert [(row.line, row.prompt, row.label, dict(row.extras)) for row in file.rows] == [
        (1, "a", "1", {"caveats": ["see a doctor"]}),
        (2, "a\u2028a", "true", {}),
    ]


def test_jsonl_is_recognised_without_its_suffix(write):
    """A file that begins with an object is JSONL, whatever it is called."""
    assert len(read_labelled(write('{"prompt": "a", "answer": "b", "label": "pass"}', "labels.txt")).rows) == 1


@given(ROWS)
def test_csv_and_jsonl_come_back_as_written(tmp_path_factory, rows):
    """Any text survives a CSV file as csv.writer makes it, and a JSONL file."""
    folder = tmp_path_factory.mktemp("labels")
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("prompt", "answer", "label"), *rows])
    (folder / "a.csv").write_bytes(stream.getvalue().encode())
    lines = [json.dumps(dict(zip(("prompt", "answer", "label"), row, strict=True))) for row in rows]
    (folder / "a.jsonl").write_text("\n".join(lines))
    for name in ("a.csv", "a.jsonl"):
        read = read_labelled(str(folder / name)).rows
        assert [(row.prompt, row.answer, row.label) for row in read] == rows


def test_given_columns_outrank_guesses(write):
    """--columns chooses where two columns fit, or where none does."""
    address = write("question,prompt,said,label\nq,p,a,pass\n")
    file = read_labelled(address, {"prompt": "question", "answer": "said"})
    assert (file.rows[0].prompt, file.rows[0].answer) == ("q", "a")


WRONG = {
    "two columns fit": (
        "question,prompt,answer,label\nq,p,a,pass\n",
        ["'question' and 'prompt' fit prompt", "'question', 'prompt', 'answer', 'label'", "--columns prompt=question"],
    ),
    "no column fits": ("prompt,said,label\np,a,pass\n", ["no column looks like answer", "'prompt', 'said', 'label'"]),
    "too few cells": ("prompt,answer,label\np,a,pass\np,a\n", ["labels.csv:3: 2 cells, but the header has 3"]),
    "column twice": ("prompt,answer,answer,label\n", ["column 'answer' occurs twice"]),
    "open quote": ('prompt,answer,label\np,"a,pass\n', ["labels.csv:2: not valid CSV"]),
    "no rows": ("prompt,answer,label\n", ["holds no rows"]),
    "empty": ("", ["holds no rows"]),
    "empty prompt": ("prompt,answer,label\n ,a,pass\n", ["labels.csv:2: prompt: empty"]),
    "not UTF-8": (b"prompt,answer,label\nna\xefve,a,pass\n", ["not UTF-8 at byte 22"]),
    "broken JSON": ('{"prompt": "p"\n', ["not valid JSON"]),
    "no object": ('{"prompt": "p", "answer": "a", "label": "pass"}\n[1]\n', ["2: holds list"]),
    "no answer": ('{"prompt": "p", "answer": null, "label": "pass"}\n', ["1: answer: got null; expected text"]),
    "missing field": (
        '{"prompt": "p", "answer": "a", "label": "pass"}\n{"prompt": "p", "label": "pass"}\n',
        ["2: answer: got null"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_are_named_precisely(write, case):
    """The error names file, line and column, and what would do."""
    content, parts = WRONG[case]
    beginning = content[:1] if isinstance(content, str) else ""
    with pytest.raises(DataError) as error_info:
        read_labelled(write(content, "labels.txt" if beginning == "{" else "labels.csv"))
    assert [part for part in parts if part not in str(error_info.value)] == []


def test_unknown_columns_and_fields_are_errors(write, tmp_path):
    """--columns may name only fields that are read and columns that exist; the file must exist as well."""
    address = write("prompt,answer,label\np,a,pass\n")
    with pytest.raises(DataError, match="no column 'nope' for prompt; the columns are 'prompt', 'answer', 'label'"):
        read_labelled(address, {"prompt": "nope"})
    with pytest.raises(DataError, match="'promt' is not read; expected prompt, answer, label"):
        read_labelled(address, {"promt": "prompt"})
    with pytest.raises(DataError, match="no such file of labels"):
        read_labelled(str(tmp_path / "absent.csv"))
    with pytest.raises(DataError, match="is a directory"):
        read_labelled(str(tmp_path))


def test_labels_become_verdicts(write):
    """The map says what a label means; words that are verdicts need no entry."""
    file = read_labelled(write("prompt,answer,label\np,a,bad\np,a,pass\np,a,partial\n"))
    assert read_verdicts(file, {"bad": Verdict.FAIL}) == (Verdict.FAIL, Verdict.PASS, Verdict.PARTIAL)


def test_unmapped_labels_are_one_error_with_counts(write):
    """All labels are listed with their counts, and the flag to add is shown."""
    file = read_labelled(write("prompt,answer,label\np,a,bad\np,a,good\np,a,bad\np,a,fail\n"))
    with pytest.raises(DataError) as error_info:
        read_verdicts(file, {})
    message = str(error_info.value)
    assert "no verdict for 'bad', 'good'; the labels are 'bad' (2), 'fail' (1), 'good' (1)" in message
    assert "--labels-map 'bad=...,good=...'" in message


def test_an_unlabelled_row_is_an_error(write):
    """A row without a label is not skipped."""
    file = read_labelled(write("prompt,answer,label\np,a,\np,a,pass\n"))
    with pytest.raises(DataError, match="label the empty rows or take them out"):
        read_verdicts(file, {})
