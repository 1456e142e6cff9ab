"""Files by address: each call goes to the local disk or to S3. It knows no bucket from another."""

import os
import shutil
import tempfile
from pathlib import Path

from components.shared.digests import digest_file
from components.shared.errors import IntegrityError, StorageError
from components.shared.storage.addresses import is_s3
from components.shared.storage.downloads import download
from components.shared.storage.objects import delete_object, head, list_addresses
from components.shared.storage.uploads import upload


def read_bytes(address: str) -> bytes:
    """All bytes of a file or object.

    Raises:
        StorageError: it does not exist, or may not be read.
        IntegrityError: an object is not what its writer wrote.
    """
    if is_s3(address):
        with tempfile.TemporaryDirectory() as directory:
            return fetch(address, Path(directory) / "object").read_bytes()
    try:
        return Path(address).read_bytes()
    except FileNotFoundError:
        raise StorageError(f"{address}: no such file (looked in {Path.cwd()})") from None
    except IsADirectoryError:
        raise StorageError(f"{address}: is a directory, expected a file") from None
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


def exists(address: str) -> bool:
    """Whether a file or object is there.

    Raises:
        StorageError: the store does not say (no such bucket, no permission, no connection).
    """
    return head(address) is not None if is_s3(address) else Path(address).exists()


def fetch(address: str, target: Path, sha256: str | None = None) -> Path:
    """Copies a file or object to a local path, whole or not at all.

    Args:
        address: path or s3:// address.
        target: local path.
        sha256: the digest that the content must have (`sha256:<hex>`); None: an object is checked against the digest
            that its writer gave it, a file is not checked.

    Raises:
        StorageError: it does not exist, or may not be read. Of a large object, what has arrived is kept beside the
            target, and the next call goes on behind it.
        IntegrityError: it does not have its digest; the target is as it was.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{target}: its directory cannot be made: {error.strerror}") from None
    try:
        return download(address, target, sha256) if is_s3(address) else _copy(address, target, sha256)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror or error}") from None


def put(source: Path, address: str, sha256: str | None = None) -> None:
    """Copies a local file to an address, whole or not at all.

    Args:
        source: local file.
        address: path or s3:// address.
        sha256: the file's digest, where the caller has taken it.

    Raises:
        StorageError: it cannot be written.
    """
    if not is_s3(address):
        fetch(str(source), Path(address))
        return
    try:
        upload(source, address, sha256)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{source}: {error.strerror or error}") from None


def put_text(text: str, address: str) -> None:
    """Writes a text to an address, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "text"
        source.write_text(text, encoding="utf-8")
        put(source, address)


def delete(address: str) -> None:
    """Removes a file or object; harmless where there is none.

    Raises:
        StorageError: it cannot be removed.
    """
    if is_s3(address):
        delete_object(address)
        return
    try:
        Path(address).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


def delete_tree(address: str) -> None:
    """Removes all files or objects below an address; harmless where there are none.

    Raises:
        StorageError: one cannot be removed.
    """
    if is_s3(address):
        for found in list_addresses(address):
            delete_object(found)
        return
    try:
        shutil.rmtree(address)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


def _copy(address: str, target: Path, sha256: str | None) -> Path:
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        shutil.copyfile(address, partial)
        if sha256 is not None and (found := digest_file(partial)) != sha256:
            raise IntegrityError(f"{address}: has digest {found}, expected {sha256}")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
