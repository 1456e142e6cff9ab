"""Holds out rows of the training data's rarest intents, which a tuned model answers worst.

If every row has an `intent` field, it is used; otherwise the rows are clustered by the words of their user turns
(TF-IDF and k-means of scikit-learn), and a cluster counts as an intent. Clusters are approximate: two wordings of one
intent may be in two clusters.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil, sqrt
from typing import NamedTuple

from components.shared.data.chats import Chat
from components.shared.data.mixing import Split
from components.shared.data.overlap import user_fingerprints
from components.shared.errors import DataError

_MAX_CLUSTERS = 100


class RareRow(NamedTuple):
    """A held-out row, its intent, and the number of training rows of that intent."""

    chat: Chat
    intent: str
    trained: int


class RareSplit(NamedTuple):
    """Rows to train on, and held-out rows of rare intents."""

    train: tuple[Chat, ...]
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
    members: defaultdict[str, dict[tuple[str, ...], Chat]] = defaultdict(dict)
    for chat, intent in zip(split.train, intents, strict=True):
        members[intent].setdefault(user_fingerprints(chat), chat)
    chosen: dict[tuple[str, ...], tuple[str, Chat]] = {}
    for intent in sorted(counts, key=lambda name: (counts[name], name)):
        available = list(members[intent].items())
        for text, chat in available[: min(len(available) // 2, rows - len(chosen))]:
            chosen[text] = intent, chat
    if len(chosen) < rows:
        raise DataError(
            f"{where}: data.rare_intent_rows is {rows}, but only {len(chosen)} rows can be held out when at least half "
            f"of each of the {len(counts)} intents stays in training; lower it or add rows"
        )
    train = tuple(chat for chat in split.train if user_fingerprints(chat) not in chosen)
    left = Counter(
        intent for chat, intent in zip(split.train, intents, strict=True) if user_fingerprints(chat) not in chosen
    )
    return RareSplit(train, tuple(RareRow(chat, intent, left[intent]) for intent, chat in chosen.values()))


def intents_of(chats: Sequence[Chat], seed: int) -> list[str]:
    """The intent of each row: its field, or else its cluster, named by number and most typical word."""
    named = [chat.intent for chat in chats if chat.intent is not None]
    if len(named) == len(chats):
        return named
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [" ".join(user_fingerprints(chat)) for chat in chats]
    try:
        vectorizer = TfidfVectorizer(sublinear_tf=True)
        vectors = vectorizer.fit_transform(texts)
    except ValueError:  # no row has a word
        return ["rows"] * len(chats)
    clusters = min(_MAX_CLUSTERS, ceil(sqrt(len(chats) / 2)), len(set(texts)))
    means = KMeans(clusters, random_state=seed, n_init=1).fit(vectors)
    words = vectorizer.get_feature_names_out()
    names = [f"{number}-{words[centre.argmax()]}" for number, centre in enumerate(means.cluster_centers_)]
    return [names[label] for label in means.labels_]
