"""YAML whose aliases or nesting would take all memory is refused at once, with its line."""

import time

import pytest

from components.shared.config.reading import read_yaml
from components.shared.errors import ConfigError


def _bomb(begin, level):
    return "\n".join([begin, *(level.format(n=n, aliases=", ".join([f"*a{n - 1}"] * 10)) for n in range(1, 10))])


def _read(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    start = time.process_time()
    try:
        return read_yaml(str(path))
    finally:
        assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("begin", "level"),
    [
        ("a0: &a0 [lol, lol, lol]", "a{n}: &a{n} [{aliases}]"),
        ("a0: &a0 {lol: lol}", "a{n}: &a{n} {{<<: [{aliases}]}}"),
        ("a0: &a0 {lol: lol}", "a{n}: &a{n} {{b: [{aliases}]}}"),
    ],
)
def test_a_bomb_of_aliases_is_refused_with_its_line(tmp_path, begin, level):
    """Ten lines that stand for billions of values, in lists, in sections and through merge keys."""
    with pytest.raises(
        ConfigError, match=r"c.yaml:\d: not valid YAML: the aliases up to \*a\d repeat more than 100,000"
    ):
        _read(tmp_path, _bomb(begin, level))


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, "a: " + "{a: " * 150 + "1" + "}" * 150])
def test_deep_nesting_is_refused(tmp_path, text):
    """One sentence, and no recursion error."""
    with pytest.raises(ConfigError, match="sections and lists are nested more than 100 deep"):
        _read(tmp_path, text)


def test_a_chain_of_aliases_is_refused_where_it_gets_too_deep(tmp_path):
    """Each line is flat, but stands for a list in a list."""
    chain = "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))])
    with pytest.raises(ConfigError, match=r"c.yaml:\d+: not valid YAML: \*a\d+ makes sections and lists nested more"):
        _read(tmp_path, chain)


def test_a_section_that_repeats_itself_is_refused(tmp_path):
    """The alias and its line are named."""
    with pytest.raises(ConfigError, match=r"c.yaml:2: not valid YAML: \*x stands inside the section that it repeats"):
        _read(tmp_path, "a: &x\n  b: *x\n")


def test_a_large_file_and_a_common_use_of_aliases_are_read(tmp_path):
    """There is no limit to what is written out, and a section may be repeated many times."""
    written = "\n".join(f"k{n}: [1, 2, 3]" for n in range(3000))
    repeated = "\n".join(f"r{n}: *base" for n in range(500))
    content = _read(tmp_path, f"base: &base {{a: 1, b: [1, 2]}}\n{written}\n{repeated}\n")
    assert content["r499"] == {"a": 1, "b": [1, 2]}
    assert len(content) == 3501
