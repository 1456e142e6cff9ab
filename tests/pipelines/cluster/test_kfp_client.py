"""Requests that fail: repeated, given up, or refused with a cure."""

import pytest

from components.shared.config.cluster import ClusterConfig
from components.shared.errors import PlimsollError
from pipelines.cluster.credentials import IN_CLUSTER_HOST, find_server
from pipelines.cluster.follow import run_state
from pipelines.cluster.kfp_client import Client
from pipelines.cluster.server_errors import ClusterError
from pipelines.cluster.submit import ensure_experiment

STALE = "an-old-one"
EXPERIMENTS = "/apis/v2beta1/experiments"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(kubeflow, connect, waits, status):
    """429 and 5xx answers are repeated, each time after a longer wait, until there is an answer."""
    kubeflow.fail("GET", EXPERIMENTS, status, times=3)
    ensure_experiment(connect(), "e")
    assert [request.status for request in kubeflow.sent("GET", EXPERIMENTS)] == [status] * 3 + [200]
    assert waits == [1.0, 2.0, 4.0]


def test_the_server_says_how_long_to_wait(kubeflow, connect, waits):
    """Retry-After is kept to, up to a minute."""
    kubeflow.fail("GET", EXPERIMENTS, 429, Retry_After="7")
    kubeflow.fail("GET", EXPERIMENTS, 503, Retry_After="4000")
    ensure_experiment(connect(), "e")
    assert waits == [7.0, 60.0]


def test_a_server_that_stays_away_is_given_up(kubeflow, connect):
    """After six attempts the message says what was answered, and that nothing else is tried."""
    kubeflow.fail("GET", EXPERIMENTS, 503, times=9)
    with pytest.raises(ClusterError, match="HTTP 503 in 6 attempts: not now") as raised:
        ensure_experiment(connect(), "e")
    assert isinstance(raised.value, PlimsollError)
    assert raised.value.status == 503


def test_no_server_at_all_is_one_message(waits):
    """Where nobody listens, the message names the address and the options that set it."""
    client = Client(find_server(ClusterConfig(), "http://127.0.0.1:9"), sleep=waits.append)
    with pytest.raises(ClusterError, match=r"127.0.0.1:9 does not answer.*--host"):
        run_state(client, "r")
    assert len(waits) == 5


def test_a_refusal_is_not_repeated(kubeflow, connect, waits):
    """400, 403 and 404 end the command at once, with what the server said."""
    for status, words in ((400, "refused .HTTP 400.: not now"), (403, "check --namespace"), (404, "HTTP 404")):
        kubeflow.fail("GET", EXPERIMENTS, status)
        with pytest.raises(ClusterError, match=words):
            ensure_experiment(connect(), "e")
    assert waits == []


def test_an_expired_token_is_one_message_without_the_token(kubeflow, connect):
    """A token that the server no longer takes is not sent again; the message says what to do, not what it was."""
    kubeflow.accepted = "fresh"
    with pytest.raises(ClusterError, match=r"HTTP 401, with the token of --token.*get a new one") as raised:
        ensure_experiment(connect(token=STALE), "e")
    assert STALE not in str(raised.value)
    assert len(kubeflow.requests) == 1


def test_a_token_file_that_was_renewed_is_read_again(kubeflow, connect, tmp_path):
    """A token that expires between two requests, or just before one, is replaced by the one in the file by then."""
    file = tmp_path / "token"
    file.write_text("first\n")
    client = connect(token_file=file)
    kubeflow.accepted = "first"
    ensure_experiment(client, "e")
    kubeflow.accepted = "second"
    answer = kubeflow.answer

    def renewing(*arguments):
        file.write_text("second\n")  # the kubelet is just a little late
        return answer(*arguments)

    kubeflow.answer = renewing
    ensure_experiment(client, "e")
    assert [request.headers["authorization"] for request in kubeflow.requests[-2:]] == ["Bearer first", "Bearer second"]
    assert [request.status for request in kubeflow.requests[-2:]] == [401, 200]


def test_a_pod_uses_its_service_account(kubeflow, tmp_path, monkeypatch):
    """Without flags, the projected token of the pod and the service in the cluster are used."""
    file = tmp_path / "token"
    file.write_text("of-the-pod")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert find_server(ClusterConfig()).host == IN_CLUSTER_HOST
    kubeflow.accepted = "of-the-pod"
    ensure_experiment(Client(find_server(ClusterConfig(), kubeflow.host)), "e")
    assert kubeflow.requests[-1].status == 200


def test_a_cookie_is_sent_and_a_login_page_is_no_answer(kubeflow, connect):
    """The cookie goes with each request; a redirect to a login page is not followed, and says what is missing."""
    ensure_experiment(connect(cookie="authservice_session=abc"), "e")
    assert kubeflow.requests[0].headers["cookie"] == "authservice_session=abc"
    kubeflow.fail("GET", EXPERIMENTS, 302, Location="/dex/auth")
    with pytest.raises(ClusterError, match=r"HTTP 302, with no credentials.*--cookie"):
        ensure_experiment(connect(), "e")


def test_where_the_server_is(kubeflow, monkeypatch):
    """A flag comes before the config, the config before the variable; nothing at all is an error that names all."""
    with pytest.raises(ClusterError, match=r"--host, cluster.host in the config, or KF_PIPELINES_ENDPOINT"):
        find_server(ClusterConfig())
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", "http://variable/")
    config = ClusterConfig(host="https://config/pipeline", ui="https://people", namespace="team")
    assert find_server(ClusterConfig()).host == "http://variable"
    assert find_server(config).host == "https://config/pipeline"
    server = find_server(config, "http://flag", "mine")
    assert (server.host, server.namespace, server.run_link("r")) == (
        "http://flag",
        "mine",
        "https://people/#/runs/details/r",
    )
    with pytest.raises(ClusterError, match="http://"):
        find_server(config, "kubeflow.example.org")


def test_an_empty_token_file_is_found_before_anything_is_sent(kubeflow, connect, tmp_path):
    """A token file that is missing or empty is named."""
    (tmp_path / "empty").write_text("\n")
    for name, words in (("empty", "is empty"), ("missing", "cannot be read")):
        with pytest.raises(ClusterError, match=words):
            ensure_experiment(connect(token_file=tmp_path / name), "e")
    assert kubeflow.requests == []
