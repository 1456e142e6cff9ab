"""What a user writes: strict, frozen pydantic models of pipeline configs and policies, and how their files are read."""
