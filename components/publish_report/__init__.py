"""Always runs last: writes the report and closes the run."""
