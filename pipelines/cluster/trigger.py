"""Is a retraining due, and if so, who starts it? `plimsoll trigger`, for a CronJob or an event.

Due is what changed since the last decided run (data, base model, suites, policy, recipe, and where the last config is
known also mixing and asking), and a champion whose evidence is too old. What is due is started once however often it is
asked for: see `pipelines.cluster.claims`. This module does not know how a run is started.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from components.shared.audit import record
from components.shared.audit.actor import who_acts
from components.shared.config.run_context import RunContext
from components.shared.config.sections import PipelineConfig, TrackingConfig
from components.shared.digests import digest_json
from components.shared.errors import PlimsollError
from components.shared.tracking.decided import champion_of, decided_on, last_decided, pipeline_run_status
from components.shared.tracking.recorded_runs import RecordedRun
from pipelines.cluster.claims import Claim, Claims
from pipelines.cluster.fingerprint import Sections, differences, fingerprint
from pipelines.cluster.server_errors import ClusterError
from pipelines.running.launch import Loaded

SETTLING = timedelta(minutes=15)
"""A claim without a run counts for so long; then whoever made it is taken to be gone."""
MAX_ATTEMPTS = 3

SectionsOf = Callable[[RecordedRun], Sections | None]
Standing = Literal["running", "over", "unknown"]


class Launcher(Protocol):
    """Starts runs and knows how they do."""

    def start(self, claim: Claim) -> str:
        """Starts the run of a claim; the id of the pipeline run."""

    def find(self, claim: Claim) -> str | None:
        """The pipeline run that a claim led to, though nobody wrote it down; None for none."""

    def standing(self, run: str) -> Standing:
        """How a run does; unknown where it is gone."""


class Assessment(NamedTuple):
    """Whether a run is due.

    Attributes:
        why: reasons for a run, a sentence each; empty for none.
        calm: why not, a sentence; also what was not compared.
        state: digest of the last decision and of everything that was compared with it.
    """

    why: tuple[str, ...]
    calm: str
    state: str


class Triggered(NamedTuple):
    """What came of it: the run that was started, or None and why not."""

    run: str | None
    text: str
    why: tuple[str, ...]


def assess(
    config: PipelineConfig, loaded: Loaded, sections_of: SectionsOf, max_age_days: int | None, today: date
) -> Assessment:
    """Compares what is there today with what was decided last.

    Args:
        config: with local paths absolute.
        loaded: the policy.
        sections_of: the config that a run was started with, where it is known.
        max_age_days: days after which the champion's evidence expires; None: never.
        today: the day, UTC.

    Raises:
        ConfigError, DataError: something that a run needs is missing or wrong.
        TrackingError, IntegrityError: the last decision cannot be read.
    """
    now = fingerprint(config, loaded.policy)
    last = last_decided(config.tracking, config.name)
    state = digest_json([config.name, last.pipeline_run if last is not None else None, now.digest])
    if last is None:
        return Assessment((f"no run of pipeline {config.name} has been decided yet",), "", state)
    before, sections = decided_on(last), sections_of(last)
    why = differences(now, before, sections)
    calm = (
        f"data, base model, suites, policy and recipe are those of run {last.pipeline_run}, decided on "
        f"{before.decision.decided_on} ({before.decision.decision.value})"
    )
    if sections is None:
        calm += "; how rows are mixed and answers are drawn was not compared, its config is not known"
    if max_age_days is not None:
        expired, sentence = _age(config, before.decision.decided_on, max_age_days, today)
        if expired:
            why.append(sentence)
        else:
            calm += f"; {sentence}"
    return Assessment(tuple(why), calm, state)


def trigger(
    config: PipelineConfig,
    assessment: Assessment,
    launcher: Launcher,
    forced: str | None = None,
    max_attempts: int = MAX_ATTEMPTS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Triggered:
    """Starts what is due, unless it has been started already. The audit log has it before the run begins.

    Args:
        config: names the store in which claims are kept.
        assessment: whether a run is due.
        launcher: starts it.
        forced: a person's reason to start a run that is not due.
        max_attempts: so often is a run started for one state when none reaches a decision.
        now: the time; replaced in tests.

    Raises:
        ClusterError: the server refuses, or too many attempts came to nothing.
        StorageError: claim or audit log cannot be written.
        IntegrityError: the audit log's end is not as it was written; nothing is started.
    """
    why = (*assessment.why, *([f"forced: {forced}"] if forced is not None else []))
    if not why:
        return Triggered(None, f"nothing is due: {assessment.calm}", ())
    state = digest_json([assessment.state, forced]) if forced is not None else assessment.state
    claims = Claims(config.store, config.name, state)
    latest = claims.latest()
    if latest is not None:
        if (held := _held(claims, latest, launcher, config.tracking, now())) is not None:
            return Triggered(None, held, why)
        if latest.attempt >= max_attempts:
            raise ClusterError(
                f"{latest.attempt} runs for this state came to no decision, the last claimed by {latest.who} on "
                f"{latest.claimed_at:%Y-%m-%d %H:%M} UTC ({latest.run_name}); look at it, then use --force --reason"
            )
    claim = claims.claim(latest.attempt + 1 if latest is not None else 1, who_acts(), why)
    if claim is None:
        return Triggered(None, "another call has just claimed this run", why)
    try:
        _audit(config, claim, state)
        run = launcher.start(claim)
    except ClusterError:  # the server may have started it all the same; the claim stands until that is settled
        raise
    except PlimsollError:
        claims.settle(claim, None)
        raise
    claims.settle(claim, run)
    return Triggered(run, f"started run {run}", why)


def _audit(config: PipelineConfig, claim: Claim, state: str) -> None:
    run = RunContext(config.tracking, config.name, claim.run_name)
    facts = {"state": state, "attempt": str(claim.attempt)}
    record(run, "triggered", f"{'; '.join(claim.why)}.", facts, claim.who)


def _held(claims: Claims, claim: Claim, launcher: Launcher, tracking: TrackingConfig, now: datetime) -> str | None:
    """Why a claim still stands, or None where it came to nothing."""
    known, run = claims.settled(claim)
    run = run if known else launcher.find(claim)
    if run is None:
        if known or now - claim.claimed_at > SETTLING:
            return None
        return f"{claim.who} is starting a run for the same reasons since {claim.claimed_at:%H:%M} UTC"
    outcome = pipeline_run_status(tracking, run)
    if outcome is not None and outcome.decision is not None:
        return f"run {run} was started for the same reasons, and has just been decided: {outcome.decision}"
    if launcher.standing(run) == "running":
        return f"run {run} was started for the same reasons by {claim.who}, and is under way"
    return None


def _age(config: PipelineConfig, decided: date, limit: int, today: date) -> tuple[bool, str]:
    """Whether the champion's evidence has expired and was not looked at again since, and a sentence."""
    champion = champion_of(config.tracking, config.registry.model_name)
    if champion is None:
        return False, f"model {config.registry.model_name} has no champion whose evidence could expire"
    age = (today - champion.decided_on).days
    evidence = f"the evidence of champion version {champion.version} is {age} days old, limit {limit}"
    if age <= limit:
        return False, evidence
    again = (today - decided).days
    if again <= limit:
        return False, f"{evidence}, but the same inputs were judged again {again} days ago"
    return True, evidence
