"""Files of one's own, read with a column mapping."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.errors import ConfigError, DataError
from components.shared.suites.benchmarks.benchmark import Options
from components.shared.suites.benchmarks.cells import placeholder
from components.shared.suites.benchmarks.custom import read_custom
from components.shared.vocabulary import Expectation

PROMPTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() and placeholder(text) is None
)
CATEGORIES = st.from_regex(r"\w{1,20}(/\w{1,20})?", fullmatch=True)
"""Of any alphabet; other names are refused."""
REFUSE = Options(columns={"prompt": "q"}, expectation=Expectation.REFUSE, category="direct", suite="mine")


def as_csv(rows: list[dict[str, str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def as_jsonl(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_json(rows: list[dict[str, str]]) -> bytes:
    return json.dumps(rows).encode()


@pytest.mark.parametrize(("name", "write"), [("f.csv", as_csv), ("f.jsonl", as_jsonl), ("f.json", as_json)])
@given(rows=st.lists(st.tuples(PROMPTS, CATEGORIES, PROMPTS), min_size=1, max_size=5))
def test_any_text_is_read_as_it_was_written(name: str, write, rows: list[tuple[str, str, str]]):
    """Quotes, line breaks and every alphabet come back unchanged, from all three forms."""
    content = write([{"q": q, "topic": topic, "sys": system} for q, topic, system in rows])
    columns = {"prompt": "q", "category": "topic", "system": "sys"}
    found = read_custom(content, name, Options(columns=columns, expectation=Expectation.REFUSE))
    assert [(prompt.prompt, prompt.category, prompt.system) for prompt in found] == rows


def test_every_field_can_be_mapped():
    """What a column gives is taken as it is."""
    row = {
        "q": "May I take this pill twice?",
        "n": 7,
        "kind": "domain",
        "does": "caveat",
        "words": "see a doctor | pharmacist",
        "sys": "",
        "ref": "Ask first.",
        "pair": "p-1",
        "who": "nobody",
    }
    columns = {
        "prompt": "q",
        "id": "n",
        "category": "kind",
        "expectation": "does",
        "caveats": "words",
        "system": "sys",
        "reference": "ref",
        "pair_id": "pair",
        "group": "who",
    }
    (prompt,) = read_custom(as_jsonl([row]), "dir/f.jsonl", Options(columns=columns))
    assert prompt.model_dump(exclude_defaults=True) == {
        "id": "7",
        "category": "domain",
        "prompt": "May I take this pill twice?",
        "expectation": Expectation.CAVEAT,
        "caveats": ("see a doctor", "pharmacist"),
        "reference": "Ask first.",
        "pair_id": "p-1",
        "group": "nobody",
        "source": "custom, f.jsonl:1",
    }


def test_rows_without_ids_are_numbered_below_the_suite():
    """Two suites of this kind do not share ids, and a filter does not renumber."""
    content = as_csv([{"q": "One?", "lang": "de"}, {"q": "Two?", "lang": "en"}])
    assert [prompt.id for prompt in read_custom(content, "f.csv", REFUSE)] == ["mine/0001", "mine/0002"]
    english = REFUSE._replace(include={"lang": ["en"]})
    assert [prompt.id for prompt in read_custom(content, "f.csv", english)] == ["mine/0002"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("f.csv", Options(), r"f.csv: columns.prompt: missing; name the column with the prompts"),
        ("f.csv", REFUSE._replace(category=None), "f.csv: category: missing; give benchmark.category, or columns.cat"),
        ("f.csv", REFUSE._replace(expectation=None), "f.csv: expectation: missing; give benchmark.expectation"),
        ("f.tsv", REFUSE, "f.tsv: of unknown form; expected a name that ends in .csv, .jsonl"),
        ("f.csv", REFUSE._replace(columns={"prompt": "p"}), "columns.prompt: there is no column 'p'; the columns are "),
        ("f.csv", REFUSE._replace(columns={"prompt": "q", "colour": "q"}), "columns.colour: no such field; expected"),
        ("f.csv", REFUSE._replace(include={"lan": ["en"]}), "no column 'lan'; did you mean 'lang'"),
        (
            "f.csv",
            REFUSE._replace(include={"lang": ["eng"]}),
            "include.lang: no row has 'eng'; did you mean 'en'.; rows have 'de', 'en'",
        ),
        (
            "f.csv",
            REFUSE._replace(include={"lang": ["en"], "q": ["One?"]}),
            "include: no row meets all of .*remove one of the conditions",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_a_config_error(name: str, options: Options, message: str):
    """What was asked for and what there is are both named."""
    with pytest.raises(ConfigError, match=message):
        read_custom(as_csv([{"q": "One?", "lang": "de"}, {"q": "Two?", "lang": "en"}]), name, options)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.csv", b"q\n", "f.csv: holds no rows"),
        ("f.csv", b'q,x\nOne?,1\n"",2\n', "f.csv:3: column 'q': is empty"),
        ("f.csv", b"q\n# Harmful Instruction 1\n", "f.csv:2: column 'q': '# Harmful Instruction 1' is a placeholder"),
        ("f.jsonl", b'{"q": "One?"}\n{"p": "Two?"}\n', "f.jsonl:2: column 'q': missing"),
        ("f.jsonl", b'{"q": [{"role": "user"}]}\n', r"f.jsonl:1: column 'q': got \[.*expected text"),
    ],
)
def test_rows_that_hold_no_prompt_are_data_errors(name: str, content: bytes, message: str):
    """File, line and column are named."""
    with pytest.raises(DataError, match=message):
        read_custom(content, name, REFUSE)


def test_an_unknown_expectation_lists_the_known_ones():
    """A misspelt cell is found before a model is loaded."""
    options = Options(columns={"prompt": "q", "expectation": "e"}, category="direct")
    with pytest.raises(DataError, match=r"f.csv:2: column 'e': got 'refuses'; expected one of refuse, caveat, answer"):
        read_custom(b"q,e\nOne?,refuses\n", "f.csv", options)
    caveats = REFUSE._replace(columns={"prompt": "q", "caveats": "c"})
    with pytest.raises(DataError, match=r"column 'c': got .*expected a list of texts"):
        read_custom(b'{"q": "One?", "c": [1]}', "f.jsonl", caveats)
