"""Where calibrations are kept: in the content-addressed store, under what they are about.

It does not know how a calibration is made, or what it says.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from components.shared.artifacts.gate_calibration import Calibration
from components.shared.store import Store

CALIBRATION_KIND = "calibration"
"""Calibrations, by suites, judges, sampling, base model and policy; a newer one replaces an older one."""

_FILE = "calibration.json"


def keep_calibration(store: Store, calibration: Calibration) -> str:
    """Keeps a calibration and returns its key.

    Raises:
        StorageError: the store cannot be written.
    """
    with TemporaryDirectory() as directory:
        calibration.save(Path(directory) / _FILE)
        store.put(CALIBRATION_KIND, calibration.key, Path(directory))
    return calibration.key


def known_calibration(store: Store, key: str) -> Calibration | None:
    """The calibration kept under a key (`artifacts.calibration.calibration_key`), or None.

    Raises:
        IntegrityError: it was changed since it was kept.
        StorageError: the store cannot be read.
    """
    with TemporaryDirectory() as directory:
        if not store.fetch(CALIBRATION_KIND, key, Path(directory)):
            return None
        return Calibration.load(Path(directory) / _FILE)
