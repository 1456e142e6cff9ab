"""`plimsoll trigger`: decides whether a retraining is due, and starts it once.

A run is due if an input changed since the last decided run (data, base model, suites, policy, recipe; if the last
config is known, also how rows are mixed and answers are drawn), or if the champion's evidence is too old. It is started
once however many callers there are: see `pipelines.cluster.claims`.
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

CLAIM_TIMEOUT = timedelta(minutes=15)
"""After this time a claim without a run no longer counts: its caller must have died."""
MAX_ATTEMPTS = 3
"""Runs that are started for one state if none reaches a decision."""

SectionsOf = Callable[[RecordedRun], Sections | None]
RunStatus = Literal["running", "over", "unknown"]


class Launcher(Protocol):
    """Starts runs and looks them up."""

    def start(self, claim: Claim) -> str:
        """Starts the run of a claim, and returns the id of the pipeline run."""

    def find(self, claim: Claim) -> str | None:
        """The pipeline run that a claim led to although none was recorded; None if there is no such run."""

    def status(self, run: str) -> RunStatus:
        """Whether a run goes on; unknown if it no longer exists."""


class Assessment(NamedTuple):
    """Whether a run is due.

    Attributes:
        why: reasons for a run, one sentence each; empty if none is due.
        why_not: a sentence on what is unchanged, and on what was not compared.
        state: digest of the last decision and of everything that was compared with it.
    """

    why: tuple[str, ...]
    why_not: str
    state: str


class Triggered(NamedTuple):
    """The run that was started, or None, and a sentence about it."""

    run: str | None
    text: str


def assess(
    config: PipelineConfig, loaded: Loaded, sections_of: SectionsOf, max_age_days: int | None, today: date
) -> Assessment:
    """Compares today's inputs with those of the last decision.

    Args:
        config: with absolute local paths.
        loaded: holds the policy.
        sections_of: returns the config that a run was started with, if it is known.
        max_age_days: days after which the champion's evidence expires; None: never.
        today: in UTC.

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
    why_not = (
        f"data, base model, suites, policy and recipe are those of run {last.pipeline_run}, decided on "
        f"{before.decision.decided_on} ({before.decision.decision.value})"
    )
    if sections is None:
        why_not += "; how rows are mixed and answers are drawn was not compared, its config is not known"
    if max_age_days is not None:
        expired, sentence = _age(config, before.decision.decided_on, max_age_days, today)
        if expired:
            why.append(sentence)
        else:
            why_not += f"; {sentence}"
    return Assessment(tuple(why), why_not, state)


def trigger(
    config: PipelineConfig,
    assessment: Assessment,
    launcher: Launcher,
    forced: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Triggered:
    """Starts a run if one is due and was not started already. The audit log has an entry before the run begins.

    Args:
        config: names the store of the claims.
        assessment: whether a run is due.
        launcher: starts it.
        forced: a person's reason to start a run that is not due.
        now: the time; replaced in tests.

    Raises:
        ClusterError: the server refuses, or too many runs ended without a decision.
        StorageError: claim or audit log cannot be written.
        IntegrityError: the audit log's end is not as it was written; nothing is started.
    """
    why = (*assessment.why, *([f"forced: {forced}"] if forced is not None else []))
    if not why:
        return Triggered(None, f"nothing is due: {assessment.why_not}")
    state = digest_json([assessment.state, forced]) if forced is not None else assessment.state
    claims = Claims(config.store, config.name, state)
    latest = claims.latest()
    if latest is not None:
        if (held := _why_held(claims, latest, launcher, config.tracking, now())) is not None:
            return Triggered(None, held)
        if latest.attempt >= MAX_ATTEMPTS:
            raise ClusterError(
                f"{latest.attempt} runs for this state ended without a decision, the last claimed by {latest.who} on "
                f"{latest.claimed_at:%Y-%m-%d %H:%M} UTC ({latest.run_name}); find out why, then use --force --reason"
            )
    claim = claims.claim(latest.attempt + 1 if latest is not None else 1, who_acts(), why)
    if claim is None:
        return Triggered(None, "another call has just claimed this run")
    try:
        _audit(config, claim, state)
        run = launcher.start(claim)
    except ClusterError:  # the server may have started it all the same: the claim stays until a later call has looked
        raise
    except PlimsollError:
        claims.settle(claim, None)
        raise
    claims.settle(claim, run)
    return Triggered(run, f"started run {run}")


def _audit(config: PipelineConfig, claim: Claim, state: str) -> None:
    run = RunContext(config.tracking, config.name, claim.run_name)
    facts = {"state": state, "attempt": str(claim.attempt)}
    record(run, "triggered", f"{'; '.join(claim.why)}.", facts, claim.who)


def _why_held(claims: Claims, claim: Claim, launcher: Launcher, tracking: TrackingConfig, now: datetime) -> str | None:
    """Why a claim still counts, or None if it led to no decision and no run goes on."""
    known, run = claims.settled(claim)
    run = run if known else launcher.find(claim)
    if run is None:
        if known or now - claim.claimed_at > CLAIM_TIMEOUT:
            return None
        return f"{claim.who} is starting a run for the same reasons (claimed at {claim.claimed_at:%H:%M} UTC)"
    outcome = pipeline_run_status(tracking, run)
    if outcome is not None and outcome.decision is not None:
        return f"run {run} was started for the same reasons, and has just been decided: {outcome.decision}"
    if launcher.status(run) == "running":
        return f"run {run} was started for the same reasons by {claim.who}, and is under way"
    return None


def _age(config: PipelineConfig, decided: date, limit: int, today: date) -> tuple[bool, str]:
    """Whether the champion's evidence is too old and the same inputs were not judged again since, and a sentence."""
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
