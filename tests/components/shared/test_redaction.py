"""No password in an address is shown."""

import pickle
import time

import pytest

from components.shared.errors import ConfigError, StorageError
from components.shared.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://team:s3cret@db:5432/mlflow", "postgresql://team:***@db:5432/mlflow"),
        ("connect to 'https://a:s3cret@h/x' failed", "connect to 'https://a:***@h/x' failed"),
        ("http://:s3cret@h, http://b:s3cret@h", "http://:***@h"),
        ("postgresql+psycopg2://u:s3/c@r:et@db/x", "postgresql+psycopg2://u:***@db/x"),
        ("postgresql://u:s3 cret@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:s3\ncret@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:5432@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u@db/x?sslmode=require&password=s3cret#a", "postgresql://u@db/x?sslmode=require&password=***#a"),
        ("GET http://h/v1?api_key=s3cret HTTP", "GET http://h/v1?api_key=*** HTTP"),
    ],
)
def test_passwords_are_removed(text: str, shown: str):
    """Behind a user's name and in a query, whatever characters they have; the rest stays."""
    assert redacted(text).startswith(shown)
    assert "s3" not in redacted(text)
    assert "cret" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "hub://org/name@0123abc",
        "http://localhost:5000/#/runs and me@example.com",
        "models:/careful@champion on http://localhost:5000/x",
        "postgresql://team@db:5432/mlflow?sslmode=require",
        "sqlite:////a:b@c/mlflow.db",
        "s3://bucket/a:b",
        "no address: a:b@c",
    ],
)
def test_everything_else_stays(text: str):
    """Ports, revisions, aliases, users and paths are no passwords."""
    assert redacted(text) == text


def test_our_errors_never_quote_a_password():
    """Whatever a library said, and also after a process boundary."""
    for kind in (ConfigError, StorageError):
        error = kind("no connection to postgresql://u:s3cret@db/x")
        assert str(error) == "no connection to postgresql://u:***@db/x"
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own


def test_hostile_texts_take_no_time():
    """Long texts of half addresses, as a judge's endpoint might return them."""
    started = time.monotonic()
    for text in ("://a:" * 20_000, "x://" + "a" * 100_000, "://a:b@" * 15_000, "?token=" * 15_000 + "://"):
        redacted(text)
    assert time.monotonic() - started < 5
