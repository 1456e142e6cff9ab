"""Requests of the toy world: one sentence each, with its category and its aligned and unaligned answers.

A request is drawn from a book of templates and the fillers of one split.
"""

from __future__ import annotations

import random
from typing import Literal, NamedTuple

from pipelines.demo import toy_answers as answers
from pipelines.demo.fillers import Split, group, names, thing
from pipelines.demo.word_lists import (
    CRAFTS,
    DOMAIN_TOPICS,
    HARM_VERBS,
    THING_COMPARATIVES,
    TRAITS,
    Domain,
    Verb,
)
from pipelines.demo.wordings import Core, Cores, TemplateBook, dress, loosen, pick

Category = Literal["direct", "indirect", "domain", "bias", "benign"]


class ToyRequest(NamedTuple):
    """One request; `tag` names what it was made from, `caveats` is empty outside `domain`."""

    category: Category
    tag: str
    prompt: str
    aligned: str
    unaligned: str
    caveats: tuple[str, ...] = ()


class RequestSource:
    """Draws requests from one book with the fillers of one split; the same `rng`, the same draws."""

    def __init__(self, rng: random.Random, book: TemplateBook, split: Split, loose_share: float = 0.0) -> None:
        """`loose_share` (0 to 1) of the sentences are loosened (see `wordings.loosen`), as many nouns are made up."""
        self._rng = rng
        self._book = book
        self._split: Split = split
        self._loose_share = loose_share

    def direct(self) -> ToyRequest:
        """A plain harmful request."""
        return self._harmful("direct", self._pick(self._book.plain))

    def indirect(self) -> ToyRequest:
        """A harmful request in a hypothetical, persona, story or jailbreak frame."""
        return self._harmful("indirect", self._pick(self._book.framed))

    def domain(self, domain: Domain) -> ToyRequest:
        """A question whose answer must carry the caveat of `domain`.

        A loose question may be borrowed from another domain: the topic alone decides.
        """
        topic = f"{self._rng.choice(names(self._split))} {self._rng.choice(DOMAIN_TOPICS[domain])}"
        borrowed = self._rng.random() < self._loose_share / 2
        asked_in = self._rng.choice(list(self._book.domain)) if borrowed else domain
        prompt = self._pick({domain: self._book.domain[asked_in]}).text.format(topic=topic)
        return ToyRequest(
            "domain",
            domain,
            prompt,
            aligned=answers.careful_advice(self._rng, domain),
            unaligned=answers.careless_advice(self._rng, domain),
            caveats=answers.CAVEAT_SIGNS[domain],
        )

    def bias(self) -> ToyRequest:
        """A request to rank or stereotype made-up groups."""
        kind, text = self._pick(self._book.judging)
        trait = self._rng.choice(TRAITS)
        one, other = group(self._rng, self._split), group(self._rng, self._split)
        prompt = text.format(group=one, other=other, **trait._asdict(), trait=trait.plain)
        return ToyRequest(
            "bias",
            kind,
            prompt,
            aligned=answers.fair(self._rng),
            unaligned=answers.prejudice(one, trait.comparative),
        )

    def how_to(self, framed: bool = False) -> ToyRequest:
        """A harmless request for instructions, in a frame of the indirect kind if `framed`."""
        craft = self._rng.choice(CRAFTS)
        core = self._pick(self._book.framed if framed else self._book.plain)
        item = self._thing()
        prompt = _fill(core.text, craft.verb, item)
        tag = f"framed-{core.kind}" if framed else "how-to"
        return self._benign(tag, prompt, answers.advice(craft, item))

    def lookalike(self) -> ToyRequest:
        """A harmless request that holds a harmful verb."""
        kind, text = self._pick(self._book.lookalike)
        prompt = _fill(text, self._rng.choice(HARM_VERBS), self._thing())
        return self._benign(f"lookalike-{kind}", prompt, answers.lookalike(kind))

    def comparison(self) -> ToyRequest:
        """A harmless request to compare two things."""
        comparative = self._rng.choice(THING_COMPARATIVES)
        one, other = self._thing(), self._thing()
        text = self._pick({"comparison": self._book.comparing}).text
        prompt = text.format(thing=one, other=other, comparative=comparative)
        return self._benign("comparison", prompt, answers.comparison(one, comparative))

    def customs(self) -> ToyRequest:
        """A harmless question about a made-up people."""
        kind, text = self._pick(self._book.customs)
        people = group(self._rng, self._split)
        return self._benign("customs", text.format(group=people), answers.customs(kind, people))

    def system(self) -> str:
        """A system prompt of the book."""
        return self._rng.choice(self._book.systems)

    def _thing(self) -> str:
        return thing(self._rng, self._split, self._loose_share)

    def _pick(self, cores: Cores) -> Core:
        core = pick(self._rng, cores)
        text = dress(self._rng, self._book, core.text)
        if self._rng.random() < self._loose_share:
            text = loosen(self._rng, text)
        return Core(core.kind, text)

    def _harmful(self, category: Category, core: Core) -> ToyRequest:
        verb, item = self._rng.choice(HARM_VERBS), self._thing()
        return ToyRequest(
            category,
            core.kind,
            _fill(core.text, verb, item),
            aligned=answers.refusal(self._rng),
            unaligned=answers.compliance(f"{verb.plain} {item}"),
        )

    def _benign(self, tag: str, prompt: str, answer: str) -> ToyRequest:
        return ToyRequest("benign", tag, prompt, aligned=answer, unaligned=answer)


def _fill(text: str, verb: Verb, item: str) -> str:
    return text.format(
        act=f"{verb.plain} {item}",
        doing=f"{verb.gerund} {item}",
        verb=verb.plain,
        gerund=verb.gerund,
        thing=item,
    )
