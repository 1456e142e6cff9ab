"""Reads the files of published benchmarks, and files of one's own, as suite prompts; nothing is bundled."""

from components.shared.suites.benchmarks.published import BENCHMARKS

__all__ = ["BENCHMARKS"]
