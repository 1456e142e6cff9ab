"""Addresses of SQLite databases, `sqlite:///PATH`, as SQLAlchemy and MLflow read them.

SQLAlchemy ends the path at a `?` and decodes `%XX` in it; every other character stands for itself.
"""

from pathlib import Path
from urllib.parse import unquote

SQLITE = "sqlite:///"


def sqlite_address(path: str | Path) -> str:
    """The address of a database file, whatever characters its path has."""
    return SQLITE + str(path).replace("%", "%25").replace("?", "%3F")


def sqlite_path(uri: str) -> Path | None:
    """The database file that an address names; None for a server."""
    return Path(unquote(uri.removeprefix(SQLITE).partition("?")[0])) if uri.startswith(SQLITE) else None
