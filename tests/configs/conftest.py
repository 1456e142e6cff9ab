"""The command line, called in this process, for the tests of the shipped configs."""

from tests.pipelines.conftest import call, quick_names_of_callers

__all__ = ["call", "quick_names_of_callers"]
