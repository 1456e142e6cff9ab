"""Python runs this file at its start where this folder is in PYTHONPATH: the faults of a chaos test are put in place."""

from tests.chaos import faults

faults.install()
