"""YAML files, and errors that name file, line, field, value and expectation."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.config.reading import load_pipeline_config, load_policy, read_yaml
from components.shared.errors import ConfigError

PIPELINE = """\
name: demo
base_model:
  path: models/toy
data:
  train: data/task.jsonl
  mix:
    - {path: data/safety.jsonl, role: safety, share: 0.2}
suites: [suites/toy.yaml]
policy: policies/toy.yaml
registry: {model_name: toy}
recipe:
  learning_rate: 2e-4
"""
POLICY = """\
name: toy
version: "1"
categories:
  direct: {rule: margin, limit_pp: 10}
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "c.yaml") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_a_config_is_read_with_its_defaults(write):
    """What the file does not say has the default, and `2e-4` is a number."""
    config = load_pipeline_config(write(PIPELINE))
    assert config.recipe.learning_rate == 0.0002
    assert config.evaluation.samples_per_prompt == 5
    assert config.data.mix[0].share == 0.2


@pytest.mark.parametrize("text", ["3e-3", "3E-3", "+3e-3", "0.3e-2", "3.e-3"])
def test_scientific_notation_is_a_number(write, text: str):
    """Numbers that YAML 1.1 would read as text are numbers."""
    assert load_pipeline_config(write(PIPELINE.replace("2e-4", text))).recipe.learning_rate == 0.003


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("name: demo", "name: Demo", r"c\.yaml:1: name: got 'Demo'; .*pattern"),
        ("name: demo\n", "", r"c\.yaml: name: missing; it is required"),
        ("policy: policies/toy.yaml", "polcy: x", r"c\.yaml:9: polcy: unknown key; did you mean 'policy'\?"),
        ("learning_rate", "lerning_rate", r"c\.yaml:12: recipe\.lerning_rate: unknown key; did you mean 'learning_ra"),
        ("share: 0.2", "shar: 0.2", r"c\.yaml:7: data\.mix\.0\.shar: unknown key; did you mean 'share'\?"),
        ("share: 0.2", "share: 1.0", r"c\.yaml:7: data\.mix\.0\.share: got 1\.0; expected less than 1"),
        ("share: 0.2", "share: .nan", r"c\.yaml:7: data\.mix\.0\.share: got nan; expected a finite number"),
        ("2e-4", "-1", r"c\.yaml:12: recipe\.learning_rate: got -1.*; expected greater than 0"),
        ("2e-4", ".inf", r"c\.yaml:12: recipe\.learning_rate: got inf; expected a finite number"),
        ("2e-4", "fast", r"c\.yaml:12: recipe\.learning_rate: got 'fast'; expected a valid number"),
        ("2e-4", "'2e-4'", r"c\.yaml:12: recipe\.learning_rate: got '2e-4'; expected a valid number"),
        ("  path: models/toy", "  {}", r"c\.yaml:2: base_model: got \{\}; give exactly one of path and hub_id"),
        ("models/toy", "models/toy\n  hub_id: org/m\n  revision: x", r"base_model: .*give exactly one of path and hub"),
        ("path: models/toy", "hub_id: org/m", r"base_model: .*hub_id 'org/m' needs a revision"),
        ("models/toy", "models/toy\n  revision: main", r"base_model: .*revision belongs to hub_id"),
        ("[suites/toy.yaml]", "[]", r"c\.yaml:8: suites: got \[\]; .*at least 1 item"),
        ("{model_name: toy}", "{model_name: a/b}", r"registry\.model_name: got 'a/b'; .*may not hold"),
        ("share: 0.2}", "share: 0.6}\n    - {path: x, role: replay, share: 0.5}", r"data\.mix: .*add up to 1\.1"),
        ("role: safety", "role: other", r"data\.mix\.0\.role: got 'other'; expected 'safety' or 'replay'"),
        (
            "policy: p",
            "policy: 2026-01-02 03:04:05 # p",
            r"c\.yaml: .* is a datetime; write such values as quo",
        ),
    ],
)
def test_every_error_names_place_value_and_expectation(write, before: str, after: str, message: str):
    """A wrong pipeline config is refused with file, line, field, value and what was expected."""
    assert before in PIPELINE
    with pytest.raises(ConfigError, match=message):
        load_pipeline_config(write(PIPELINE.replace(before, after, 1)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POLICY + "flag_drop_pp: -1\n", r"c\.yaml:5: flag_drop_pp: got -1; expected greater than or equal to 0"),
        (POLICY + "flag_drop_pp: .nan\n", r"c\.yaml:5: flag_drop_pp: got nan; expected a finite number"),
        (POLICY + "flag_drop_pp: .inf\n", r"c\.yaml:5: flag_drop_pp: got inf; expected a finite number"),
        (POLICY + "flag_drop_pp: 101\n", r"c\.yaml:5: flag_drop_pp: got 101; expected less than or equal to 100"),
        (
            POLICY + "flag_drop_pp: yes\n",
            r"c\.yaml:5: flag_drop_pp: got 'yes'; expected a valid number; write it in decimal digits",
        ),
        (POLICY + "max_unscored_pct: .NaN\n", r"max_unscored_pct: got nan"),
        (POLICY + "confidence: 0.5\n", r"confidence: got 0\.5; expected greater than 0\.5"),
        (POLICY + "name: other\n", r"c\.yaml:5: not valid YAML: key 'name' is given twice"),
        (POLICY.replace("limit_pp: 10", "limt_pp: 10"), r"direct\.limt_pp: unknown key; did you mean 'limit_pp'\?"),
        (POLICY.replace("limit_pp: 10", "limit_pp: .nan"), r"c\.yaml:4: categories\.direct\.limit_pp: got nan"),
        (POLICY.replace("limit_pp: 10", "limit_pp: -3"), r"c\.yaml:4: categories\.direct\.limit_pp: got -3"),
        (POLICY + "follow_up: {sample: 5}\n", r"c\.yaml:5: follow_up\.sample: unknown key; did you mean 'samples'\?"),
        (POLICY + "zzz: 5\n", r"c\.yaml:5: zzz: unknown key; expected one of name, version, "),
        ('name: a\nversion: "1"\ncategories: {}\n', r"c\.yaml:3: categories: got \{\}; .*at least 1 item"),
        ('name: a\nversion: "1"\n', r"c\.yaml: categories: missing; it is required"),
        ("- a\n", r"c\.yaml: holds list, expected keys and values"),
        ("", r"c\.yaml: holds NoneType, expected keys and values"),
        ("a: [1\n", r"c\.yaml:2: not valid YAML: expected ',' or '\]'"),
        ("a: \x00", r"c\.yaml: not valid YAML: unacceptable character"),
        ("a: !!python/object:os.system x", r"c\.yaml:1: not valid YAML: could not determine a constructor"),
        (POLICY + "description: 2026-13-45\n", r"c\.yaml: not valid YAML: month must be in 1\.\.12"),
        (POLICY + "? [a]\n: 3\n", r"c\.yaml: not valid YAML: unhashable"),
        (
            POLICY + "ungated: &loop [*loop]\n",
            r"c\.yaml:5: not valid YAML: \*loop stands inside the section that it repeats",
        ),
        (
            POLICY + "description: " + "[" * 1200 + "\n",
            r"c\.yaml:5: not valid YAML: sections and lists are nested more than 100 deep",
        ),
    ],
)
def test_a_wrong_policy_is_refused(write, text: str, message: str):
    """Thresholds that are no number, categories that are none, and YAML that is none never become a policy."""
    with pytest.raises(ConfigError, match=message):
        load_policy(write(text))


def test_all_errors_are_shown_at_once(write):
    """A file with two errors names both, one per line."""
    with pytest.raises(ConfigError) as caught:
        load_policy(write(POLICY + "flag_drop_pp: -1\nconfidence: 2\n"))
    assert [line.rpartition("c.yaml:")[2].split(";")[0] for line in str(caught.value).splitlines()] == [
        "5: flag_drop_pp: got -1",
        "6: confidence: got 2",
    ]


def test_a_missing_or_binary_file_is_a_config_error(write, tmp_path: Path):
    """A file that cannot be read as text says why."""
    with pytest.raises(ConfigError, match="no such file"):
        load_policy(str(tmp_path / "no.yaml"))
    (tmp_path / "b.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 6: save the file as UTF-8"):
        load_policy(str(tmp_path / "b.yaml"))


def test_overrides_replace_values_and_are_checked(write):
    """`a.b=value` is YAML, makes missing sections, and is validated like the file."""
    overrides = ["recipe.learning_rate=1e-3", "evaluation.seed=7", "data.mix=[]", "name=other"]
    config = load_pipeline_config(write(PIPELINE), overrides)
    assert (config.recipe.learning_rate, config.evaluation.seed, config.data.mix, config.name) == (
        0.001,
        7,
        (),
        "other",
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.seed", r"--set 'recipe\.seed': expected KEY=VALUE, such as recipe\.seed=1"),
        ("=1", r"--set '=1': expected KEY=VALUE"),
        ("name.x=1", r"--set 'name\.x=1': 'name' is a value, not a section"),
        ("recipe.seed=[", r"--set recipe\.seed=\[:1: not valid YAML"),
        ("recipe.seed=!!int 010", r"--set recipe\.seed=!!int 010:1: not valid YAML: '010' is no !!int"),
        ("recipe.sed=1", r"^--set recipe\.sed=1: recipe\.sed: unknown key; did you mean 'seed'\?"),
        ("recipe.seed=-1", r"^--set recipe\.seed=-1: recipe\.seed: got -1; expected greater than or equal to 0"),
        ("recipe.seed=.nan", r"^--set recipe\.seed=\.nan: recipe\.seed: got nan; "),
        ("recipe={seed: -1}", r"^--set recipe=\{seed: -1\}: recipe\.seed: got -1; "),
        (
            "data.split=dev",
            r"^.*c\.yaml:\d+ with --set data\.split=dev: data: got .*; subset and split belong",
        ),
    ],
)
def test_a_bad_override_is_refused(write, override: str, message: str):
    """An override that cannot be used names itself or the field that it broke."""
    with pytest.raises(ConfigError, match=message):
        load_pipeline_config(write(PIPELINE), [override])


def test_anchors_are_read(write):
    """A value may be written once and used twice."""
    assert read_yaml(write("a: &x 1\nb: *x\n")) == {"a": 1, "b": 1}


MERGED = """\
defaults: &defaults {seed: 1, epochs: 2.0}
fast: &fast
  <<: *defaults
  epochs: 1.0
nested:
  more: &late {<<: *fast, seed: 3}
"""


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ("recipe: {<<: *defaults}", {"seed": 1, "epochs": 2.0}),
        ("recipe: {<<: *fast}", {"seed": 1, "epochs": 1.0}),
        ("recipe: {<<: *late}", {"seed": 3, "epochs": 1.0}),
        ("recipe: {epochs: 9.0, <<: *defaults}", {"seed": 1, "epochs": 9.0}),
        ("recipe: {<<: [*fast, *late]}", {"seed": 1, "epochs": 1.0}),
        ("recipe: {<<: [*late, *defaults], lora_rank: 2}", {"seed": 3, "epochs": 1.0, "lora_rank": 2}),
        ("recipe: {<<: {<<: *fast, seed: 5}}", {"seed": 5, "epochs": 1.0}),
    ],
)
def test_merge_keys_are_read(write, merge: str, expected: dict[str, object]):
    """`<<` takes over the keys of other sections; an explicit key wins, and so does the first of a list."""
    content = read_yaml(write(f"{MERGED}{merge}\n"))
    assert isinstance(content, dict)
    assert content["recipe"] == expected
    assert content["nested"] == {"more": {"seed": 3, "epochs": 1.0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {<<: {x: 1, x: 2}}\n", r"c\.yaml:1: not valid YAML: key 'x' is given twice"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  y: 1\n  y: 2\n", r"c\.yaml:5: not valid YAML: key 'y' is given twice"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n", r"c\.yaml:4: not valid YAML: key '<<' is given twice"),
        ("a: {1: x, '1': y}\n", r"c\.yaml:1: not valid YAML: key '1' is given twice"),
        ("a: {<<: 3}\n", r"c\.yaml:1: not valid YAML: expected a mapping"),
    ],
)
def test_a_repeated_key_is_refused_beside_a_merge_too(write, text: str, message: str):
    """A merge replaces no check: what one section says twice is an error."""
    with pytest.raises(ConfigError, match=message):
        read_yaml(write(text))


def test_an_error_in_a_merged_value_names_its_line(write):
    """The line is the one on which the wrong value stands, not that of the merge."""
    text = PIPELINE.replace("data:\n", "data:\n  <<: {\n    heldout_rows: -1}\n")
    with pytest.raises(ConfigError, match=r"c\.yaml:6: data\.heldout_rows: got -1"):
        load_pipeline_config(write(text))


def test_an_override_changes_only_its_own_section(write):
    """Two sections that share values through an anchor are overridden one by one."""
    text = PIPELINE.replace("suites:", "evaluation: &shared {seed: 1}\nsuites:")
    text = text.replace("recipe:\n  learning_rate: 2e-4", "recipe: *shared")
    config = load_pipeline_config(write(text), ["recipe.seed=2"])
    assert (config.evaluation.seed, config.recipe.seed) == (1, 2)


AMBIGUOUS = ("010", "+010", "00", "08", "0o10", "0x1F", "0b11", "1_000", "1_0.5", "12:30", "1:30.5", "-1:30")


@pytest.mark.parametrize("text", [*AMBIGUOUS, "on", "off", "yes", "no", "Yes", "OFF", "y", "n", "="])
def test_what_readers_of_yaml_disagree_about_is_text(write, text: str):
    """No reader's idea of octals, clock times or booleans replaces what is written."""
    assert read_yaml(write(f"a: {text}\n{text}: b\n")) == {"a": text, text: "b"}
    config = load_pipeline_config(write(f"{PIPELINE}note: {text}\n"))
    assert config.note == text


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_such_text_is_no_number(write, text: str):
    """A number that could be read in two ways is refused, in a file and in an override, with what to write instead."""
    wrong = rf"got '{re.escape(text)}'; expected a valid (integer|number); write it in decimal digits"
    with pytest.raises(ConfigError, match=rf"c\.yaml:12: recipe\.learning_rate: {wrong}"):
        load_pipeline_config(write(PIPELINE.replace("2e-4", text)))
    with pytest.raises(ConfigError, match=rf"recipe\.seed: {wrong}"):
        load_pipeline_config(write(PIPELINE), [f"recipe.seed={text}"])


@pytest.mark.parametrize("words", ["!!int 010", "!!int 0x1F", "!!float 12:30", "!!float 1_0.5", "!!bool on", "!!int x"])
def test_a_tag_does_not_change_what_words_mean(write, words: str):
    """What is no number without a tag is none with it; the error has line and cure."""
    with pytest.raises(ConfigError, match=r"c\.yaml:2: not valid YAML: '.*' is no !!\w+; write (it in|true or)"):
        read_yaml(write(f"b: 1\na: {words}\n"))
    assert read_yaml(write("a: !!float 1\nb: !!int '7'\nc: !!bool true\n")) == {"a": 1.0, "b": 7, "c": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-7", -7), ("+5", 5), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("010.5", 10.5), ("true", True)],
)
def test_plain_numbers_and_booleans_are_read(write, text: str, value: object):
    """What every reader agrees about is a number or a boolean."""
    content = read_yaml(write(f"a: {text}\n"))
    assert isinstance(content, dict)
    assert (content["a"], type(content["a"])) == (value, type(value))


@pytest.mark.parametrize("word", ["on", "off", "as_is"])
def test_thinking_is_switched_with_plain_words(write, word: str):
    """`thinking: off` means what it says, in a file and in an override."""
    text = PIPELINE.replace("suites:", f"evaluation: {{thinking: {word}}}\nsuites:")
    assert load_pipeline_config(write(text)).evaluation.thinking == word
    assert load_pipeline_config(write(PIPELINE), [f"evaluation.thinking={word}"]).evaluation.thinking == word


def test_a_boolean_is_true_or_false(write):
    """`yes` for a boolean is refused, with what to write instead."""
    with pytest.raises(ConfigError, match=r"reuse: got 'yes'; expected a valid boolean; write true or false"):
        load_pipeline_config(write(PIPELINE), ["reuse=yes"])


@given(st.text(alphabet=st.sampled_from("ab:-{}[]&*!?|>'\"#%@`,~ \n\t0.19eE_xb"), max_size=30))
def test_arbitrary_text_is_yaml_or_a_config_error(tmp_path: Path, text: str):
    """Nothing but ConfigError is raised for a file that is no policy."""
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        load_policy(str(path))
