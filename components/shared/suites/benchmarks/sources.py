"""Fetches the bytes of a benchmark file: a local path, `s3://`, or `hub://ORG/NAME@REVISION/FILE`.

The hub is asked only for a `hub://` address; huggingface_hub reads its cache, token and offline mode from the
environment.
"""

import re
from pathlib import Path
from typing import NamedTuple

from components.shared import storage
from components.shared.errors import ConfigError, StorageError

HUB = "hub://"
_HUB_ADDRESS = re.compile(r"hub://(?P<repo>[^/@]+/[^/@]+)@(?P<revision>[^/]+)/(?P<file>.+)")


class HubAddress(NamedTuple):
    """A file of a data set on the hub."""

    repo: str
    revision: str
    file: str


def parse_hub(address: str) -> HubAddress:
    """Splits `hub://ORG/NAME@REVISION/FILE`.

    Raises:
        ConfigError: a part is missing. The revision is required because a data set may change.
    """
    parts = _HUB_ADDRESS.fullmatch(address)
    if parts is None:
        raise ConfigError(f"{address!r}: expected hub://ORG/NAME@REVISION/FILE, REVISION a commit, tag or branch")
    return HubAddress(parts["repo"], parts["revision"], parts["file"])


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
    if not address.startswith(HUB):
        return storage.read_bytes(address)
    repo, revision, file = parse_hub(address)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repo, file, repo_type="dataset", revision=revision)).read_bytes()
    except GatedRepoError:
        raise StorageError(
            f"{address}: access to the data set is gated: accept its terms on its page, then set HF_TOKEN"
        ) from None
    except LocalEntryNotFoundError:
        raise StorageError(
            f"{address}: is not in the local cache, and the hub cannot be reached: check the network and "
            "HF_HUB_OFFLINE, or download the file and give its path"
        ) from None
    except EntryNotFoundError:
        raise StorageError(f"{address}: the data set {repo!r} has no file {file!r} at {revision!r}") from None
    except (OSError, ValueError) as error:  # base classes of the hub's other errors
        first = str(error).strip().partition("\n")[0]
        raise StorageError(f"{address}: {first or type(error).__name__}") from None
