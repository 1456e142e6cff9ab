"""Fetches the bytes of a benchmark file: a local path, `s3://`, or `hub://ORG/NAME@REVISION/FILE`.

The hub is asked only for a `hub://` address; huggingface_hub reads its cache, token and offline mode from the
environment.
"""

from pathlib import Path

from components.shared import storage
from components.shared.data.hub_files import HUB, fetch_hub_file


def locate(source: str, suite: str) -> str:
    """The place of a source: a relative path is looked for in the working directory, then upwards from the suite.

    The second search finds the file when a step runs in another working directory.

    Args:
        source: the path or address in the suite.
        suite: the address of the suite's YAML file.
    """
    path = Path(source).expanduser()
    if "://" in source or path.is_absolute() or path.exists() or "://" in suite:
        return source if "://" in source else str(path)
    folders = Path(suite).absolute().parents
    return next((str(folder / path) for folder in folders if (folder / path).is_file()), str(path))


def fetch_source(address: str) -> bytes:
    """The bytes of a source.

    Raises:
        StorageError: it does not exist, or may not be read.
        ConfigError: a hub address is malformed.
    """
    return fetch_hub_file(address).read_bytes() if address.startswith(HUB) else storage.read_bytes(address)
