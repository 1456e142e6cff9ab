"""Replies that are kept."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.shared.errors import IntegrityError, StorageError
from components.shared.judges.models.endpoint import Reply
from components.shared.judges.models.replies import ReplyCache
from components.shared.signing import SigningKey

KEY = f"sha256:{'ab' * 32}"


def test_replies_are_kept_in_s3_from_several_threads(bucket: str):
    """Threads keep and find replies in S3; a bucket that does not exist is found when the cache is opened."""
    address = f"{bucket}/replies"
    keys = [f"sha256:{n:064x}" for n in range(12)]
    cache = ReplyCache(address)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: cache.put(key, Reply(key, "stop")), keys))
        found = list(pool.map(ReplyCache(address).get, [*keys, KEY]))
    assert found == [*(Reply(key, "stop") for key in keys), None]
    with pytest.raises(StorageError, match="NoSuchBucket"):
        ReplyCache("s3://other/replies")


def test_a_reply_comes_back(tmp_path):
    """What was put is found by its key, by whoever opens the address, and nothing else is."""
    reply = Reply("Verdict: päss \u2028", "stop", "m")
    ReplyCache(str(tmp_path)).put(KEY, reply)
    assert ReplyCache(str(tmp_path)).get(KEY) == reply
    assert ReplyCache(str(tmp_path)).get(KEY.replace("ab", "ac")) is None


def test_without_an_address_nothing_is_kept():
    """The cache may be off."""
    cache = ReplyCache(None)
    cache.put(KEY, Reply("x", "stop"))
    assert cache.get(KEY) is None


@pytest.mark.parametrize("damage", ["text", "key", "cut", "list"])
def test_a_changed_reply_is_refused(tmp_path, damage):
    """A kept reply that was edited, moved or cut is an error that says what to do."""
    cache = ReplyCache(str(tmp_path))
    cache.put(KEY, Reply("Verdict: fail", "stop"))
    (path,) = tmp_path.rglob("*.json")
    entry = json.loads(path.read_text())
    entry["reply"]["text"] = "Verdict: pass" if damage == "text" else entry["reply"]["text"]
    entry["key"] = "sha256:00" if damage == "key" else entry["key"]
    whole = json.dumps([1] if damage == "list" else entry)
    path.write_text(whole[:40] if damage == "cut" else whole)
    with pytest.raises(IntegrityError, match="this kept reply is damaged or was changed; remove it and run again"):
        cache.get(KEY)


def test_with_a_key_only_signed_replies_are_believed(tmp_path):
    """A reply that was edited together with its digest, moved to another request, or never signed is refused."""
    key, reply = SigningKey("STORE_KEY", "5f0c2f6e9d6b4a1c8e7d3b2a19080706"), Reply("Verdict: pass", "stop", "m")
    signed, unsigned = ReplyCache(str(tmp_path), key), ReplyCache(str(tmp_path))
    signed.put(KEY, reply)
    assert signed.get(KEY) == unsigned.get(KEY) == reply
    path = tmp_path / "ab" / f"{'ab' * 32}.json"
    signature = json.loads(path.read_text())["signature"]
    unsigned.put(KEY, Reply("Verdict: fail", "stop", "m"))
    refused = "not signed with the key in STORE_KEY: .*; remove it and run again"
    with pytest.raises(IntegrityError, match=refused):
        signed.get(KEY)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"signature": signature}))
    with pytest.raises(IntegrityError, match=refused):
        signed.get(KEY)
