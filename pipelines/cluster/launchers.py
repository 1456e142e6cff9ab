"""Two ways to start what `plimsoll trigger` finds due: on a cluster, or on this machine.

Each also says how an earlier run does, so that none is started beside it.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.shared.config.sections import TrackingConfig
from components.shared.tracking.decided import outcome_of, running_since
from components.shared.tracking.recorded_runs import RecordedRun
from pipelines.cluster.claims import Claim
from pipelines.cluster.fingerprint import Sections
from pipelines.cluster.follow import OVER, run_state
from pipelines.cluster.kfp_client import Client
from pipelines.cluster.server_errors import ClusterError
from pipelines.cluster.submit import Request, find_experiment, find_submitted, submit
from pipelines.cluster.trigger import Standing
from pipelines.running.launch import Loaded, RunResult, run_local

_SECTIONS = ("data", "evaluation")


class ClusterLauncher:
    """Starts runs on a Kubeflow Pipelines server.

    Args:
        client: sends the requests.
        request: what a run is; its name is replaced by the claim's.
    """

    def __init__(self, client: Client, request: Request) -> None:
        self._client, self._request = client, request

    def start(self, claim: Claim) -> str:
        """See `Launcher`."""
        return submit(self._client, self._request._replace(run_name=claim.run_name))

    def find(self, claim: Claim) -> str | None:
        """See `Launcher`."""
        experiment = find_experiment(self._client, self._request.experiment)
        if experiment is None:
            return None
        found = find_submitted(self._client, str(experiment.experiment_id), claim.run_name)
        return str(found.run_id) if found is not None else None

    def standing(self, run: str) -> Standing:
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
        verbose: whether kfp's own lines are shown as well.
    """

    def __init__(self, loaded: Loaded, tracking: TrackingConfig, verbose: bool = False) -> None:
        self._loaded, self._tracking, self._verbose = loaded, tracking, verbose
        self.outcome: RunResult | None = None

    def start(self, claim: Claim) -> str:
        """See `Launcher`; the run is over when this returns."""
        self.outcome = run_local(self._loaded, self._verbose)
        return self.outcome.log.parent.name

    def find(self, claim: Claim) -> str | None:
        """See `Launcher`: the pipeline's newest run since the claim."""
        found = running_since(self._tracking, self._loaded.config.name, claim.claimed_at)
        return found[0].pipeline_run if found else None

    def standing(self, run: str) -> Standing:
        """See `Launcher`."""
        outcome = outcome_of(self._tracking, run)
        if outcome is None:
            return "unknown"
        return "running" if outcome.status == "RUNNING" else "over"


def kept_sections(run: RecordedRun, client: Client | None) -> Sections | None:
    """The sections of the config that a run was started with: from MLflow, else from the server; None for neither."""
    with TemporaryDirectory() as directory:
        found = run.fetch("config.json", Path(directory))
        if found is not None:
            sections: Sections | None = _readable(found.read_text(encoding="utf-8"))
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
    given = (runtime.parameters if runtime is not None else None) or {}
    texts = {name: given.get(name, declared.get(name, {}).get("defaultValue")) for name in _SECTIONS}
    if any(not isinstance(text, str) for text in texts.values()):
        return None
    return {name: _readable(str(text)) for name, text in texts.items()}


def _readable(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
