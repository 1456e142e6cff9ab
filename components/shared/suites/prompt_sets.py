"""Reads the prompt set written by prepare_data, and checks its digest."""

from pathlib import Path
from typing import NamedTuple

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.artifacts.training_data import PromptSet
from components.shared.digests import digest_bytes
from components.shared.errors import IntegrityError
from components.shared.suites.suite_files import parse_prompts


class LoadedPrompts(NamedTuple):
    """A prompt set and its prompts."""

    prompt_set: PromptSet
    prompts: tuple[SuitePrompt, ...]


def load_prompts(directory: Path) -> LoadedPrompts:
    """The prompts below a directory.

    Raises:
        IntegrityError: the prompts were changed after prepare_data wrote them.
    """
    prompt_set = PromptSet.load(directory / "prompt_set.json")
    path = directory / "prompts.jsonl"
    content = path.read_bytes()
    if (digest := digest_bytes(content)) != prompt_set.prompts_sha256:
        raise IntegrityError(f"{path}: has digest {digest}, expected {prompt_set.prompts_sha256}")
    return LoadedPrompts(prompt_set, parse_prompts(content, str(path)))
