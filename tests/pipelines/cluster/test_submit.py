"""What is sent to start a run, and what a repeated request does not do twice."""

import json

from components.shared.config.sections import PipelineConfig
from pipelines.cluster.submit import Submission, ensure_experiment, show_submission, submission_of, submit, version_name

HIDDEN = "nobody-knows"
RUNS, EXPERIMENTS = "/apis/v2beta1/runs", "/apis/v2beta1/experiments"


def _request(package, **changes) -> Submission:
    return Submission(package, "plimsoll-demo", "demo-1", "pipeline-runner")._replace(**changes)


def test_a_submission_is_three_requests(kubeflow, connect, package):
    """The experiment is looked for and made, then the run is started with both parts of the pipeline in its body."""
    run_id = submit(connect(namespace="team"), _request(package))
    assert [(request.method, request.path) for request in kubeflow.requests] == [
        ("GET", EXPERIMENTS),
        ("POST", EXPERIMENTS),
        ("POST", RUNS),
    ]
    looked, made, started = kubeflow.requests
    assert looked.query["namespace"] == "team"
    assert json.loads(looked.query["filter"]) == {
        "predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": "plimsoll-demo"}]
    }
    assert made.body == {"display_name": "plimsoll-demo", "namespace": "team"}
    assert started.body == {
        "display_name": "demo-1",
        "experiment_id": kubeflow.things["experiments"][0]["experiment_id"],
        "pipeline_spec": {"pipeline_spec": package.pipeline_spec, "platform_spec": package.platform_spec},
        "runtime_config": {"parameters": {}},
        "service_account": "pipeline-runner",
    }
    assert run_id == kubeflow.things["runs"][0]["run_id"]


def test_the_sdk_sends_the_same_run(kubeflow, connect, package, tmp_path, monkeypatch):
    """The body of the run is the one that Kubeflow's own client sends for the same YAML."""
    from kfp.client import Client as KubeflowClient

    submit(connect(), _request(package))
    file = tmp_path / "pipeline.yaml"
    file.write_text(package.text)
    monkeypatch.setattr(KubeflowClient, "_LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    monkeypatch.setattr(KubeflowClient, "get_kfp_healthz", lambda self: type("Health", (), {"multi_user": False}))
    KubeflowClient(kubeflow.host).create_run_from_pipeline_package(
        str(file), run_name="demo-1", experiment_id=kubeflow.things["experiments"][0]["experiment_id"],
        service_account="pipeline-runner",
    )  # fmt: skip
    ours, theirs = (request.body for request in kubeflow.sent("POST", RUNS))
    assert ours == theirs


def test_an_experiment_is_made_once(kubeflow, connect, package):
    """The second submission finds the experiment of the first."""
    client = connect()
    assert ensure_experiment(client, "e") == ensure_experiment(client, "e")
    assert len(kubeflow.sent("POST", EXPERIMENTS)) == 1


def test_a_lost_answer_makes_no_second_run(kubeflow, connect, package):
    """Where the server started the run but its answer was lost, the run is found by its name, not started again."""
    kubeflow.fail("POST", RUNS, 502, carried_out=True)
    run_id = submit(connect(), _request(package))
    assert [run["run_id"] for run in kubeflow.things["runs"]] == [run_id]
    assert len(kubeflow.sent("POST", RUNS)) == 1


def test_a_run_that_was_not_started_is_started_again(kubeflow, connect, package):
    """Where the server did nothing, the request is repeated."""
    kubeflow.fail("POST", RUNS, 503, times=2)
    submit(connect(), _request(package))
    assert [request.status for request in kubeflow.sent("POST", RUNS)] == [503, 503, 200]
    assert len(kubeflow.things["runs"]) == 1


def test_an_upload_is_a_version_named_by_content(kubeflow, connect, package):
    """The pipeline is made once, its version is uploaded once as a file, and the run refers to it."""
    client = connect(namespace="team")
    for name in ("demo-1", "demo-2"):
        submit(client, _request(package, run_name=name, upload=True))
    (pipeline,) = kubeflow.things["pipelines"]
    (uploaded,) = kubeflow.sent("POST", "/apis/v2beta1/pipelines/upload_version")
    assert (pipeline["name"], pipeline["namespace"]) == ("plimsoll-demo-careful", "team")
    assert uploaded.query["display_name"] == version_name(package)
    assert uploaded.query["pipelineid"] == pipeline["pipeline_id"]
    assert uploaded.headers["content-type"].startswith("multipart/form-data")
    assert package.text.encode() in uploaded.body
    reference = {
        "pipeline_id": pipeline["pipeline_id"],
        "pipeline_version_id": kubeflow.things["versions"][0]["pipeline_version_id"],
    }
    assert [request.body["pipeline_version_reference"] for request in kubeflow.sent("POST", RUNS)] == [reference] * 2
    assert "pipeline_spec" not in kubeflow.sent("POST", RUNS)[0].body


def test_a_dry_run_shows_the_request_and_no_secret(kubeflow, connect, package):
    """What is shown is what would be sent, without credentials, and nothing is sent."""
    shown = json.loads(show_submission(connect(token=HIDDEN), _request(package)))
    assert shown["POST /apis/v2beta1/runs"]["display_name"] == "demo-1"
    assert shown["POST /apis/v2beta1/runs"]["pipeline_spec"]["pipeline_spec"] == package.pipeline_spec
    assert HIDDEN not in json.dumps(shown)
    assert kubeflow.requests == []


def test_the_experiment_is_the_flags_the_clusters_or_mlflows(package):
    """A flag comes before cluster.experiment, that before tracking.experiment."""
    config = PipelineConfig.model_validate_json(
        json.dumps(
            {
                "name": "p",
                "base_model": {"path": "base"},
                "data": {"train": "t.jsonl"},
                "suites": ["s.yaml"],
                "policy": "p.yaml",
                "registry": {"model_name": "m"},
                "tracking": {"experiment": "in-mlflow"},
                "cluster": {"service_account": "runner"},
            }
        )
    )
    named = config.model_copy(update={"cluster": config.cluster.model_copy(update={"experiment": "in-kubeflow"})})
    assert submission_of(config, package, "r").experiment == "in-mlflow"
    assert submission_of(config, package, "r").service_account == "runner"
    assert submission_of(named, package, "r").experiment == "in-kubeflow"
    assert submission_of(named, package, "r", "flag").experiment == "flag"
