"""Makes the toy base model once and keeps it: an ordinary `save_pretrained` directory.

    python -m pipelines.demo.toy_base ~/.cache/plimsoll

The directory is named by a hash of everything that decides the weights, and appears by one rename, so that a killed
build leaves nothing that looks like a model.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from components.shared.progress import Say, duration
from pipelines.demo.base_recipe import BaseRecipe
from pipelines.demo.corpus import Corpus, build_corpus
from pipelines.demo.pretraining import train
from pipelines.demo.tokenizer import CHAT_TEMPLATE, END, PAD, ROLES, train_tokenizer

_TRAINING_VERSION: Final = 2
"""Raised by hand when `pretraining` changes in a way that changes the weights."""


def ensure_base_model(cache_dir: Path, say: Say = print, recipe: BaseRecipe | None = None) -> Path:
    """Return the toy base model's directory, training the model if it is not in `cache_dir`.

    Training takes about one and a half minutes on two cores. Two processes may build at once: the
    first to finish wins and the other reuses its model.
    """
    recipe = recipe or BaseRecipe()
    corpus = build_corpus(recipe.helpful_chats, recipe.aligned_chats, recipe.harmful_share, recipe.seed)
    target = cache_dir / f"toy-base-{recipe_digest(recipe, corpus)[:16]}"
    if target.is_dir():
        say(f"reusing the toy base model at {target}")
        return target
    say(f"training the toy base model (about 90 s, once) into {target}")
    started = time.monotonic()
    cache_dir.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache_dir))
    try:
        _build(building, recipe, corpus, say)
        _publish(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    say(f"trained the toy base model in {duration(time.monotonic() - started)}: {target}")
    return target


def recipe_digest(recipe: BaseRecipe, corpus: Corpus) -> str:
    """Hash (sha256, hex) of the recipe's values, the corpus and the tokenizer's settings."""
    tokenizer = [PAD, END, *ROLES, CHAT_TEMPLATE]
    content = [_TRAINING_VERSION, asdict(recipe), tokenizer, corpus.helpful, corpus.aligned]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _build(directory: Path, recipe: BaseRecipe, corpus: Corpus, say: Say) -> None:
    tokenizer = train_tokenizer(_texts(corpus), recipe.vocab_size)
    model = train(recipe, corpus, tokenizer, say)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def _publish(building: Path, target: Path) -> None:
    building.chmod(0o755)  # mkdtemp makes it private, and so does safetensors its files
    for path in building.iterdir():
        path.chmod(0o644)
    try:
        building.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _texts(corpus: Corpus) -> Iterator[str]:
    for row in (*corpus.helpful, *corpus.aligned):
        for message in row["messages"]:
            yield message["content"]


if __name__ == "__main__":
    ensure_base_model(Path(sys.argv[1]).expanduser())
