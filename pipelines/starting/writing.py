"""Writes a first config, once it has passed the preflight, and the shipped files that it names."""

from pathlib import Path

from components.shared.config.anchoring import anchor
from components.shared.config.reading import load_policy
from components.shared.errors import PlimsollError, StorageError
from pipelines.printing import echo
from pipelines.running.check_notes import show_skipped
from pipelines.running.preflight import check_run
from pipelines.starting.first_config import FirstConfig
from pipelines.starting.shipped import copy_shipped


def write_config(first: FirstConfig) -> None:
    """Copies the shipped policy and suites that are not there yet, checks the config, and writes it.

    What this machine does not reach, such as the hub, is said and not checked.

    Args:
        first: the config.

    Raises:
        PlimsollError: the config would not pass the preflight; it is not written.
    """
    for name in copy_shipped([first.policy, *first.suites]):
        echo(f"copied {name}")
    try:
        config = anchor(first.config(), Path.cwd())
        show_skipped(check_run(config, load_policy(first.policy), None))
    except PlimsollError as error:
        error.add_note(f"{first.file} was not written")
        raise
    try:
        Path(first.file).parent.mkdir(parents=True, exist_ok=True)
        Path(first.file).write_text(first.text(), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{first.file}: cannot be written: {error.strerror}") from None
    echo(f"wrote {first.file}. Next:")
    for command in ("doctor", "config check", "run"):
        echo(f"  plimsoll {command} {first.file}")
