"""Addresses of SQLite databases, compared with what SQLAlchemy opens."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from components.shared.config.anchoring import anchor_tracking
from components.shared.config.sections import TrackingConfig
from components.shared.config.sqlite_addresses import sqlite_address, sqlite_path

NAMES = ["plain", "a b", "a#b", "a?b=c", "a%20b", "50%", "\u00fcml\u00e4ut", "a&b;c'd\"e", "?", "a:b@c"]


@pytest.mark.parametrize("name", NAMES)
def test_sqlalchemy_opens_the_file_that_was_meant(tmp_path: Path, name: str):
    """The database is made at exactly that path, and the address is read back as that path."""
    folder = tmp_path / name
    folder.mkdir()
    address = sqlite_address(folder / "mlflow.db")
    engine = create_engine(address)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER)")
    engine.dispose()
    assert [path.name for path in folder.iterdir()] == ["mlflow.db"]
    assert sqlite_path(address) == Path(str(make_url(address).database)) == folder / "mlflow.db"


def test_a_plain_path_stays_as_it_is():
    """The addresses that configs and records have do not change."""
    assert sqlite_address("/a/mlflow.db") == "sqlite:////a/mlflow.db"
    assert sqlite_path("postgresql://host/db") is None


def test_anchoring_keeps_file_and_options(tmp_path: Path):
    """A relative address becomes that of the same file below the root."""
    root = tmp_path / "a b%20?c"
    anchored = anchor_tracking(TrackingConfig(uri="sqlite:///x%3Fy/m.db?timeout=5"), root)
    assert anchored.sqlite_file == root / "x?y" / "m.db"
    assert anchored.uri.endswith("?timeout=5")
