"""A decode loop that refills finished rows, for models whose layers all attend to the whole context.

In a static batch every row waits for the longest answer: with answers of different lengths more than half of all decode
steps are spent on rows that have ended. Here a finished row is removed at once, and waiting prompts take the free rows.

How it works: all rows share one buffer of keys and values per layer, and one cursor, the column that the next token is
written to. Rows end at the cursor and begin where their prompt begins (left padding). New prompts are computed in a
separate small batch and copied into the columns before the cursor, once per sample, so k samples cost one prompt.
Positions count from the beginning of each row, so nothing else has to move. Columns before the oldest row are cut off;
when the buffer is full, its live columns move to the front.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, DynamicLayer

from components.shared.generation.engine import Sampling

_SPARE_COLUMNS = 64
"""Columns beyond the longest row: the buffer's live part moves to the front at most this often."""

_REFILL_SHARE = 1 / 8
"""New prompts are computed when this share of the rows is free: a batch of prompts costs about one decode step."""


class Draw(NamedTuple):
    """One completion to draw: the index of its prompt, and the number of its sample."""

    prompt: int
    sample: int


class Finished(NamedTuple):
    """A completion's tokens, with the end token if there is one."""

    draw: Draw
    tokens: list[int]


@dataclass
class _Row:
    """One unfinished completion."""

    draw: Draw
    uniforms: "np.ndarray[Any, np.dtype[np.float32]]"
    tokens: list[int] = field(default_factory=list)


def supports(config: Any) -> bool:
    """Whether this loop can run a model: decoder only, with full attention in every layer."""
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "alibi", False):
        return False
    layers = DynamicCache(config=config).layers
    return all(type(layer) is DynamicLayer for layer in layers)


class _Layer(CacheLayerMixin):
    """Keys and values of one layer, rows x heads x columns x size; a window of the columns is live."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, table: "_Table") -> None:
        super().__init__()
        self._table = table

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocates the buffer with zeros, for a masked column must not contain NaN."""
        rows, columns = self._table.mask.shape
        _, heads, _, size = key_states.shape
        self.keys = key_states.new_zeros((rows, heads, columns, size))
        self.values = value_states.new_zeros((rows, heads, columns, value_states.shape[-1]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes one column for every live row and returns the live window."""
        table = self._table
        rows, at = slice(0, table.rows), table.cursor
        self.keys[rows, :, at : at + 1] = key_states
        self.values[rows, :, at : at + 1] = value_states
        window = slice(table.start, at + 1)
        return self.keys[rows, :, window], self.values[rows, :, window]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of the live window."""
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        """Live columns."""
        return self._table.cursor - self._table.start

    def get_max_length(self) -> int:
        """Columns of the buffer."""
        return int(self._table.mask.shape[1])


class _Table:
    """The rows of one run: the completion of each row, and the columns that it may attend to."""

    def __init__(self, rows: int, columns: int, layers: int, device: str) -> None:
        self.mask = torch.zeros((rows, columns), dtype=torch.bool, device=device)
        self.positions = torch.zeros(rows, dtype=torch.long, device=device)
        self.tokens = torch.zeros(rows, dtype=torch.long, device=device)
        self.first = np.zeros(rows, dtype=np.int64)
        self.live: list[_Row] = []
        self.start = self.cursor = 0
        self.layers = [_Layer(self) for _ in range(layers)]
        self.cache = Cache(layers=[*self.layers])

    @property
    def rows(self) -> int:
        """Live rows; they are the first ones of the buffer."""
        return len(self.live)

    @property
    def free(self) -> int:
        """Rows without a completion."""
        return int(self.mask.shape[0]) - self.rows

    def take_in(self, taken: Sequence[_Row], lengths: Sequence[int], prompt_cache: Any, source: torch.Tensor) -> None:
        """Copies prompts into the columns before the cursor.

        Args:
            taken: the new rows.
            lengths: tokens of each new row's prompt.
            prompt_cache: keys and values of a left-padded batch of prompts.
            source: which row of that batch each new row copies.
        """
        width = prompt_cache.get_seq_length()
        if not self.rows:
            self.cursor = width
        new, columns = slice(self.rows, self.rows + len(taken)), slice(self.cursor - width, self.cursor)
        for layer, prompt in zip(self.layers, prompt_cache.layers, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(prompt.keys, prompt.values)
            layer.keys[new, :, columns] = prompt.keys[source]
            layer.values[new, :, columns] = prompt.values[source]
        counts = torch.tensor(lengths, device=self.mask.device)
        places = torch.arange(self.mask.shape[1], device=self.mask.device)
        self.mask[new] = (places >= self.cursor - counts[:, None]) & (places < self.cursor)
        self.positions[new] = counts
        self.first[new] = self.cursor - np.asarray(lengths)
        self.live += taken
        self.start = int(self.first[: self.rows].min())

    def drop(self, ended: Sequence[int]) -> None:
        """Removes rows; the last rows move into their places, so that the live rows stay together."""
        for row in sorted(ended, reverse=True):
            last = self.rows - 1
            if row != last:
                window = slice(self.start, self.cursor)
                for layer in self.layers:
                    layer.keys[row, :, window] = layer.keys[last, :, window]
                    layer.values[row, :, window] = layer.values[last, :, window]
                for column in (self.mask, self.positions, self.tokens, self.first):
                    column[row] = column[last]
                self.live[row] = self.live[last]
            self.live.pop()
        if self.rows:
            self.start = int(self.first[: self.rows].min())

    def make_room(self) -> None:
        """Moves the live columns to the front when the buffer is full."""
        if self.cursor < self.mask.shape[1]:
            return
        shift, live = self.start, self.cursor - self.start
        for layer in self.layers:
            for buffer in (layer.keys, layer.values):
                buffer[: self.rows, :, :live] = buffer[: self.rows, :, shift : self.cursor].clone()
        self.mask[: self.rows, :live] = self.mask[: self.rows, shift : self.cursor].clone()
        self.mask[: self.rows, live:] = False
        self.first[: self.rows] -= shift
        self.start, self.cursor = 0, live


def refill_decode(
    model: Any, prompts: Sequence[list[int]], samples: Sequence[int], keys: Sequence[str], sampling: Sampling,
    rows: int, ends: frozenset[int], pad: int, device: str,
) -> Iterator[Finished]:  # fmt: skip
    """Completions, in the order in which they finish.

    Args:
        model: a causal language model that `supports` accepts.
        prompts: tokens of each prompt.
        samples: completions per prompt.
        keys: names of the prompts, which seed their samples: a sample does not depend on the other rows.
        sampling: how tokens are drawn.
        rows: rows that are computed together.
        ends: tokens that end a completion.
        pad: the token that fills a row.
        device: where the model is.
    """
    waiting = [
        Draw(prompt, sample)
        for prompt in sorted(range(len(prompts)), key=lambda place: (-len(prompts[place]), place))
        for sample in range(samples[prompt])
    ]
    waiting.reverse()
    if not waiting:
        return
    longest = max(map(len, prompts))
    columns = longest + sampling.max_new_tokens + _SPARE_COLUMNS
    table = _Table(min(rows, len(waiting)), columns, model.config.get_text_config().num_hidden_layers, device)
    enough = max(1, int(table.free * _REFILL_SHARE))
    while waiting or table.rows:
        with torch.inference_mode():
            fresh = 0
            if waiting and (not table.rows or table.free >= min(enough, len(waiting))):
                fresh = min(table.free, len(waiting))
                draws = [waiting.pop() for _ in range(fresh)]
                taken = [_Row(draw, _uniforms(keys[draw.prompt], draw.sample, sampling)) for draw in draws]
                logits = _take_in(model, prompts, taken, table, pad)
            else:
                logits = _step(model, table)
            tokens = _choose(logits, table, sampling, fresh)
            ended = _append(tokens, table, sampling.max_new_tokens, ends)
            finished = [Finished(table.live[row].draw, table.live[row].tokens) for row in ended]
            table.drop(ended)
        yield from finished


def _append(tokens: Sequence[int], table: _Table, longest: int, ends: frozenset[int]) -> list[int]:
    """Appends a token to each of the last rows; returns the rows that have ended."""
    ended = []
    for row, token in enumerate(tokens, start=table.rows - len(tokens)):
        written = table.live[row].tokens
        written.append(token)
        if token in ends or len(written) == longest:
            ended.append(row)
    return ended


def _take_in(model: Any, prompts: Sequence[list[int]], taken: Sequence[_Row], table: _Table, pad: int) -> torch.Tensor:
    """Computes new prompts and copies them into free rows; returns next-token logits, new rows x vocabulary."""
    unique = list(dict.fromkeys(row.draw.prompt for row in taken))
    width = max(len(prompts[place]) for place in unique)
    device = table.mask.device
    tokens = torch.tensor([[pad] * (width - len(prompts[p])) + prompts[p] for p in unique], device=device)
    lengths = torch.tensor([len(prompts[place]) for place in unique], device=device)
    attended = torch.arange(width, device=device) >= width - lengths[:, None]
    cache = DynamicCache(config=model.config)
    output = model(
        input_ids=tokens,
        attention_mask=attended.long(),
        position_ids=(attended.long().cumsum(-1) - 1).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    computed = {place: number for number, place in enumerate(unique)}
    source = torch.tensor([computed[row.draw.prompt] for row in taken], device=device)
    table.take_in(taken, [len(prompts[row.draw.prompt]) for row in taken], cache, source)
    logits: torch.Tensor = output.logits[:, -1].index_select(0, source)
    return logits


def _step(model: Any, table: _Table) -> torch.Tensor:
    """Computes the next token of every row; returns its logits, rows x vocabulary."""
    table.make_room()
    rows = table.rows
    table.mask[:rows, table.cursor] = True
    window = table.mask[:rows, table.start : table.cursor + 1]
    blocked = torch.zeros(window.shape, dtype=model.dtype, device=window.device)
    blocked.masked_fill_(~window, torch.finfo(model.dtype).min)
    output = model(
        input_ids=table.tokens[:rows, None],
        attention_mask=blocked[:, None, None],
        position_ids=table.positions[:rows, None],
        past_key_values=table.cache,
        use_cache=True,
        logits_to_keep=1,
    )
    table.cursor += 1
    table.positions[:rows] += 1
    logits: torch.Tensor = output.logits[:, -1]
    return logits


def _choose(logits: torch.Tensor, table: _Table, sampling: Sampling, fresh: int) -> list[int]:
    """Draws the next token of the rows that the logits belong to: the last `fresh` rows, or all if it is 0."""
    first = table.rows - fresh if fresh else 0
    if sampling.temperature == 0:
        tokens = logits.argmax(dim=-1)
    else:
        uniforms = np.array([row.uniforms[len(row.tokens)] for row in table.live[first:]])
        tokens = inverse_cdf(logits, sampling, torch.tensor(uniforms, device=logits.device))
    table.tokens[first : table.rows] = tokens
    chosen: list[int] = tokens.tolist()
    return chosen


def inverse_cdf(logits: torch.Tensor, sampling: Sampling, uniforms: torch.Tensor) -> torch.Tensor:
    """Draws one token per row by inverting the cumulative distribution at a uniform number.

    Args:
        logits: rows x vocabulary.
        sampling: temperature (above 0) and top_p.
        uniforms: one number in [0, 1) per row.

    Returns:
        One token per row.
    """
    probabilities = torch.softmax(logits.float() / sampling.temperature, dim=-1)
    if sampling.top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        ordered[ordered.cumsum(dim=-1) - ordered >= sampling.top_p] = 0.0
        place = _invert(ordered, uniforms)
        return order.gather(-1, place[:, None])[:, 0]
    return _invert(probabilities, uniforms)


def _invert(probabilities: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    cumulative = probabilities.cumsum(dim=-1)
    total = cumulative[:, -1:]
    # Rounding may raise a target to the total, where there is no token.
    below = torch.nextafter(total, torch.zeros_like(total))
    targets = torch.minimum(uniforms[:, None].to(cumulative.dtype) * total, below)
    return torch.searchsorted(cumulative, targets, right=True)[:, 0]


def _uniforms(key: str, sample: int, sampling: Sampling) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """The uniform numbers that decide one completion; they depend on seed, prompt and sample only."""
    named = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    seeds = np.random.SeedSequence([sampling.seed, named, sample])
    return np.random.default_rng(seeds).random(sampling.max_new_tokens, dtype=np.float32)
