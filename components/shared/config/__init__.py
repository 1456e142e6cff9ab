"""What a user writes: strict, frozen pydantic models, and how their files are read.

`sections` holds the parts of a pipeline config, `policy` what the gate may let through, `files` the reading of
YAML with errors that name file, line, field, value and expectation. Nothing here knows how a value is used.
"""
