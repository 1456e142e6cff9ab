"""Python runs this file at its start where PYTHONPATH names its folder: it puts the faults of a chaos test in place."""

from tests.chaos import faults

faults.install()
