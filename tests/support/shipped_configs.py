"""The shipped pipeline configs, with what a user has to fill in."""

from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""In place of a real commit, which no test can know."""

FILLED_IN = {"qwen3-8b-support": (f"base_model.revision={COMMIT}",)}
"""What replaces the placeholders of a config, as for `--set`."""


def filled_in(path: Path) -> tuple[str, ...]:
    """The overrides without which a shipped config is refused."""
    return FILLED_IN.get(path.stem, ())
