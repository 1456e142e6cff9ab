"""Sealing a suite: the hash is written, nothing else is touched, and changed prompts need a new version."""

import hashlib
import json

import pytest

from components.shared.errors import ConfigError, DataError
from components.shared.suites.suite_files import load_suite
from pipelines.suites.sealing import seal

YAML = """# A suite.\r
name: own  # its name\r
version: {version}  # raised with the prompts\r
description: For tests\r
licence: Apache-2.0\r
prompts: own.jsonl\r
sha256: {sha256}{end}"""


@pytest.fixture
def write(tmp_path, build):
    """Writes a suite whose YAML has CRLF line ends and comments; returns the YAML's path."""

    def make(version='"1"', sha256="''", end="\r\n", prompts=2):
        rows = [build.prompt(id=f"p-{number}", prompt=f"number {number}") for number in range(prompts)]
        text = "".join(f"{json.dumps(row.model_dump(mode='json'))}\n" for row in rows)
        (tmp_path / "own.jsonl").write_text(text)
        path = tmp_path / "own.yaml"
        path.write_bytes(YAML.format(version=version, sha256=sha256, end=end).encode())
        return path, hashlib.sha256(text.encode()).hexdigest()

    return make


@pytest.mark.parametrize("never", ["''", "0" * 64, "", f"'{'0' * 64}'", "later # soon", "# soon"])
def test_a_new_suite_is_sealed_without_a_new_version(write, never):
    """Whatever stands for the missing hash is replaced, and the suite can be loaded; the rest stays byte for byte."""
    path, sha = write(sha256=never)
    assert seal(path)[:3] == ("1", sha, 2)
    comment = " # soon" if "soon" in never else ""
    assert path.read_bytes() == YAML.format(version='"1"', sha256=sha + comment, end="\r\n").encode()
    assert load_suite(str(path)).version == "1"


def test_sealing_twice_changes_nothing(write):
    """A suite that has its hash is left alone."""
    path, _ = write(end="")
    assert seal(path).changed
    before = path.read_bytes()
    assert not seal(path).changed
    assert path.read_bytes() == before


def test_changed_prompts_need_a_new_version(write):
    """Without a version, or with the same one, nothing is written."""
    path, _ = write(sha256="a" * 64)
    before = path.read_bytes()
    for version in (None, "1"):
        with pytest.raises(ConfigError, match=r"since version '1' was sealed; give a new one with --version"):
            seal(path, version)
    assert path.read_bytes() == before


def test_a_new_version_is_set(write):
    """--version sets the version beside the hash; the comment stays, one space after the wider value."""
    path, sha = write(sha256="a" * 64)
    assert seal(path, "1.1") == ("1.1", sha, 2, True)
    expected = YAML.format(version='"1.1"', sha256=sha, end="\r\n").replace('"1.1"  #', '"1.1" #')
    assert path.read_bytes() == expected.encode()


LAID_OUT = """# First line of a comment,
#   second line.

version: '1'

# About the hash.
sha256: {sha256}
name: "own"
description: >-
  A folded text that goes on
  for two lines: "quoted", #not a comment.

licence: %s
prompts: own.jsonl
# The last line.
""" % ("LicenseRef-" + "long" * 40)


def test_comments_and_values_survive(write):
    """Comments, quotes, folded and long lines, blank lines and the order of the keys stay as they were."""
    path, sha = write()
    path.write_text(LAID_OUT.format(sha256=""))
    assert seal(path).changed
    assert path.read_text() == LAID_OUT.format(sha256=sha)


@pytest.mark.parametrize("name", ["coherence", "hallucination", "instruction-following", "red-team", "tone", "toy"])
def test_a_shipped_suite_keeps_its_text_when_it_is_sealed_again(root, tmp_path, name):
    """Only version and hash change when a shipped suite's prompts have changed."""
    folder = root / "configs" / "suites"
    path, rows = tmp_path / f"{name}.yaml", tmp_path / f"{name}.jsonl"
    before = (folder / path.name).read_text()
    path.write_text(before)
    rows.write_bytes((folder / rows.name).read_bytes() + b"\n")
    sealed = seal(path, "2")
    old = hashlib.sha256((folder / rows.name).read_bytes()).hexdigest()
    assert path.read_text() == before.replace('version: "1"', 'version: "2"').replace(old, sealed.sha256)


def test_a_version_does_not_go_back(write):
    """Numbers are compared as numbers: 1.10 follows 1.9, and 1.8 does not."""
    path, _ = write(version='"1.9"', sha256="a" * 64)
    with pytest.raises(ConfigError, match=r"version '1.8' is lower than '1.9'"):
        seal(path, "1.8")
    assert seal(path, "1.10").version == "1.10"


def test_broken_prompts_are_not_sealed(write, tmp_path):
    """A malformed or repeated prompt is an error, and the YAML stays."""
    path, _ = write()
    before = path.read_bytes()
    rows = tmp_path / "own.jsonl"
    line = rows.read_text().splitlines()[0]
    for content in (f"{line}\n{line}\n", f"{line}\n{{}}\n"):
        rows.write_text(content)
        with pytest.raises(DataError):
            seal(path)
    rows.unlink()
    with pytest.raises(ConfigError, match=r"prompts: .*no such file"):
        seal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: own\n", "expected the keys prompts"),
        ("prompts: own.jsonl\nsha256: ''\nname: own\nversion: '1'\n", "description"),
        ("- a\n", "is not a suite"),
    ],
)
def test_what_is_no_suite_is_an_error(write, text, named):
    """A file without prompts and sha256, or with other keys missing, is not sealed."""
    path, _ = write()
    path.write_text(text)
    with pytest.raises(ConfigError, match=named):
        seal(path)
    assert path.read_text() == text
