"""Sends a compiled pipeline to a Kubeflow Pipelines server and starts a run of it.

A run's name is made unique by who calls; a request whose answer was lost is looked up by that name before it is
repeated, so that one call starts one run. This module does not follow a run and knows no decision.
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


class Request(NamedTuple):
    """What is asked for.

    Attributes:
        package: the compiled pipeline.
        experiment: Kubeflow's experiment.
        run_name: displayed name of the run; unique.
        service_account: of every step; None: the server's default.
        upload: whether the pipeline is uploaded as a version first, and run from there.
    """

    package: Package
    experiment: str
    run_name: str
    service_account: str | None = None
    upload: bool = False


def request_of(config: PipelineConfig, package: Package, run_name: str, experiment: str | None = None) -> Request:
    """The request of a config.

    Args:
        config: the section `cluster` says who runs it.
        package: its compiled pipeline.
        run_name: displayed name of the run.
        experiment: replaces the config's.
    """
    chosen = experiment or config.cluster.experiment or config.tracking.experiment
    return Request(package, chosen, run_name, config.cluster.service_account)


def show_request(client: Client, request: Request) -> str:
    """The requests that a submission would send, as JSON; no credentials are among them."""
    run = client.runs.api_client.sanitize_for_serialization(_run(client, request, "<id of the experiment>", None))
    if request.upload:
        run.pop("pipeline_spec", None)
        run["pipeline_version_reference"] = {"pipeline_id": "<its id>", "pipeline_version_id": "<its version's id>"}
    shown = {
        "server": client.server.host,
        "namespace": client.server.namespace,
        "experiment": request.experiment,
        "upload": version_name(request.package) if request.upload else None,
        "POST /apis/v2beta1/runs": run,
    }
    return json.dumps(shown, indent=1)


def submit(client: Client, request: Request) -> str:
    """Starts a run; its id.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    experiment_id = ensure_experiment(client, request.experiment)
    reference = upload(client, request.package) if request.upload else None
    body = _run(client, request, experiment_id, reference)
    made = client.make(
        lambda: find_submitted(client, experiment_id, request.run_name), client.runs.run_service_create_run, body
    )
    return str(made.run_id)


def find_submitted(client: Client, experiment_id: str, run_name: str) -> Any | None:
    """The run with a name, or None."""
    return newest(client, client.runs.run_service_list_runs, "runs", run_name, experiment_id=experiment_id)


def find_experiment(client: Client, name: str) -> Any | None:
    """The experiment with a name, or None."""
    listing = client.experiments.experiment_service_list_experiments
    return newest(client, listing, "experiments", name, namespace=client.server.namespace)


def ensure_experiment(client: Client, name: str) -> str:
    """The id of an experiment, which is made where there is none."""
    found = find_experiment(client, name)
    if found is None:
        body = client.models.V2beta1Experiment(display_name=name, namespace=client.server.namespace)
        create = client.experiments.experiment_service_create_experiment
        found = client.make(lambda: find_experiment(client, name), create, body)
    return str(found.experiment_id)


def version_name(package: Package) -> str:
    """The name of a pipeline's version: by content, so that the same pipeline is uploaded once."""
    return f"{package.name}-{short(package.digest)}"


def upload(client: Client, package: Package) -> Any:
    """Uploads a pipeline as a version, where it is not there yet; the reference to it.

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
    pipeline_id = str(pipeline.pipeline_id)

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
        pipeline_id=pipeline_id, pipeline_version_id=str(version.pipeline_version_id)
    )


def _run(client: Client, request: Request, experiment_id: str, reference: Any | None) -> Any:
    return client.models.V2beta1Run(
        display_name=request.run_name,
        experiment_id=experiment_id,
        pipeline_spec=request.package.body if reference is None else None,
        pipeline_version_reference=reference,
        runtime_config=client.models.V2beta1RuntimeConfig(parameters={}),
        service_account=request.service_account,
    )
