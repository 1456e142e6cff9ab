"""Waits until the MLflow database has the schema of the MLflow that runs this, then ends with exit code 0.

Runs as an init container, before the server. It only reads: the migration Job changes the schema. It prints no
address, because the address holds a password.
"""

import os
import sys
import time

from mlflow.store.db import utils
from sqlalchemy.exc import SQLAlchemyError

PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "5"))


def found_and_expected(address: str) -> tuple[str, str]:
    """The schema's revision in the database, or why there is none, and the revision that this MLflow needs."""
    expected = utils._get_latest_schema_revision()  # noqa: SLF001 - MLflow has no public name for it
    engine = utils.create_sqlalchemy_engine(address)
    try:
        return utils._get_schema_version(engine) or "an empty database", expected  # noqa: SLF001
    except SQLAlchemyError as error:
        return f"no database ({type(error).__name__})", expected
    finally:
        engine.dispose()


def main() -> int:
    """Polls until found and expected are equal; exit code 1 after WAIT_SECONDS."""
    end = time.monotonic() + float(os.environ.get("WAIT_SECONDS", "600"))
    while True:
        found, expected = found_and_expected(os.environ["MLFLOW_BACKEND_STORE_URI"])
        if found == expected:
            sys.stdout.write(f"the database has schema {expected}\n")
            return 0
        sys.stdout.write(f"waiting for the migration: found {found}, expected {expected}\n")
        sys.stdout.flush()
        if time.monotonic() >= end:
            sys.stdout.write("gave up: look at the Job mlflow-migration\n")
            return 1
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
