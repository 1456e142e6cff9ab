"""The audit log: open one by its address, append to it, read it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from components.shared.audit.actor import who_acts
from components.shared.audit.chain import Chain, Reading
from components.shared.audit.entry import AuditEntry, End, Event, seal
from components.shared.audit.file_chain import FileChain
from components.shared.audit.object_chain import ObjectChain
from components.shared.config.run_context import RunContext
from components.shared.errors import ConfigError
from components.shared.storage import is_s3


class AuditLog:
    """An append-only, hash-chained log."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.address = chain.address

    def append(
        self,
        event: Event,
        why: str,
        facts: Mapping[str, str],
        pipeline: str,
        pipeline_run: str,
        who: str | None = None,
    ) -> AuditEntry:
        """Appends an entry; it is on disk, or in S3, when this returns.

        Args:
            event: what was done.
            why: one sentence.
            facts: digests, names and counts, by name.
            pipeline: name of the pipeline.
            pipeline_run: id of the run.
            who: the person; by default see `who_acts`.

        Raises:
            ConfigError: who or why is empty.
            StorageError: the entry cannot be written.
            IntegrityError: the log's end is not as it was written; nothing is appended to it.
        """
        actor = who_acts() if who is None else who
        return self._chain.extend(lambda end: seal(end, event, why, facts, pipeline, pipeline_run, actor))

    def check(self) -> None:
        """Checks that an entry could be appended, before something is done that needs one.

        Raises:
            StorageError, IntegrityError: see `append`.
        """
        self._chain.check()

    def end(self) -> End:
        """How many entries there are, and the digest of the last one; the others are not read.

        Raises:
            StorageError: the log cannot be read.
            IntegrityError: its last entry is not as it was written.
        """
        return self._chain.end()

    def read(self) -> Reading:
        """The log as it is stored, also if it was changed.

        Raises:
            StorageError: it cannot be read.
        """
        return self._chain.read()

    def entries(self) -> Iterator[AuditEntry]:
        """The entries, oldest first.

        Raises:
            StorageError: the log cannot be read.
            IntegrityError: a line is not as it was written.
        """
        yield from self.read().entries()


def open_log(address: str) -> AuditLog:
    """The log at an address, which need not exist yet: a local JSONL file, or `s3://BUCKET/PREFIX`.

    Raises:
        ConfigError: the address is of another kind.
        StorageError: bucket or prefix is missing.
    """
    if is_s3(address):
        return AuditLog(ObjectChain(address))
    if "://" in address:
        raise ConfigError(f"audit log {address!r}: expected a local path or s3://BUCKET/PREFIX")
    return AuditLog(FileChain(Path(address)))


def record(run: RunContext, event: Event, why: str, facts: Mapping[str, str], who: str | None = None) -> AuditEntry:
    """Appends an entry about a pipeline run to the log that the run's config names.

    Args:
        run: the pipeline run.
        event: what was done.
        why: one sentence.
        facts: digests, names and counts, by name.
        who: the person; by default see `who_acts`.

    Raises:
        StorageError, IntegrityError: see `AuditLog.append`; the step must fail.
    """
    return open_log(run.tracking.audit_log).append(event, why, facts, run.pipeline, run.pipeline_run, who)
