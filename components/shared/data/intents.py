"""Holds out rows of the training data's rarest intents, which a tuned model answers worst.

If every row has an `intent` field, it is used; otherwise the rows are clustered by the words of their user turns
(TF-IDF and k-means of scikit-learn), and a cluster counts as an intent. Clusters are approximate: two wordings of one
intent may be in two clusters. Of more than 50,000 rows the clusters are made of 50,000; the others go to the nearest.
"""

import random
from collections import Counter
from collections.abc import Iterable
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

from components.shared.data.chats import Chat
from components.shared.data.mixing import Split
from components.shared.data.row_store import Rows
from components.shared.errors import DataError

_MAX_CLUSTERS = 100
_MOST_CLUSTERED = 50_000
"""Rows that clusters are made of; of more rows so many are drawn, so that their vectors fit into memory."""
_BATCH = 10_000
"""Rows that get their clusters at once."""


class RareRow(NamedTuple):
    """A held-out row, its intent, and the number of training rows of that intent."""

    chat: Chat
    intent: str
    trained: int


class RareSplit(NamedTuple):
    """Rows to train on, and held-out rows of rare intents."""

    train: Rows
    rare: tuple[RareRow, ...]


def split_rare(split: Split, rows: int, seed: int, where: str) -> RareSplit:
    """Keeps rows of the rarest intents out of training, at most half of each intent's, the rarest intents first.

    Args:
        split: the training rows to choose from; its held-out rows stay as they are.
        rows: how many to keep out; 0 keeps none out.
        seed: of the clustering.
        where: the file's address, for errors.

    Raises:
        DataError: the rare intents have too few rows.
    """
    if rows == 0:
        return RareSplit(split.train, ())
    intents = intents_of(split.train, seed)
    counts = Counter(intents)
    names = sorted(counts, key=lambda name: (counts[name], name))
    place = {name: number for number, name in enumerate(names)}
    codes = np.array([place[name] for name in intents])
    digests = split.train.digests
    chosen: dict[bytes, tuple[str, int]] = {}
    ends = np.cumsum([counts[name] for name in names])
    for intent, members in zip(names, np.split(np.argsort(codes, kind="stable"), ends[:-1]), strict=True):
        if len(chosen) == rows:
            break
        first = np.sort(np.unique(digests[members], return_index=True)[1])
        for member in members[first[: min(len(first) // 2, rows - len(chosen))]]:
            chosen[digests[member].tobytes()] = intent, int(member)
    if len(chosen) < rows:
        raise DataError(
            f"{where}: data.rare_intent_rows is {rows}, but only {len(chosen)} rows can be held out when at least half "
            f"of each of the {len(counts)} intents stays in training; lower it or add rows"
        )
    kept_out = np.isin(digests, np.frombuffer(b"".join(chosen), dtype=digests.dtype))
    left = np.bincount(codes[~kept_out], minlength=len(names))
    rare = tuple(RareRow(split.train[member], intent, int(left[place[intent]])) for intent, member in chosen.values())
    return RareSplit(split.train.where(~kept_out), rare)


def intents_of(chats: Rows, seed: int) -> list[str]:
    """The intent of each row: its field, or else its cluster, named by number and most typical word."""
    named = [intent for intent in chats.intents if intent is not None]
    if len(named) == len(chats):
        return named
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    sample = chats
    if len(chats) > _MOST_CLUSTERED:
        sample = chats.at(sorted(random.Random(seed).sample(range(len(chats)), _MOST_CLUSTERED)))
    try:
        vectorizer = TfidfVectorizer(sublinear_tf=True)
        vectors = vectorizer.fit_transform(sample.asked_texts())
    except ValueError:  # no row has a word
        return ["rows"] * len(chats)
    clusters = min(_MAX_CLUSTERS, ceil(sqrt(len(chats) / 2)), _different(sample.asked_texts(), _MAX_CLUSTERS))
    means = KMeans(clusters, random_state=seed, n_init=1).fit(vectors)
    words = vectorizer.get_feature_names_out()
    names = [f"{number}-{words[centre.argmax()]}" for number, centre in enumerate(means.cluster_centers_)]
    if sample is chats:
        return [names[label] for label in means.labels_]
    batches = (chats[start : start + _BATCH].asked_texts() for start in range(0, len(chats), _BATCH))
    return [names[label] for texts in batches for label in means.predict(vectorizer.transform(texts))]


def _different(texts: Iterable[str], most: int) -> int:
    """The number of different texts, counted up to `most`."""
    seen: set[str] = set()
    for text in texts:
        seen.add(text)
        if len(seen) == most:
            break
    return len(seen)
