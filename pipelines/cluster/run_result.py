"""The exit code and the sentence for a run on a cluster that has ended: the decision in MLflow, not the server's state.

A run can succeed on the server although a step inside failed, and a rejected adapter is a successful run. So the code
is taken from the run's parent in MLflow, as `plimsoll run` does it.
"""

from typing import NamedTuple

from components.shared.artifacts.decision import Decision
from components.shared.config.sections import TrackingConfig
from components.shared.tracking.decided import pipeline_run_status
from pipelines.cluster.follow import Ending
from pipelines.exit_codes import DECISION_CODES, FAILURE


class RunResult(NamedTuple):
    """Exit code, a sentence for people, and the link to the run in MLflow."""

    exit_code: int
    text: str
    link: str | None


def run_result(tracking: TrackingConfig, run_id: str, ending: Ending) -> RunResult:
    """Reads the decision of a run that has ended.

    Args:
        tracking: the store that the run wrote to.
        run_id: the server's id, which is the pipeline run's.
        ending: how it ended on the server.

    Raises:
        TrackingError: the store cannot be opened.
    """
    outcome = pipeline_run_status(tracking, run_id)
    link = outcome.link if outcome is not None else None
    said = (outcome.error if outcome is not None else None) or ending.error
    if ending.state != "SUCCEEDED":
        steps = f" in {', '.join(ending.failed)}" if ending.failed else ""
        return RunResult(FAILURE, f"the run ended as {ending.state}{steps}" + (f": {said}" if said else ""), link)
    if outcome is None:
        where = f"experiment {tracking.experiment!r} of {tracking.uri}"
        return RunResult(
            FAILURE, f"the run succeeded, but {where} does not know it: is tracking.uri the cluster's?", link
        )
    if outcome.status != "FINISHED" or outcome.decision is None:
        return RunResult(
            FAILURE, f"no decision was reached (MLflow says {outcome.status})" + (f": {said}" if said else ""), link
        )
    decision = Decision(outcome.decision)
    return RunResult(DECISION_CODES[decision], f"{decision.headline} (decision {decision.value})", link)
