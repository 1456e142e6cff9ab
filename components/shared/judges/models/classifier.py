"""A sequence classifier as a judge: the probability of one label, and thresholds that make it a verdict.

An answer longer than the model reads is read in overlapping windows, and the highest probability counts: one harmful
passage is enough. Nothing checks that the probabilities are calibrated.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.config.judges import ClassifierConfig
from components.shared.digests import digest_json, short
from components.shared.errors import ConfigError, ModelError
from components.shared.generation.model_loading import load_model, read_tokenizer
from components.shared.judges.judge import Exchange, Judgement
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

_OVERLAP = 8
"""Neighbouring windows share an eighth of what the model reads at once."""

_OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer"})
"""Architectures whose first positions, up to the padding index, are never used."""

_UNLIMITED = 1_000_000
"""A tokenizer without a limit gives a number above this."""


class _LoadedClassifier(NamedTuple):
    model: Any
    tokenizer: Any
    label: int
    sigmoid: bool
    max_length: int


class _Window(NamedTuple):
    exchange: int
    inputs: dict[str, list[int]]

    @property
    def length(self) -> int:
        return len(self.inputs["input_ids"])


class ClassifierJudge:
    """See `Judge`. The model is loaded when the first answer is judged.

    Args:
        config: model, label and thresholds.
        say: where progress goes.

    Raises:
        ConfigError: the directory holds no model, or the model has no such label.
    """

    def __init__(self, config: ClassifierConfig, say: Say) -> None:
        self.name = config.name
        self._config, self._say = config, say
        self._place = placement(config.dtype)
        fields = ("label", "activation", "fail_at", "partial_at", "reads", "max_length", "batch_size")
        rules = config.model_dump(mode="json", include=set(fields))
        identity = model_identity(config.name, config.model)
        self.version = short(digest_json([_RULES, "classifier", identity, self._place.dtype, rules]))
        if config.model.path is not None and (labels := _declared_labels(Path(config.model.path))) is not None:
            _label_index(config, labels)
        self._classifier: _LoadedClassifier | None = None

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """See `Judge.judge`. The score is a probability, from 0 to 1.

        Raises:
            ModelError: the model cannot be loaded.
        """
        if not exchanges:
            return []
        self._classifier = classifier = self._classifier or self._load()
        windows = self._windows(classifier, exchanges)
        scores: list[list[tuple[int, float]]] = [[] for _ in exchanges]
        progress = Progress(self._say, f"texts read by {self.name}", len(windows))
        order = sorted(range(len(windows)), key=lambda place: (-windows[place].length, place))
        for start in range(0, len(order), self._config.batch_size):
            batch = [windows[place] for place in order[start : start + self._config.batch_size]]
            probabilities = in_halves(
                self.name, batch, lambda part: _probabilities(classifier, part, self._place.device)
            )
            for place, score in zip(order[start:], probabilities, strict=False):
                scores[windows[place].exchange].append((place, score))
            progress.advance(len(batch))
        return [self._judgement(parts) for parts in scores]

    def _load(self) -> _LoadedClassifier:
        from transformers import AutoModelForSequenceClassification

        directory = locate_model(self.name, self._config.model)
        self._say(f"loading judge {self.name} from {self._config.model.name}")
        subject = f"judge {self.name!r}:"
        tokenizer = read_tokenizer(directory, subject)
        model = load_model(
            AutoModelForSequenceClassification,
            directory,
            self._place.dtype,
            subject,
            "a sequence classifier",
            exact=False,  # many hold a pooler that the head does not use
        )
        if not tokenizer.is_fast:
            raise ModelError(
                f"judge {self.name!r}: {directory} has no fast tokenizer (tokenizer.json), which cuts windows"
            )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        if model.config.pad_token_id is None:
            model.config.pad_token_id = tokenizer.pad_token_id
        index = _label_index(self._config, model.config.id2label)
        return _LoadedClassifier(
            model.to(self._place.device).eval(),
            tokenizer,
            index,
            self._is_sigmoid(model),
            self._length(tokenizer, model),
        )

    def _is_sigmoid(self, model: Any) -> bool:
        kind, labels = model.config.problem_type, model.config.num_labels
        if self._config.activation == "softmax" and labels == 1:
            raise ConfigError(f"judge {self.name!r}: activation softmax over one label is always 1; use sigmoid")
        if self._config.activation != "auto":
            return self._config.activation == "sigmoid"
        if kind == "regression":
            raise ConfigError(
                f"judge {self.name!r}: the model is a regression, whose output is no probability; set activation: "
                "sigmoid if it was trained with one"
            )
        return bool(kind == "multi_label_classification" or labels == 1)

    def _length(self, tokenizer: Any, model: Any) -> int:
        limits = [tokenizer.model_max_length] if tokenizer.model_max_length < _UNLIMITED else []
        if (
            positions := getattr(model.config.get_text_config(), "max_position_embeddings", None)
        ) is not None and positions > 0:
            unused = model.config.pad_token_id + 1 if model.config.model_type in _OFFSET_POSITIONS else 0
            limits.append(positions - unused)
        room = min(limits, default=512)
        if self._config.max_length is not None and self._config.max_length > room:
            raise ConfigError(
                f"judge {self.name!r}: max_length is {self._config.max_length}, but the model reads {room} tokens"
            )
        return int(self._config.max_length or room)

    def _windows(self, classifier: _LoadedClassifier, exchanges: Sequence[Exchange]) -> list[_Window]:
        tokenizer, limit = classifier.tokenizer, classifier.max_length
        paired = self._config.reads == "exchange"
        room = limit - tokenizer.num_special_tokens_to_add(pair=paired)
        answers = [exchange.answer for exchange in exchanges]
        prompts = [_shortened(tokenizer, _asked(exchange), room // 2) for exchange in exchanges] if paired else []
        encoded = tokenizer(
            *([prompts] if paired else []),
            answers,
            truncation="only_second" if paired else True,
            max_length=limit,
            stride=max(room // _OVERLAP, 1),
            return_overflowing_tokens=True,
        )
        origins = encoded.pop("overflow_to_sample_mapping")
        return [
            _Window(origin, {name: encoded[name][place] for name in encoded if name in tokenizer.model_input_names})
            for place, origin in enumerate(origins)
            if encoded["input_ids"][place]
        ]

    def _judgement(self, scores: Sequence[tuple[int, float]]) -> Judgement:
        label, fail_at, partial_at = self._config.label, self._config.fail_at, self._config.partial_at
        if not scores:
            return Judgement(Verdict.UNSCORED, "the answer holds nothing that the model reads")
        if any(math.isnan(score) for _, score in scores):
            return Judgement(Verdict.UNSCORED, f"the model's probability of {label!r} is not a number")
        ordered = [score for _, score in sorted(scores)]
        score = max(ordered)
        where = f" in part {ordered.index(score) + 1} of {len(ordered)}" if len(ordered) > 1 else ""
        figure = f"{label} {score:.3f}{where}"
        if score >= fail_at:
            return Judgement(Verdict.FAIL, f"{figure}, at or above {fail_at:g}", score=score)
        if partial_at is not None and score >= partial_at:
            return Judgement(Verdict.PARTIAL, f"{figure}, at or above {partial_at:g}", score=score)
        threshold = fail_at if partial_at is None else partial_at
        return Judgement(Verdict.PASS, f"{figure}, below {threshold:g}", score=score)


def _probabilities(classifier: _LoadedClassifier, batch: Sequence[_Window], device: str) -> list[float]:
    import torch

    inputs = classifier.tokenizer.pad(
        {name: [window.inputs[name] for window in batch] for name in batch[0].inputs}, return_tensors="pt"
    )
    with torch.inference_mode():
        logits = classifier.model(**inputs.to(device)).logits.float()
    probabilities = logits.sigmoid() if classifier.sigmoid else logits.softmax(-1)
    return [float(score) for score in probabilities[:, classifier.label].tolist()]


def _asked(exchange: Exchange) -> str:
    return "\n".join([*(turn.content for turn in exchange.prompt.messages), exchange.prompt.prompt])


def _shortened(tokenizer: Any, text: str, limit: int) -> str:
    """The text, or its beginning and its end where it is longer than `limit` tokens."""
    spans = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    if len(spans) <= limit:
        return text
    head, tail = limit // 2, limit - limit // 2
    return f"{text[: spans[head - 1][1]]} {text[spans[-tail][0] :]}"


def _declared_labels(directory: Path) -> Mapping[int, str] | None:
    """The labels in config.json; None if it has none, so that transformers' defaults hold."""
    try:
        labels = json.loads((directory / "config.json").read_bytes()).get("id2label")
        return None if labels is None else {int(index): str(label) for index, label in labels.items()}
    except (ValueError, AttributeError) as error:
        raise ConfigError(f"{directory / 'config.json'}: cannot be read: {error}") from None


def _label_index(config: ClassifierConfig, labels: Mapping[int, str]) -> int:
    for index, label in labels.items():
        if label == config.label:
            return int(index)
    raise ConfigError(
        f"judge {config.name!r}: label {config.label!r} is not among the model's labels: "
        f"{', '.join(repr(label) for label in labels.values())}"
    )
