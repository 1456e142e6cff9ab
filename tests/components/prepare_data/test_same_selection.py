"""The rows that a seed chooses, by digests that were computed before rows were kept on disk."""

import gzip
import json
import random
from pathlib import Path

import pytest

from components.prepare_data.step import prepare_data
from components.shared.config.run_context import RunContext
from components.shared.config.sections import DataConfig, MixSource

WORDS = [
    *("Where", "is", "my", "parcel", "refund", "\u00c4RGER", "stra\u00dfe", "cafe\u0301", "caf\u00e9", "order?"),
    *("\u4e2d\u6587", "\uff10\uff11", "cancel_it", "the-item", "now!!", "please"),
]
INTENTS = ("order", "refund", "delivery", "complaint")


def text(draw: random.Random, longest: int = 6) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(1, longest)))


def row(draw: random.Random, number: int) -> dict:
    turns = [{"role": "system", "content": "Be kind."}] if draw.random() < 0.3 else []
    for _ in range(draw.choice((1, 1, 2, 3))):
        turns += [{"role": "user", "content": text(draw)}, {"role": "assistant", "content": f"{number} {text(draw)}"}]
    return {"messages": turns}


def write(path: Path, seed: int, count: int, intents: bool = False) -> str:
    draw = random.Random(seed)
    rows = [row(draw, number) for number in range(count)]
    if intents:
        rows = [{**row, "intent": draw.choices(INTENTS, (50, 9, 30, 3))[0]} for row in rows]
    path.parent.mkdir(exist_ok=True)
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(tmp_path / "task.jsonl", 1, 600)
    write(tmp_path / "named.jsonl.gz", 2, 500, intents=True)
    write(tmp_path / "folder" / "1.jsonl", 3, 200)
    write(tmp_path / "folder" / "2.jsonl", 4, 150)
    write(tmp_path / "safety.jsonl", 5, 300)
    write(tmp_path / "replay.jsonl", 6, 400)
    return tmp_path


@pytest.mark.parametrize(
    ("train", "heldout", "rare", "seed", "shares", "train_sha256", "prompt_set"),
    [
        ("task.jsonl", 0, 0, 0, (), "a47b9ff52a2f85ac", "bc0b708d32b9939d"),
        ("task.jsonl", 100, 0, 0, (0.2, 0.1), "781995d76ad60d5e", "4e8dfcc0a89a868c"),
        ("task.jsonl", 100, 0, 7, (0.2, 0.1), "b076f11e40de828a", "5accc2c41012b4eb"),
        ("named.jsonl.gz", 40, 20, 3, (0.15,), "97389ca40bd22736", "4286971400e6c6fc"),
        ("task.jsonl", 30, 25, 5, (0.1,), "664cc15df833fddd", "e9110c39a249ec7a"),
        ("folder", 50, 10, 11, (0.1, 0.2), "9ffab1a39e291860", "d24edfee25cd9a13"),
    ],
)
def test_a_seed_chooses_the_same_rows_in_the_same_order(
    files: Path, context: RunContext, train, heldout, rare, seed, shares, train_sha256, prompt_set
):
    """train.jsonl and the held-out prompts are the same bytes as those of version 0.2."""
    mix = tuple(
        MixSource(path=str(files / f"{role}.jsonl"), role=role, share=share)
        for share, role in zip(shares, ("safety", "replay"), strict=False)
    )
    data = DataConfig(train=str(files / train), mix=mix, heldout_rows=heldout, rare_intent_rows=rare, seed=seed)
    result = prepare_data(data, [], files / "data", files / "prompts", context)
    digests = (result.train_sha256, result.inputs["prompt_set"])
    assert [digest.removeprefix("sha256:")[:16] for digest in digests] == [train_sha256, prompt_set]
