"""Uploads a file: streamed from disk, in parts where it is large, resumed where an earlier call broke off.

Every request carries the sha256 of what it sends, which the store checks, and the object carries that of the whole.
Parts that an unfinished upload of the same key already holds are not sent again, if all of them are parts of this very
file. An upload that is never finished is kept by the store until a lifecycle rule removes it. Not known here: what
the bytes mean.
"""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.digests import digest_file
from components.shared.errors import StorageError
from components.shared.storage.addresses import S3Address, parse_s3
from components.shared.storage.objects import DIGEST_KEY, ObjectHead, head
from components.shared.storage.problems import code_of, translated
from components.shared.storage.s3_client import s3_client

PART = 16 << 20
"""Bytes of a part; a smaller file is sent in one request."""

_MOST_PARTS = 9_000
"""S3 allows 10,000; a larger file has larger parts."""
_WORKERS = 4
"""Parts that are sent at once, and held in memory."""


class _Piece(NamedTuple):
    """Where a part lies in the file."""

    number: int
    start: int
    size: int


def upload(source: Path, address: str, sha256: str | None = None) -> None:
    """Copies a file to S3, whole or not at all; a large one that is there already is not sent again.

    Args:
        source: local file.
        address: s3:// address.
        sha256: the file's digest where the caller has taken it.

    Raises:
        StorageError: it cannot be written.
        OSError: the file cannot be read.
    """
    size = source.stat().st_size
    own = ObjectHead(size, sha256 or digest_file(source))
    with translated(address):
        if size <= PART:
            _send(source, parse_s3(address), own)
        elif head(address) != own:
            _send_parts(source, parse_s3(address), own, resume=True)
            if head(address) != own:  # resumed from an upload that was begun for other content with the same start
                _send_parts(source, parse_s3(address), own, resume=False)
                if head(address) != own:
                    raise StorageError(f"{address}: is written by someone else at the same time; run again")


def _send(source: Path, place: S3Address, own: ObjectHead) -> None:
    with source.open("rb") as stream:
        s3_client().put_object(
            Bucket=place.bucket, Key=place.key, Body=stream, ChecksumAlgorithm="SHA256", Metadata=_metadata(own)
        )


def _send_parts(source: Path, place: S3Address, own: ObjectHead, resume: bool) -> None:
    from botocore.exceptions import ClientError

    client, at = s3_client(), {"Bucket": place.bucket, "Key": place.key}
    pieces = _pieces(own.size)
    upload_id = _unfinished(place) if resume else None
    kept = _kept_parts(source, at, upload_id, pieces) if upload_id is not None else {}
    if not kept:
        begun = client.create_multipart_upload(**at, ChecksumAlgorithm="SHA256", Metadata=_metadata(own))
        upload_id = begun["UploadId"]

    def send(piece: _Piece) -> dict[str, Any]:
        if piece.number in kept:
            return kept[piece.number]
        content = _read(source, piece)
        checksum = _checksum(content)
        answer = client.upload_part(
            **at, UploadId=upload_id, PartNumber=piece.number, Body=content, ChecksumSHA256=checksum
        )
        return {"PartNumber": piece.number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    try:
        with ThreadPoolExecutor(_WORKERS) as pool:
            parts = _all(pool, send, pieces)
        client.complete_multipart_upload(**at, UploadId=upload_id, MultipartUpload={"Parts": parts})
    except ClientError as error:
        if code_of(error) != "NoSuchUpload":
            raise
        # Another process finished the same upload: the caller looks at what is there now.


def _all(pool: ThreadPoolExecutor, send: Any, pieces: list[_Piece]) -> list[dict[str, Any]]:
    """Sends every piece; after a failure those that have not begun are left."""
    futures = [pool.submit(send, piece) for piece in pieces]
    try:
        return [future.result() for future in futures]
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise


def _unfinished(place: S3Address) -> str | None:
    """The newest unfinished upload of this very key; None where there is none, or the store does not tell."""
    from botocore.exceptions import ClientError

    try:
        pages = s3_client().get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket, Prefix=place.key)
        found = [own for page in pages for own in page.get("Uploads", []) if own["Key"] == place.key]
    except ClientError:  # not allowed, not known, or another's word for none; what is really wrong comes up next
        return None
    return str(max(found, key=lambda own: own["Initiated"])["UploadId"]) if found else None


def _kept_parts(source: Path, at: dict[str, str], upload_id: str, pieces: list[_Piece]) -> dict[int, dict[str, Any]]:
    """The parts that an upload holds, by number; none where one of them is not a part of this file."""
    from botocore.exceptions import ClientError

    by_number = {piece.number: piece for piece in pieces}
    kept: dict[int, dict[str, Any]] = {}
    try:
        pages = s3_client().get_paginator("list_parts").paginate(**at, UploadId=upload_id)
        parts = [part for page in pages for part in page.get("Parts", [])]
    except ClientError:
        return {}
    for part in parts:
        piece = by_number.get(part["PartNumber"])
        if piece is None or part["Size"] != piece.size:
            return {}
        content = _read(source, piece)
        checksum = _checksum(content)
        same = (
            part["ChecksumSHA256"] == checksum
            if "ChecksumSHA256" in part
            else part["ETag"].strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest()
        )
        if not same:
            return {}
        kept[piece.number] = {"PartNumber": piece.number, "ETag": part["ETag"], "ChecksumSHA256": checksum}
    return kept


def _pieces(size: int) -> list[_Piece]:
    part = max(PART, -(-size // _MOST_PARTS))
    starts = range(0, size, part)
    return [_Piece(number, start, min(part, size - start)) for number, start in enumerate(starts, 1)]


def _read(source: Path, piece: _Piece) -> bytes:
    with source.open("rb") as stream:
        stream.seek(piece.start)
        return stream.read(piece.size)


def _checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _metadata(own: ObjectHead) -> dict[str, str]:
    return {DIGEST_KEY: str(own.sha256).removeprefix("sha256:")}
