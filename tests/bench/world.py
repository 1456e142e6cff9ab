"""Makes what the benchmark runs on: a small chat model whose answers have lengths that are known, and prompts.

The layers are random weights. The output rows are fitted, so that every word is followed by its successor and the last
one by the end token: the last word of a prompt decides the answer, and with it its length. So all engines draw the
same greedy answers, ragged as geometric lengths are, and whoever draws others is caught. At temperature 1 the walk
jumps now and then, and answers are ragged by chance.

Run as `python world.py FOLDER`.
"""

import json
import math
import random
import sys
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

SEED = 20240501
PROMPTS = 400
MAX_NEW_TOKENS = 256
MEAN_LENGTH = 50
"""Mean of the geometric lengths that the greedy answers are drawn from, words."""

SPECIAL = ("<|pad|>", "<|end|>", "<|unk|>", "<|system|>", "<|user|>", "<|assistant|>")
END = "<|end|>"
_VOCABULARY = 1024
_TRUNK = 300
"""Words in the chain: longer than an answer may be, so that some answers are cut."""

_FOLLOWS = 0.9
"""Probability of the successor at temperature 1; the rest is spread over all words."""

_FIT_STEPS = 400
_LAYERS_NOISE = 0.4
"""What the random layers add to a word's embedding is about this large, beside 1."""

_TEMPLATE = "{% for message in messages %}{{ '<|' + message['role'] + '|> ' + message['content'] }}{% endfor %}"
"""The prompt's last word comes last of all, since the answer follows from it."""

_SHAPE = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 512,
}


class Prompt(NamedTuple):
    """One prompt and the greedy answer to it."""

    id: str
    prompt: str
    answer: str


def words() -> list[str]:
    """The vocabulary without its special tokens: each word is one token, so tokens can be counted in any text."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    made = ("".join(parts) for parts in product(syllables, repeat=2))
    return random.Random(SEED).sample(list(made), _VOCABULARY - len(SPECIAL))


def successors() -> dict[str, str]:
    """Which word follows which: a chain down to the end token, and words beside it that lead into it."""
    chooser, vocabulary = random.Random(SEED + 1), words()
    trunk, others = vocabulary[:_TRUNK], vocabulary[_TRUNK:]
    following = dict(zip(trunk, [END, *trunk], strict=False))
    following |= {word: trunk[min(_geometric(chooser, MEAN_LENGTH), _TRUNK) - 1] for word in others}
    return following


def prompts() -> list[Prompt]:
    """Prompts of 8 to 200 words, half of them below 40, and answers of geometric length."""
    chooser, vocabulary, following = random.Random(SEED + 2), words(), successors()
    made = []
    for place in range(PROMPTS):
        length = min(200, max(8, round(chooser.lognormvariate(math.log(40), 0.8))))
        last = vocabulary[min(_geometric(chooser, MEAN_LENGTH), _TRUNK - 1)]
        text = " ".join([*chooser.choices(vocabulary, k=length - 1), last])
        made.append(Prompt(f"ragged-{place:03d}", text, " ".join(islice(_walk(last, following), MAX_NEW_TOKENS))))
    return made


def save_model(folder: Path) -> None:
    """Writes weights, tokenizer and generation settings.

    Args:
        folder: made if need be.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(SEED)
    ends = {"pad_token_id": SPECIAL.index("<|pad|>"), "eos_token_id": SPECIAL.index(END), "bos_token_id": None}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=_VOCABULARY, tie_word_embeddings=False, **_SHAPE, **ends))
    place = {word: index for index, word in enumerate((*SPECIAL, *words()))}
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_()
    following = torch.tensor([place[word] for word in successors().values()])
    known = torch.tensor([place[word] for word in successors()])
    model.lm_head.weight.data = _output_rows(model.model.embed_tokens.weight.data[known], following)
    # Plain sampling from the whole distribution, unless asked otherwise: the library's default is the top 50.
    model.generation_config = GenerationConfig(do_sample=True, top_k=0, **ends)
    model.save_pretrained(folder)
    _tokenizer(place).save_pretrained(folder)


def _output_rows(embedded: "torch.Tensor", following: "torch.Tensor") -> "torch.Tensor":
    """Fits vocabulary x hidden: after each word its successor, for what the layers make of the word."""
    import torch

    spread = torch.full((_VOCABULARY,), (1 - _FOLLOWS) / (_VOCABULARY - len(SPECIAL)))
    spread[: len(SPECIAL)] = 0.0
    wanted = spread + _FOLLOWS * torch.nn.functional.one_hot(following, _VOCABULARY)
    rows = torch.zeros((_VOCABULARY, embedded.shape[1]), requires_grad=True)
    optimizer = torch.optim.Adam([rows], lr=0.02)
    for _ in range(_FIT_STEPS):
        seen = embedded + _LAYERS_NOISE * torch.randn_like(embedded)
        logits = torch.nn.functional.rms_norm(seen, seen.shape[-1:]) @ rows.T
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, wanted).backward()
        optimizer.step()
    return rows.detach()


def save_adapter(model: Path, folder: Path) -> None:
    """Writes a LoRA adapter that changes nothing: what it costs to carry one along."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    settings = LoraConfig(r=8, target_modules=targets, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(model), settings).save_pretrained(str(folder))


def _tokenizer(place: dict[str, int]):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(place, unk_token="<|unk|>"))  # noqa: S106 - not a password
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",  # noqa: S106
        eos_token=END,
        unk_token="<|unk|>",  # noqa: S106
        additional_special_tokens=["<|system|>", "<|user|>", "<|assistant|>"],
        chat_template=_TEMPLATE,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def _walk(word: str, following: dict[str, str]):
    while (word := following[word]) != END:
        yield word


def _geometric(chooser: random.Random, mean: float) -> int:
    return 1 + int(math.log(1.0 - chooser.random()) / math.log(1.0 - 1.0 / mean))


def main(folder: Path) -> None:
    """Makes everything."""
    save_model(folder / "model")
    save_adapter(folder / "model", folder / "adapter")
    with (folder / "prompts.jsonl").open("w") as lines:
        for prompt in prompts():
            lines.write(json.dumps(prompt._asdict()) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
