"""Real containers, opt-in: `make test-containers` builds both images first, then runs these."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.images import CPU_IMAGE, GPU_IMAGE
from components.shared.artifacts.decision import Decision
from pipelines.exit_codes import DECISION_CODES, FAILURE

pytestmark = [
    pytest.mark.skipif(os.environ.get("PLIMSOLL_CONTAINER_TESTS") != "1", reason="opt-in: make test-containers"),
    pytest.mark.timeout(1800),
]

STEPS = {"prepare_data", "finetune_lora", "compute_delta", "follow_up", "check_gate", "publish_report"}
ALONE = {"network_mode": "none"}
CONFIG = "configs/pipelines/demo-careful.yaml"


@pytest.fixture(scope="module")
def client():
    """The container engine that DOCKER_HOST names."""
    import docker

    with_engine = docker.from_env()
    yield with_engine
    with_engine.close()


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> Path:
    """A project's folder with the demo's configs, base model and data, and none of our code."""
    if not (root / ".plimsoll/demo/base/config.json").exists():
        subprocess.run([sys.executable, "-m", "pipelines", "demo", "--prepare"], cwd=root, check=True)
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(root / "configs", folder / "configs")
    shutil.copytree(root / ".plimsoll/demo/data", folder / ".plimsoll/demo/data")
    shutil.copytree(root / ".plimsoll/demo/base", folder / ".plimsoll/demo/models/toy")
    (folder / ".plimsoll/demo/base").symlink_to("models/toy")
    return folder


def start(project: Path, *options: str) -> subprocess.Popen[str]:
    """`plimsoll run --runner docker`, in the background."""
    command = [sys.executable, "-m", "pipelines", "run", CONFIG, "--runner", "docker", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def containers_of_runs(client) -> list:
    return client.containers.list(all=True, filters={"label": "plimsoll.pipeline-run"})


def wait_for(condition, seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return False


@pytest.mark.parametrize(
    ("steps", "expected"), [(500, {Decision.PROMOTE}), (60, set(DECISION_CODES))], ids=["whole-recipe", "few-steps"]
)
def test_the_demo_runs_through_the_gate_in_containers(client, project, steps, expected):
    """Every step runs in its image and the exit code is the decision: the whole recipe is promoted."""
    from mlflow import MlflowClient

    started = time.monotonic()
    process = start(project, "--set", f"recipe.max_steps={steps}")
    images_seen: set[str] = set()
    while process.poll() is None:
        images_seen |= {container.attrs["Config"]["Image"] for container in _still_there(client)}
        time.sleep(0.3)
    output = process.stdout.read()
    sys.stdout.write(f"{output}\n{time.monotonic() - started:.0f} s, exit code {process.returncode}\n")
    tracking = MlflowClient(f"sqlite:///{project}/.plimsoll/mlflow.db")
    parent = tracking.get_run(re.search("MLflow run ([0-9a-f]{32})", output)[1])
    decision = Decision(parent.data.tags["plimsoll.decision"])
    assert process.returncode == DECISION_CODES[decision], output
    assert decision in expected
    stages = tracking.search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", max_results=100
    )
    assert {run.info.status for run in (parent, *stages)} == {"FINISHED"}
    assert images_seen == {CPU_IMAGE, GPU_IMAGE}
    last = "register_adapter" if decision is Decision.PROMOTE else "reject_adapter"
    assert [step for step in (*STEPS, last) if f"[{step}]" not in output] == []
    assert containers_of_runs(client) == []
    assert {path.lstat().st_uid for path in project.rglob("*")} == {os.getuid()}


def test_the_audit_log_of_containers_is_whole(project, plimsoll):
    """The log that the containers wrote one after another is one unbroken chain, under the launcher's name."""
    assert plimsoll("audit", "verify", "--log", ".plimsoll/audit.jsonl", cwd=project).returncode == 0
    entries = [json.loads(line) for line in (project / ".plimsoll/audit.jsonl").read_text().splitlines()]
    assert len(entries) >= len(STEPS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_container_outlives_its_launcher(client, project, number):
    """A launcher that is told to stop, or is killed outright, leaves no running container and no open MLflow run."""
    from mlflow import MlflowClient

    process = start(project, "--set", "recipe.seed=7", "--set", f"note={number.name}")
    assert wait_for(lambda: any("finetune" in str(c.attrs["Args"]) for c in _still_there(client, running=True)))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (FAILURE if number is signal.SIGTERM else -number)
    assert wait_for(lambda: not _still_there(client, running=True), 30)
    tracking = MlflowClient(f"sqlite:///{project}/.plimsoll/mlflow.db")
    ids = [experiment.experiment_id for experiment in tracking.search_experiments()]
    assert wait_for(lambda: not tracking.search_runs(ids, "attributes.status = 'RUNNING'"), 30)
    for container in containers_of_runs(client):  # a killed launcher cannot remove what it had started
        container.remove(force=True)


def test_a_failing_container_is_a_failure(client):
    """The exit code of a container that ends at once is its own, every time."""
    from pipelines.running.container import run_container

    assert [run_container(client, CPU_IMAGE, ["sh", "-c", "exit 7"], **ALONE) for _ in range(8)] == [7] * 8


def test_what_a_container_prints_arrives_whole(client, capsys):
    """Nothing of a container's output is lost or printed twice, even where it ends at once."""
    from pipelines.running.container import run_container

    for _ in range(4):
        assert run_container(client, CPU_IMAGE, ["seq", "1000"], **ALONE) == 0
        assert capsys.readouterr().out.split() == [str(number) for number in range(1, 1001)]


@pytest.mark.parametrize("image", [CPU_IMAGE, GPU_IMAGE])
def test_images_run_under_a_restricted_pod(client, image, capsys):
    """An image works with a read-only root, a writable /tmp, no privileges and a user that it does not know."""
    from pipelines.running.container import run_container

    name = "python3 -c 'import getpass, mlflow; print(getpass.getuser())'"
    code = run_container(
        client,
        image,
        ["sh", "-c", f"id -u; pwd; {name}; plimsoll config schema"],
        user="54321:54321",
        read_only=True,
        tmpfs={"/tmp": "rw,size=64m"},  # noqa: S108 - inside the container
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        **ALONE,
    )
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.splitlines()[:3] == ["54321", "/work", "plimsoll"]
    assert '"PipelineConfig"' in said


@pytest.mark.parametrize("image", [CPU_IMAGE, GPU_IMAGE])
def test_nothing_of_the_build_stays(client, image, capsys):
    """No pip, no index settings and no certificate of the build are left, and no environment variable names them."""
    from pipelines.running.container import run_container

    config = client.images.get(image).attrs["Config"]
    assert config["User"] == "10001:10001"
    assert not any(entry.upper().startswith(("PIP_", "HTTP", "SSL_")) for entry in config["Env"])
    script = "for f in /etc/pip.conf /run/secrets/ca.crt /build /opt/pip; do test -e $f && echo $f; done; true"
    assert run_container(client, image, ["sh", "-c", script], **ALONE) == 0
    assert capsys.readouterr().out == ""


def _still_there(client, running: bool = False) -> list:
    """Containers of runs, as far as they do not go while they are looked at."""
    from docker.errors import NotFound

    present = []
    for entry in client.containers.list(
        all=not running, sparse=True, filters={"label": "plimsoll.pipeline-run"}, ignore_removed=True
    ):
        try:
            entry.reload()
        except NotFound:
            continue
        present.append(entry)
    return present
