"""Computes the digest of a LoRA adapter from its files."""

from pathlib import Path

from components.shared.digests import digest_files
from components.shared.errors import IntegrityError

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
"""All files of an adapter: safetensors only, no pickle."""


def adapter_digest(directory: Path) -> str:
    """The digest of an adapter's two files.

    Raises:
        IntegrityError: one of them is missing.
    """
    for name in ADAPTER_FILES:
        if not (directory / name).is_file():
            raise IntegrityError(f"{directory}: holds no {name}; it is not an adapter that finetune_lora wrote")
    return digest_files(directory, ADAPTER_FILES)
