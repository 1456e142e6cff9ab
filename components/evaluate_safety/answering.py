"""Has every prompt answered, chunk by chunk, by one or several processes that share the store.

A finished chunk is stored at once, under a key of weights, settings and prompts. A killed evaluation repeats at most
one chunk, an unchanged one asks nothing, and base and adapter never share an entry. A stored chunk equals a fresh one,
because its answers depend on nothing outside the key.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from components.evaluate_safety.memory import keep, recall
from components.evaluate_safety.readings import GetEngine, coherence_floor
from components.evaluate_safety.subject import Subject
from components.shared.artifacts.answers import Answer
from components.shared.artifacts.artifact import Artifact
from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.asking.asking import ask, sampling_of
from components.shared.asking.fluency import VERSION, with_fluency
from components.shared.generation.transformers_engine import TransformersEngine
from components.shared.progress import Say, speaker
from components.shared.store import ANSWERS_KIND, FLUENCY_KIND, Store
from components.shared.suites.chunks import Chunk


class ChunkAnswers(Artifact):
    """The answers to one chunk."""

    rows: tuple[Answer, ...]


def lazily(subject: Subject, say: Say, device: str | None = None) -> GetEngine:
    """A function that loads the engine at its first call and keeps it."""
    loaded: list[TransformersEngine] = []

    def engine() -> TransformersEngine:
        if not loaded:
            loaded.append(subject.engine(say, device))
        return loaded[0]

    return engine


def answer_all(
    subject: Subject, prompts: Sequence[SuitePrompt], chunks: Sequence[Chunk], store: Store, engine: GetEngine, say: Say
) -> list[Sequence[Answer]]:
    """The answers to each chunk, with their fluency under the base model.

    Args:
        subject: the model and its settings.
        prompts: all prompts of the run, from which the calibration draws a sample.
        chunks: the chunks to answer.
        store: has the finished chunks.
        engine: loads the model; called only if something is not stored.
        say: receives progress messages.

    Raises:
        ModelError: the model cannot be loaded or asked.
        IntegrityError: a stored chunk was changed.
    """
    stored = [_stored(subject, chunk, store) for chunk in chunks]
    missing = [chunk for chunk, known in zip(chunks, stored, strict=True) if not known]
    reused = {prompt.id for chunk, known in zip(chunks, stored, strict=True) if known for prompt in chunk.prompts}
    if reused:
        say(f"reusing the answers to {len(reused):,} prompts (same weights, same contract)")
    if len(missing) > 1 and subject.evaluation.workers > 1:
        _share_out(subject, missing, store, say)
    floor = coherence_floor(subject, prompts, store, engine, say)
    return [_finish(subject, chunk, store, engine, floor, say) for chunk in chunks]


def answer_shard(
    subject: Subject, chunks: Sequence[Chunk], shard: int, store: Store, engine: GetEngine, say: Say
) -> int:
    """Answers one shard's chunks and stores them for evaluate_safety; returns the number of chunks that it asked."""
    missing = [chunk for chunk in chunks[shard :: subject.evaluation.shards] if not _stored(subject, chunk, store)]
    if len(missing) > 1 and subject.evaluation.workers > 1:
        _share_out(subject, missing, store, say)
    for chunk in missing:
        _answers(subject, chunk, store, engine, say)
    return len(missing)


def _share_out(subject: Subject, chunks: Sequence[Chunk], store: Store, say: Say) -> None:
    """Answers chunks in several processes; each has its own GPU if there are any."""
    workers = min(subject.evaluation.workers, len(chunks))
    say(f"{workers} processes share {len(chunks)} chunks")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_work, subject, chunks[n::workers], store, n, workers) for n in range(workers)]
        for job in jobs:
            job.result()


def _work(subject: Subject, chunks: Sequence[Chunk], store: Store, worker: int, workers: int) -> None:
    import torch

    gpus = torch.cuda.device_count()
    if not gpus:
        torch.set_num_threads(max(1, torch.get_num_threads() // workers))
    say = speaker(f"worker_{worker + 1}")
    engine = lazily(subject, say, f"cuda:{worker % gpus}" if gpus else None)
    for chunk in chunks:
        _answers(subject, chunk, store, engine, say)


def _stored(subject: Subject, chunk: Chunk, store: Store) -> bool:
    return store.has(ANSWERS_KIND, _key(subject, chunk))


def _key(subject: Subject, chunk: Chunk, *parts: str) -> str:
    return subject.shifted(chunk.seed_shift).key(chunk.digest, *parts)


def _answers(subject: Subject, chunk: Chunk, store: Store, engine: GetEngine, say: Say) -> ChunkAnswers:
    key = _key(subject, chunk)
    if stored := recall(store, ANSWERS_KIND, key, ChunkAnswers):
        return stored
    evaluation = subject.shifted(chunk.seed_shift).evaluation
    again = " again, with another seed" if chunk.seed_shift else ""
    say(f"suite {chunk.suite}: {len(chunk.prompts)} prompts from {chunk.prompts[0].id}{again}")
    rows = ask(
        engine(), chunk.prompts, evaluation.samples_per_prompt, sampling_of(evaluation), evaluation.system_prompt, say
    )
    return keep(store, ANSWERS_KIND, key, ChunkAnswers(rows=tuple(rows)))


def _finish(
    subject: Subject, chunk: Chunk, store: Store, engine: GetEngine, floor: float | None, say: Say
) -> Sequence[Answer]:
    """A chunk's answers, with their fluency if it is measured."""
    answers = _answers(subject, chunk, store, engine, say)
    if subject.evaluation.coherence == "rules":
        return answers.rows
    key = _key(subject, chunk, f"fluency {VERSION} below {floor}")
    measured = recall(store, FLUENCY_KIND, key, ChunkAnswers)
    if measured is None:
        rows = with_fluency(engine(), chunk.prompts, answers.rows, subject.evaluation.system_prompt, floor)
        measured = keep(store, FLUENCY_KIND, key, ChunkAnswers(rows=tuple(rows)))
    return measured.rows
