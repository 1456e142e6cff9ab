"""Two ways to start a run that `plimsoll trigger` finds due: on a cluster, or on this machine.

Each also tells whether an earlier run goes on, so that no second one is started beside it.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.shared.config.sections import TrackingConfig
from components.shared.tracking.decided import pipeline_run_status, running_since
from components.shared.tracking.recorded_runs import RecordedRun
from pipelines.cluster.claims import Claim
from pipelines.cluster.fingerprint import Sections
from pipelines.cluster.follow import OVER, run_state
from pipelines.cluster.kfp_client import Client
from pipelines.cluster.server_errors import ClusterError
from pipelines.cluster.submit import Submission, find_experiment, find_submitted, submit
from pipelines.cluster.trigger import RunStatus
from pipelines.running.launch import Loaded, Outcome, run_local

_SECTIONS = ("data", "evaluation")


class ClusterLauncher:
    """Starts runs on a Kubeflow Pipelines server.

    Args:
        client: sends the requests.
        submission: the run to start; its name is replaced by the claim's.
    """

    def __init__(self, client: Client, submission: Submission) -> None:
        self._client, self._submission = client, submission

    def start(self, claim: Claim) -> str:
        """See `Launcher`."""
        return submit(self._client, self._submission._replace(run_name=claim.run_name))

    def find(self, claim: Claim) -> str | None:
        """See `Launcher`."""
        experiment = find_experiment(self._client, self._submission.experiment)
        if experiment is None:
            return None
        run = find_submitted(self._client, str(experiment.experiment_id), claim.run_name)
        return str(run.run_id) if run is not None else None

    def status(self, run: str) -> RunStatus:
        """See `Launcher`."""
        try:
            return "over" if run_state(self._client, run) in OVER else "running"
        except ClusterError as error:
            if error.status == 404:
                return "unknown"
            raise


class LocalLauncher:
    """Runs the graph on this machine, to its end.

    Args:
        loaded: config and policy.
        tracking: the store, its local path absolute.
    """

    def __init__(self, loaded: Loaded, tracking: TrackingConfig) -> None:
        self._loaded, self._tracking = loaded, tracking
        self.outcome: Outcome | None = None

    def start(self, claim: Claim) -> str:
        """See `Launcher`; the run has ended when this returns."""
        self.outcome = run_local(self._loaded)
        return self.outcome.log.parent.name

    def find(self, claim: Claim) -> str | None:
        """See `Launcher`: the pipeline's newest run since the claim."""
        runs = running_since(self._tracking, self._loaded.config.name, claim.claimed_at)
        return runs[0].pipeline_run if runs else None

    def status(self, run: str) -> RunStatus:
        """See `Launcher`."""
        outcome = pipeline_run_status(self._tracking, run)
        if outcome is None:
            return "unknown"
        return "running" if outcome.status == "RUNNING" else "over"


def kept_sections(run: RecordedRun, client: Client | None) -> Sections | None:
    """The sections of the config of a run: from MLflow, else from the server; None if neither has them."""
    with TemporaryDirectory() as directory:
        file = run.fetch("config.json", Path(directory))
        if file is not None:
            sections: Sections | None = _parsed(file.read_text(encoding="utf-8"))
            return sections
    if client is None:
        return None
    try:
        kept = client.call(client.runs.run_service_get_run, run.pipeline_run)
        spec = kept.pipeline_spec or _version_spec(client, kept.pipeline_version_reference)
    except ClusterError as error:
        if error.status == 404:
            return None
        raise
    return _parameters(dict(spec or {}), kept.runtime_config)


def _version_spec(client: Client, reference: Any) -> Any:
    if reference is None:
        return None
    get = client.pipelines.pipeline_service_get_pipeline_version
    return client.call(get, reference.pipeline_id, reference.pipeline_version_id).pipeline_spec


def _parameters(spec: dict[str, Any], runtime: Any) -> Sections | None:
    root = spec.get("pipeline_spec", spec).get("root", {})
    declared = root.get("inputDefinitions", {}).get("parameters", {})
    replaced = (runtime.parameters if runtime is not None else None) or {}
    texts = {name: replaced.get(name, declared.get(name, {}).get("defaultValue")) for name in _SECTIONS}
    if any(not isinstance(text, str) for text in texts.values()):
        return None
    return {name: _parsed(str(text)) for name, text in texts.items()}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
