"""Data sets on the hub, by address: `hub://ORG/NAME@REVISION`, and a file of one, `hub://ORG/NAME@REVISION/FILE`.

huggingface_hub reads its cache, token and offline mode from the environment. Only files are fetched: code of a data set
is never run.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from components.shared.errors import ConfigError, StorageError
from components.shared.plain_names import plain_name

HUB = "hub://"
_ADDRESS = re.compile(r"hub://(?P<repo>[^/@]+/[^/@]+)@(?P<revision>[^/]+)(/(?P<file>.+))?")
_REACH_S = 20.0
"""Seconds in which the hub has to name a commit."""


class HubAddress(NamedTuple):
    """A data set on the hub, or a file of one."""

    repo: str
    revision: str
    """A commit, tag or branch."""
    file: str | None = None


class HubSplit(NamedTuple):
    """The files of a split."""

    commit: str
    files: tuple[str, ...]
    """Their addresses, with the commit, in the order of `datasets`."""


def parse_hub(address: str) -> HubAddress:
    """Splits `hub://ORG/NAME@REVISION` or `hub://ORG/NAME@REVISION/FILE`.

    Raises:
        ConfigError: a part is missing, or is `..`, which would lead out of the hub's cache. The revision is required
            because a data set may change.
    """
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise ConfigError(
            f"{address!r}: expected hub://ORG/NAME@REVISION or hub://ORG/NAME@REVISION/FILE, REVISION a commit, tag or "
            "branch"
        )
    try:
        plain_name("/".join(filter(None, (parts["repo"], parts["revision"], parts["file"]))))
    except ValueError as error:
        raise ConfigError(f"{address[:200]!r}: {error}") from None
    return HubAddress(parts["repo"], parts["revision"], parts["file"])


def fetch_hub_file(address: str) -> Path:
    """A file of a data set, in the hub's cache on this machine.

    Raises:
        StorageError: it does not exist, or may not be read.
        ConfigError: the address is malformed.
    """
    repo, revision, file = parse_hub(address)
    if file is None:
        raise ConfigError(f"{address!r}: names no file; expected hub://ORG/NAME@REVISION/FILE")
    from huggingface_hub import hf_hub_download

    with _hub_errors(address):
        return Path(hf_hub_download(repo, file, repo_type="dataset", revision=revision))


def find_split(address: str, subset: str | None, split: str) -> HubSplit:
    """The files of a split, as `datasets.load_dataset(NAME, subset, split=split, revision=REVISION)` takes them.

    Without a network, those in the hub's cache.

    Args:
        address: of a data set, or of one file, which is taken as it is.
        subset: the name of a configuration; None: the only one, or the default.
        split: the name of a split.

    Raises:
        StorageError: the data set cannot be had, or has no such subset or split.
        ConfigError: the address is malformed.
    """
    from huggingface_hub.constants import HF_HUB_OFFLINE

    repo, _, file = parse_hub(address)
    root, commit = _cached(address) if HF_HUB_OFFLINE else (repo, _resolve(address))
    if file is not None:
        return HubSplit(commit, (f"{HUB}{repo}@{commit}/{file}",))
    found = _data_files(address, root, None if HF_HUB_OFFLINE else commit, subset)
    if split not in found:
        raise StorageError(f"{address}: has no split {split!r}; expected one of {', '.join(map(repr, found))}")
    start = f"{root.rstrip('/')}/" if HF_HUB_OFFLINE else f"hf://datasets/{repo}@{commit}/"
    return HubSplit(commit, tuple(f"{HUB}{repo}@{commit}/{name.removeprefix(start)}" for name in found[split]))


def _resolve(address: str) -> str:
    """The commit of a revision, asked from the hub; the README goes to the cache, for a later run without network."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    repo, revision, _ = parse_hub(address)
    with _hub_errors(address):
        commit = str(HfApi().dataset_info(repo, revision=revision, timeout=_REACH_S).sha)
        try:
            hf_hub_download(repo, "README.md", repo_type="dataset", revision=revision)  # names subsets and splits
        except EntryNotFoundError:
            return commit
    return commit


def _cached(address: str) -> tuple[str, str]:
    """The folder of a data set in the cache, and its commit."""
    from huggingface_hub import snapshot_download

    repo, revision, _ = parse_hub(address)
    with _hub_errors(address):
        folder = snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True)
    return str(folder), Path(folder).name


def _data_files(address: str, root: str, commit: str | None, subset: str | None) -> dict[str, list[str]]:
    """The files of each split, by the rules of `datasets`: the data set's description, else the names of its files."""
    from datasets import load_dataset_builder

    with _hub_errors(address):
        try:
            found = load_dataset_builder(root, subset, revision=commit).config.data_files
        except ValueError as error:  # mostly no such subset, or one has to be named: the message lists them
            reason = " ".join(str(error).partition("\nExample")[0].split())
            raise StorageError(f"{address}: subset is {subset!r}: {reason}; correct subset, or name files") from None
    return {str(split): list(files) for split, files in (found or {}).items()}


@contextmanager
def _hub_errors(address: str) -> Iterator[None]:
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    repo, revision, file = parse_hub(address)
    away = "is not in the local cache, and the hub cannot be reached: check the network and HF_HUB_OFFLINE"
    try:
        yield
    except StorageError:
        raise
    except GatedRepoError:
        raise StorageError(
            f"{address}: access to the data set is gated: accept its terms on its page, then set HF_TOKEN"
        ) from None
    except LocalEntryNotFoundError:
        raise StorageError(f"{address}: {away}, or download the file and give its path") from None
    except EntryNotFoundError:
        raise StorageError(f"{address}: the data set {repo!r} has no file {file!r} at {revision!r}") from None
    except HfHubHTTPError as error:
        reason = (str(error).partition("\n\n")[2] or str(error)).partition("\n")[0]
        raise StorageError(
            f"{address}: the hub does not give it: {reason}; check id and revision; a private or gated data set needs "
            "HF_TOKEN"
        ) from None
    except Exception as error:  # noqa: BLE001 - the clients hand on whatever their HTTP library raises
        first = str(error).strip().partition("\n")[0]
        raise StorageError(f"{address}: {first or type(error).__name__}") from None
