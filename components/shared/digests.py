"""Content hashes, and the canonical JSON that they are taken of.

A digest is the text `sha256:<64 hex digits>`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

_BLOCK = 1 << 20


def canonical_json(value: object) -> str:
    """One text per value: keys sorted, no spaces, no NaN or infinity.

    Raises:
        ValueError: the value holds NaN or an infinity.
        TypeError: the value is not JSON.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_bytes(content: bytes) -> str:
    """The digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_json(value: object) -> str:
    """The digest of a JSON value, independent of key order and spacing."""
    return digest_bytes(canonical_json(value).encode())


def digest_file(path: Path) -> str:
    """The digest of a file's bytes, read in blocks.

    Raises:
        OSError: the file cannot be read.
    """
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            running.update(block)
    return f"sha256:{running.hexdigest()}"


def write_lines(lines: Iterable[bytes], path: Path) -> str:
    """Writes lines, which have their ends, to a file, and returns the digest of the file's bytes.

    Raises:
        OSError: the file cannot be written.
    """
    running = hashlib.sha256()
    with path.open("wb") as stream:
        for line in lines:
            running.update(line)
            stream.write(line)
    return f"sha256:{running.hexdigest()}"


def digest_files(directory: Path, names: Iterable[str]) -> str:
    """The digest of several files of one directory: of their names and contents, in name order."""
    return digest_json({name: digest_file(directory / name) for name in sorted(names)})


def digest_tree(directory: Path) -> Mapping[str, str]:
    """Each file below a directory with its digest, keyed by its relative POSIX path, in path order."""
    return {
        path.relative_to(directory).as_posix(): digest_file(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def short(digest: str) -> str:
    """The first twelve hex digits, for names and messages; digests are compared whole."""
    return digest.removeprefix("sha256:")[:12]
