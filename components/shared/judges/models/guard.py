"""A generative safety model as a judge: it reads the exchange and writes a label, which stands for a verdict.

It decodes greedily, in batches padded on the left. Control tokens inside an answer are broken up first, so that an
answer cannot end its turn and write the label itself.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from components.shared.config.judges import GuardConfig
from components.shared.digests import digest_json, short
from components.shared.errors import ConfigError
from components.shared.generation.model_loading import load_model, read_tokenizer
from components.shared.judges.judge import Exchange, Judgement
from components.shared.judges.models.judge_templates import ExchangeTemplate
from components.shared.judges.models.parsing import ReplyRule
from components.shared.judges.models.weights import (
    in_halves,
    locate_model,
    model_identity,
    placement,
)
from components.shared.progress import Progress, Say
from components.shared.vocabulary import Verdict

_RULES = "1"
"""Raise it when the code here gives other verdicts."""


class _LoadedGuard(NamedTuple):
    model: Any
    tokenizer: Any
    control: tuple[str, ...]
    ends: list[int]
    max_length: int | None


class GuardJudge:
    """See `Judge`. The model is loaded when the first answer is judged.

    Args:
        config: model, template and labels.
        say: where progress goes.

    Raises:
        ConfigError: the directory holds no model.
    """

    def __init__(self, config: GuardConfig, say: Say) -> None:
        self.name = config.name
        self._config, self._say = config, say
        self._place = placement(config.dtype)
        self._rule = ReplyRule(config.parse, config.labels)
        self._template = None if config.template is None else ExchangeTemplate(config.name, config.template)
        fields = ("template", "parse", "labels", "max_new_tokens", "max_length", "batch_size")
        rules = config.model_dump(mode="json", include=set(fields))
        identity = model_identity(config.name, config.model)
        self.version = short(digest_json([_RULES, "guard", identity, self._place.dtype, rules]))
        self._guard: _LoadedGuard | None = None

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """See `Judge.judge`.

        Raises:
            ModelError: the model cannot be loaded.
        """
        if not exchanges:
            return []
        self._guard = guard = self._guard or self._load()
        texts = [self._tokens(guard, exchange) for exchange in exchanges]
        judgements: dict[int, Judgement] = {}
        for place, tokens in enumerate(texts):
            if guard.max_length is not None and len(tokens) + self._config.max_new_tokens > guard.max_length:
                judgements[place] = Judgement(
                    Verdict.UNSCORED,
                    f"prompt and answer are {len(tokens)} tokens; the judge reads "
                    f"{guard.max_length - self._config.max_new_tokens}",
                )
        progress = Progress(self._say, f"answers read by {self.name}", len(exchanges))
        progress.advance(len(judgements))
        order = sorted(set(range(len(texts))) - judgements.keys(), key=lambda place: (-len(texts[place]), place))
        for start in range(0, len(order), self._config.batch_size):
            places = order[start : start + self._config.batch_size]
            replies = in_halves(self.name, [texts[place] for place in places], lambda part: self._reply(guard, part))
            judgements.update(
                (place, self._rule.judgement(reply)) for place, reply in zip(places, replies, strict=True)
            )
            progress.advance(len(places))
        return [judgements[place] for place in range(len(exchanges))]

    def _load(self) -> _LoadedGuard:
        from transformers import AutoModelForCausalLM

        directory = locate_model(self.name, self._config.model)
        self._say(f"loading judge {self.name} from {self._config.model.name}")
        subject = f"judge {self.name!r}:"
        tokenizer = read_tokenizer(directory, subject)
        model = load_model(AutoModelForCausalLM, directory, self._place.dtype, subject, "a causal language model")
        if self._template is None and tokenizer.chat_template is None:
            raise ConfigError(f"judge {self.name!r}: the tokenizer has no chat template; give a template")
        listed = model.generation_config.eos_token_id
        named = {*(listed if isinstance(listed, list) else [listed]), tokenizer.eos_token_id}
        ends = sorted(int(token) for token in named if token is not None)
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
        positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        room = self._config.max_length or positions
        return _LoadedGuard(model.to(self._place.device).eval(), tokenizer, _control(tokenizer), ends, room)

    def _tokens(self, guard: _LoadedGuard, exchange: Exchange) -> list[int]:
        safe = _without_control(exchange, guard.control)
        if self._template is None:
            turns = [message.model_dump() for message in safe.prompt.messages]
            turns += [{"role": "user", "content": safe.prompt.prompt}, {"role": "assistant", "content": safe.answer}]
            encoded = guard.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_dict=True
            )
        else:
            text = self._template.fill(safe)
            begun = guard.tokenizer.bos_token is not None and text.startswith(guard.tokenizer.bos_token)
            encoded = guard.tokenizer(text, add_special_tokens=not begun, verbose=False)
        return list(encoded["input_ids"])

    def _reply(self, guard: _LoadedGuard, batch: Sequence[list[int]]) -> list[str]:
        import torch
        from transformers import GenerationConfig

        make_settings: Any = GenerationConfig  # has no annotations
        inputs = guard.tokenizer.pad({"input_ids": list(batch)}, return_tensors="pt").to(self._place.device)
        settings = make_settings(
            max_new_tokens=self._config.max_new_tokens,
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=guard.tokenizer.pad_token_id,
            eos_token_id=guard.ends or None,
        )
        with torch.inference_mode():
            output = guard.model.generate(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], generation_config=settings
            )
        written = output[:, inputs["input_ids"].shape[1] :]
        replies: list[str] = guard.tokenizer.batch_decode(written, skip_special_tokens=True)
        return replies


def _control(tokenizer: Any) -> tuple[str, ...]:
    added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    return tuple(sorted(token for token in {*tokenizer.all_special_tokens, *added} if len(token) > 1))


def _without_control(exchange: Exchange, control: Sequence[str]) -> Exchange:
    def broken(text: str) -> str:
        for token in control:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    prompt = exchange.prompt
    turns = tuple(turn.model_copy(update={"content": broken(turn.content)}) for turn in prompt.messages)
    system = None if prompt.system is None else broken(prompt.system)
    changed = prompt.model_copy(update={"prompt": broken(prompt.prompt), "messages": turns, "system": system})
    return Exchange(changed, broken(exchange.answer))
