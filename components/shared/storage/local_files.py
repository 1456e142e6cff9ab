"""Files by address: each call goes to the local disk or to S3. Also the atomic write to the local disk."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.shared.digests import digest_file
from components.shared.errors import IntegrityError, StorageError
from components.shared.storage.addresses import is_s3
from components.shared.storage.full_disk import names_full_disk
from components.shared.storage.objects import delete_object, head, list_addresses, read_object
from components.shared.storage.transfers import download, upload


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """A path beside the target, to write to: it replaces the target at the end, or is removed after an error.

    The target's directory is made.

    Raises:
        FullDiskError: the disk is full.
        OSError: the directory cannot be made, or the target not be replaced.
    """
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with names_full_disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def read_bytes(address: str) -> bytes:
    """All bytes of a file or object.

    Raises:
        StorageError: it does not exist, or may not be read.
        IntegrityError: an object does not have the digest that its writer recorded.
    """
    if is_s3(address):
        return read_object(address)
    with _translated(address):
        return Path(address).read_bytes()


@contextmanager
def local_file(address: str) -> Iterator[Path]:
    """A local path with the content of a file or object: the file itself, or a temporary copy of the object.

    Raises:
        StorageError: it does not exist, or may not be read.
        IntegrityError: an object does not have the digest that its writer recorded.
    """
    if not is_s3(address):
        with _translated(address):
            Path(address).open("rb").close()
        yield Path(address)
        return
    with tempfile.TemporaryDirectory() as directory:
        yield fetch(address, Path(directory) / "object")


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
            that its writer recorded, a file is not checked.

    Raises:
        StorageError: it does not exist, or may not be read.
        IntegrityError: it does not have its digest; the target is as it was.
    """
    try:
        with names_full_disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{target}: its directory cannot be made: {error.strerror}") from None
    try:
        with atomic_write(target) as partial:
            if is_s3(address):
                download(address, partial, sha256)
            else:
                _copy(address, partial, sha256)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror or error}") from None
    return target


def put(source: Path, address: str, sha256: str | None = None) -> None:
    """Copies a local file to an address, whole or not at all.

    Args:
        source: local file.
        address: path or s3:// address.
        sha256: the file's digest, if the caller has it.

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
        with names_full_disk(source):
            source.write_text(text, encoding="utf-8")
        put(source, address)


def delete(address: str) -> None:
    """Removes a file or object; harmless if there is none.

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
    """Removes all files or objects below an address; harmless if there are none.

    Raises:
        StorageError: one cannot be removed.
    """
    if is_s3(address):
        for object_address in list_addresses(address):
            delete_object(object_address)
        return
    try:
        shutil.rmtree(address)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


@contextmanager
def _translated(address: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise StorageError(f"{address}: no such file (looked in {Path.cwd()})") from None
    except IsADirectoryError:
        raise StorageError(f"{address}: is a directory, expected a file") from None
    except OSError as error:
        raise StorageError(f"{address}: {error.strerror}") from None


def _copy(address: str, target: Path, sha256: str | None) -> None:
    shutil.copyfile(address, target)
    if sha256 is not None and (digest := digest_file(target)) != sha256:
        raise IntegrityError(f"{address}: has digest {digest}, expected {sha256}")
