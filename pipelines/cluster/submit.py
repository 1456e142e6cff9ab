"""Sends a compiled pipeline to a Kubeflow Pipelines server and starts a run of it.

The caller gives each run a unique name. If the answer to a request was lost, the run is looked up by that name before
the request is repeated, so that one call starts one run.
"""

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.config.sections import PipelineConfig
from components.shared.digests import short
from pipelines.cluster.kfp_client import Client
from pipelines.cluster.listing import newest
from pipelines.cluster.package import Package


class Submission(NamedTuple):
    """A run to start on the server.

    Attributes:
        package: the compiled pipeline.
        experiment: Kubeflow's experiment.
        run_name: displayed name of the run; unique.
        service_account: service account of every step; None: the server's default.
        upload: whether the pipeline is uploaded as a version first, and run from there.
    """

    package: Package
    experiment: str
    run_name: str
    service_account: str | None = None
    upload: bool = False


def submission_of(config: PipelineConfig, package: Package, run_name: str, experiment: str | None = None) -> Submission:
    """The submission of a config.

    Args:
        config: its section `cluster` names experiment and service account.
        package: its compiled pipeline.
        run_name: displayed name of the run.
        experiment: replaces the config's.
    """
    chosen = experiment or config.cluster.experiment or config.tracking.experiment
    return Submission(package, chosen, run_name, config.cluster.service_account)


def show_submission(client: Client, submission: Submission) -> str:
    """The requests that a submission would send, as JSON, without credentials."""
    run = client.runs.api_client.sanitize_for_serialization(_run(client, submission, "<id of the experiment>", None))
    if submission.upload:
        run.pop("pipeline_spec", None)
        run["pipeline_version_reference"] = {"pipeline_id": "<its id>", "pipeline_version_id": "<its version's id>"}
    shown = {
        "server": client.server.host,
        "namespace": client.server.namespace,
        "experiment": submission.experiment,
        "upload": version_name(submission.package) if submission.upload else None,
        "POST /apis/v2beta1/runs": run,
    }
    return json.dumps(shown, indent=1)


def submit(client: Client, submission: Submission) -> str:
    """Starts a run and returns its id.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    experiment_id = ensure_experiment(client, submission.experiment)
    reference = upload(client, submission.package) if submission.upload else None
    body = _run(client, submission, experiment_id, reference)
    made = client.make(
        lambda: find_submitted(client, experiment_id, submission.run_name), client.runs.run_service_create_run, body
    )
    return client.identity(made, "run_id")


def find_submitted(client: Client, experiment_id: str, run_name: str) -> Any | None:
    """The run with a name, or None."""
    return newest(client, client.runs.run_service_list_runs, "runs", run_name, experiment_id=experiment_id)


def find_experiment(client: Client, name: str) -> Any | None:
    """The experiment with a name, or None."""
    listing = client.experiments.experiment_service_list_experiments
    return newest(client, listing, "experiments", name, namespace=client.server.namespace)


def ensure_experiment(client: Client, name: str) -> str:
    """The id of an experiment, which is made if it does not exist."""
    experiment = find_experiment(client, name)
    if experiment is None:
        body = client.models.V2beta1Experiment(display_name=name, namespace=client.server.namespace)
        create = client.experiments.experiment_service_create_experiment
        experiment = client.make(lambda: find_experiment(client, name), create, body)
    return client.identity(experiment, "experiment_id")


def version_name(package: Package) -> str:
    """The name of a pipeline's version: by content, so that the same pipeline is uploaded once."""
    return f"{package.name}-{short(package.digest)}"


def upload(client: Client, package: Package) -> Any:
    """Uploads a pipeline as a version unless it is there already, and returns the reference to it.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """

    def find_pipeline() -> Any | None:
        listing = client.pipelines.pipeline_service_list_pipelines
        return newest(client, listing, "pipelines", package.name, namespace=client.server.namespace)

    pipeline = find_pipeline()
    if pipeline is None:
        body = client.models.V2beta1Pipeline(
            display_name=package.name, name=package.name, namespace=client.server.namespace
        )
        pipeline = client.make(find_pipeline, client.pipelines.pipeline_service_create_pipeline, body)
    pipeline_id = client.identity(pipeline, "pipeline_id")

    def find_version() -> Any | None:
        listing = client.pipelines.pipeline_service_list_pipeline_versions
        return newest(client, listing, "pipeline_versions", version_name(package), pipeline_id=pipeline_id)

    version = find_version()
    if version is None:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "pipeline.yaml"
            file.write_text(package.text, encoding="utf-8")
            version = client.make(
                find_version,
                client.uploads.upload_pipeline_version,
                str(file),
                name=version_name(package),
                display_name=version_name(package),
                pipelineid=pipeline_id,
            )
    return client.models.V2beta1PipelineVersionReference(
        pipeline_id=pipeline_id, pipeline_version_id=client.identity(version, "pipeline_version_id")
    )


def _run(client: Client, submission: Submission, experiment_id: str, reference: Any | None) -> Any:
    return client.models.V2beta1Run(
        display_name=submission.run_name,
        experiment_id=experiment_id,
        pipeline_spec=submission.package.body if reference is None else None,
        pipeline_version_reference=reference,
        runtime_config=client.models.V2beta1RuntimeConfig(parameters={}),
        service_account=submission.service_account,
    )
