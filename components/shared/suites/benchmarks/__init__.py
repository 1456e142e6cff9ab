"""Reads the files of published benchmarks, and custom files, as suite prompts. No file is bundled."""
