"""Repeats calls to MLflow until a deadline while the server is away, and turns mlflow's errors into ours."""

import re
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from components.shared.config.sqlite_addresses import sqlite_path
from components.shared.errors import ConfigError, PlimsollError, TrackingError
from components.shared.redaction import redacted
from components.shared.storage import full_disk_error, is_full
from components.shared.tracking.sqlite_stores import holders
from components.shared.tracking.waiting import say_waiting, told_while_waiting

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEADLINE_S = 600.0
"""Seconds for which a call is repeated. A rolling update or a failover of the database takes less."""
FIRST_ANSWER_S = 30.0
"""Seconds for which a command that a person waits for tries to open a store."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 10.0
_CONNECT_S, _LOCK_WAIT_S = 10, 1
"""Seconds for one connection to a database, and for one try at a locked sqlite file."""
_ONCE = ("create_run", "create_model_version")
"""Calls that must not be repeated blindly: where only the answer was lost, a second one makes a second run or version.
Their callers use `until_deadline` with a function that looks for the first one before it creates."""

_NO_ANSWER = re.compile(r"was not in a valid JSON format|failed with error code [23]\d\d != 200")
"""mlflow's words for an answer that is none of its server: a login page, a redirect to one, an empty one."""

_READERS = ("rest_utils", "proto_json_utils", "rest_store")
"""Modules of mlflow that read a server's answer."""

_Result = TypeVar("_Result")


class MlflowRefusalError(TrackingError):
    """The MLflow store answered with an error that trying again does not cure.

    Attributes:
        code: MLflow's error code, such as RESOURCE_DOES_NOT_EXIST; empty if the error has none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def retrying(client: "MlflowClient", uri: str, deadline_s: float = DEADLINE_S) -> "MlflowClient":
    """The same client with every call repeated by `until_deadline`, except create_run and create_model_version."""
    return cast("MlflowClient", _RetryingClient(client, uri, deadline_s))


def until_deadline(call: Callable[[], _Result], uri: str, deadline_s: float = DEADLINE_S) -> _Result:
    """The result of a call to MLflow, which is repeated with growing pauses while the server is away.

    Args:
        call: made at least once; repeating it must do no harm.
        uri: of the MLflow store.
        deadline_s: seconds from the first failure to the last try; 0 for a single try.

    Raises:
        TrackingError: the server did not come back in time, or its disk is full.
        MlflowRefusalError: the store answered, but with an error.
        FullDiskError: a disk of this machine is full.
    """
    with told_while_waiting(redacted(uri), deadline_s):
        return _repeated(call, uri, deadline_s)


def _repeated(call: Callable[[], _Result], uri: str, deadline_s: float) -> _Result:
    from google.protobuf.json_format import ParseError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    shown, deadline, pause = redacted(uri), None, _FIRST_PAUSE_S
    while True:
        try:
            return call()
        except PlimsollError:  # some are OSErrors
            raise
        except (ParseError, AttributeError, TypeError, UnicodeDecodeError) as error:
            if not uri.startswith("http") or not _came_from_an_answer(error):
                raise
            raise MlflowRefusalError(
                f"MLflow store {shown!r} answered what is no answer of an MLflow server: {error}; check that "
                "tracking.uri names MLflow itself, not a login page, a proxy or another service"
            ) from error
        except (MlflowException, SQLAlchemyError, OSError) as error:
            if is_full(error):
                raise _without_room(error, uri) from error
            if not _is_outage(error, uri):
                raise MlflowRefusalError(
                    f"MLflow store {shown!r} refused a call: {error}; check that tracking.uri names the right "
                    "store and, for a server, that the credentials may read and write it",
                    getattr(error, "error_code", ""),
                ) from error
            now = time.monotonic()
            if deadline is None:
                deadline = now + deadline_s
                _announce(error, uri, deadline_s)
            if now >= deadline:
                raise TrackingError(_given_up(error, uri, deadline_s)) from error
        time.sleep(min(pause, deadline - now))
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def reach_database(uri: str) -> None:
    """Connects to a store that is a database, once and without waiting: mlflow itself tries for two silent minutes.

    Raises:
        ConfigError: the database's driver is not installed, or the address is none of a database.
        sqlalchemy.exc.SQLAlchemyError: there is no connection.
    """
    if uri.startswith("http"):
        return
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError
    from sqlalchemy.pool import NullPool

    wait = {"timeout": _LOCK_WAIT_S} if uri.startswith("sqlite") else {"connect_timeout": _CONNECT_S}
    try:
        with create_engine(uri, poolclass=NullPool, connect_args=wait).connect() as connection:
            if uri.startswith("sqlite"):
                connection.exec_driver_sql("PRAGMA schema_version")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"tracking.uri: MLflow store {redacted(uri)!r} needs the driver {error.name!r}, which is not "
            "installed: install it, or name the one that you have, such as postgresql+psycopg2://"
        ) from None
    except ArgumentError as error:
        raise ConfigError(
            f"tracking.uri: {redacted(uri)!r} is no address of a database: {error}; expected one such as "
            "postgresql+psycopg2://USER@HOST/DATABASE"
        ) from None


class _RetryingClient:
    def __init__(self, client: "MlflowClient", uri: str, deadline_s: float) -> None:
        self._client, self._uri, self._deadline_s = client, uri, deadline_s

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name in _ONCE:
            return method
        return lambda *args, **kwargs: until_deadline(partial(method, *args, **kwargs), self._uri, self._deadline_s)

    def download_artifacts(self, run_id: str, path: str, dst_path: str) -> str:
        """Like MlflowClient.download_artifacts, but that one reports every failure, an outage too, as a wrong path."""
        import mlflow

        download = partial(
            mlflow.artifacts.download_artifacts,
            artifact_uri=f"{self.get_run(run_id).info.artifact_uri}/{path}",
            dst_path=str((Path(dst_path) / path).parent),
            tracking_uri=self._uri,
        )
        return until_deadline(download, self._uri, self._deadline_s)


def _came_from_an_answer(error: Exception) -> bool:
    """Whether an error arose where mlflow's HTTP client reads an answer, and not in a call of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(name in frame.filename for frame in frames for name in _READERS)


def _is_outage(error: Exception, uri: str) -> bool:
    """Whether a later try may succeed: no connection, a timeout, an overloaded or failing server, a locked sqlite file.

    As mlflow 3.17 raises them: what its HTTP client meets (refused, reset, timed out, 408, 429, 5xx) is an
    MlflowException INTERNAL_ERROR; an error that the server answers with has the server's code; an artifact's upload or
    download raises requests' own errors, and several downloads one MlflowException with their texts.
    """
    from mlflow.exceptions import InvalidUrlException, MlflowException
    from requests import RequestException
    from sqlalchemy.exc import OperationalError

    if uri.startswith("sqlite"):
        return _is_locked(error)
    if isinstance(error, InvalidUrlException) or " Client Error: " in str(error):  # requests' words for 4xx
        return False
    if _NO_ANSWER.search(str(error)):
        return False
    if isinstance(error, MlflowException):
        status = int(error.get_http_status_code())  # type: ignore[no-untyped-call]
        return status >= 500 or status == 429
    return isinstance(error, RequestException | OperationalError)


def _without_room(error: Exception, uri: str) -> PlimsollError:
    """The error for a disk that is full: that of a file, of the sqlite store, or of the server."""
    if isinstance(error, OSError) and (error.filename or error.errno):
        return full_disk_error(error)
    if (database := sqlite_path(uri)) is not None:
        return full_disk_error(error, database)
    return TrackingError(
        f"MLflow store {redacted(uri)!r} has no room left: {error}; free some on the disk of the server, and "
        "run the step again"
    )


def _is_locked(error: Exception) -> bool:
    return "database is locked" in str(error)


def _given_up(error: Exception, uri: str, deadline_s: float) -> str:
    shown = redacted(uri)
    if (database := sqlite_path(uri)) is not None:
        who = holders(database) or f"another process (`lsof {database}` may name it)"
        return (
            f"MLflow store {shown!r} was locked for {deadline_s:.0f} s, expected it to be free within that time: it is "
            f"open in {who}; wait until that has finished, or end it, and run again"
        )
    return (
        f"MLflow store {shown!r} did not answer for {deadline_s:.0f} s, expected an answer within that time: {error}; "
        "start the server, or correct tracking.uri, and run the step again"
    )


def _announce(error: Exception, uri: str, deadline_s: float) -> None:
    if deadline_s > 0:
        until = datetime.now().astimezone() + timedelta(seconds=deadline_s)
        reason = " ".join(str(error).split())
        what = "does not answer"
        if (database := sqlite_path(uri)) is not None:
            what, reason = "is locked", f"open in {holders(database) or 'another process'}"
        say_waiting(redacted(f"{uri} {what}; trying again until {until:%H:%M:%S} ({reason})"))
