"""A task's container, and an engine that is slow, silent or drops the connection."""

from collections.abc import Iterator

import pytest
import requests
import urllib3

from pipelines.running.docker_task import run_container
from pipelines.running.interruption import Interrupted


class FakeContainer:
    """A container as docker-py presents it: prints, ends, and can be removed."""

    def __init__(self, pieces: list[bytes], code: int, streamed: int, deaf: int = 0) -> None:
        self._pieces, self._code, self._streamed, self._deaf = pieces, code, streamed, deaf
        self.removed = False
        self.interrupt = False
        self.refusal: Exception | None = None
        self.broken: list[tuple[int, Exception]] = []
        self.status = "running"
        self.attrs = {"State": {"ExitCode": code}}

    def start(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def logs(self, stream: bool = False) -> Iterator[bytes] | bytes:
        return self._stream() if stream else b"".join(self._pieces)

    def _stream(self) -> Iterator[bytes]:
        if self.broken:
            pieces, error = self.broken.pop(0)
            yield from self._pieces[:pieces]
            raise error
        yield from self._pieces[: self._streamed]
        if self.interrupt:
            raise Interrupted("SIGTERM")

    def wait(self) -> dict[str, int]:
        if self._deaf:
            self._deaf -= 1
            raise requests.exceptions.ReadTimeout
        return {"StatusCode": self._code}

    def reload(self) -> None:
        self.status = "running" if self._deaf or self.broken else "exited"

    def remove(self, force: bool) -> None:
        self.removed = force


class FakeEngine:
    """A client of a container engine that runs one prepared container and records the arguments."""

    def __init__(self, container: FakeContainer) -> None:
        self.containers = self
        self._container = container
        self.asked: dict[str, object] = {}

    def create(self, **arguments: object) -> FakeContainer:
        self.asked = arguments
        return self._container


@pytest.mark.parametrize("code", [0, 1, 7, 137])
@pytest.mark.parametrize("streamed", [0, 1, 3])
def test_the_exit_code_is_that_of_the_container(capsys, code, streamed):
    """However much the stream delivers, all output is printed once and the exit code is the container's."""
    container = FakeContainer([b"one\n", b"tw\xc3\xb6\n", b"three\n"], code, streamed)
    engine = FakeEngine(container)
    assert run_container(engine, "image", ["do"], user="1:1") == code
    assert capsys.readouterr().out == "one\ntwö\nthree\n"
    assert container.removed
    assert engine.asked == {"image": "image", "command": ["do"], "detach": True, "auto_remove": False, "user": "1:1"}


def test_an_engine_that_is_slow_to_answer_is_asked_again(monkeypatch):
    """After a timeout the engine is asked again for the exit code."""
    monkeypatch.setattr("pipelines.running.docker_task.time.sleep", lambda _: None)
    assert run_container(FakeEngine(FakeContainer([], 7, 0, deaf=3)), "image", ["do"]) == 7


def test_an_interrupted_launcher_removes_its_container():
    """The interruption is raised again after the container was removed."""
    container = FakeContainer([b"one\n"], 0, 1)
    container.interrupt = True
    with pytest.raises(Interrupted):
        run_container(FakeEngine(container), "image", ["do"])
    assert container.removed


def test_a_container_that_cannot_start_does_not_stay():
    """A container that was created but could not start is removed, and the engine's error is raised."""
    container = FakeContainer([], 0, 0)
    container.refusal = RuntimeError("no such network")
    with pytest.raises(RuntimeError, match="no such network"):
        run_container(FakeEngine(container), "image", ["do"])
    assert container.removed


@pytest.mark.parametrize("error", [requests.exceptions.ReadTimeout(), urllib3.exceptions.ProtocolError()])
@pytest.mark.parametrize("breaks", [[0], [2], [1, 0, 2], [3]])
def test_a_stream_that_breaks_loses_and_repeats_nothing(capsys, monkeypatch, error, breaks):
    """The stream is opened again while the container runs, and no output is printed twice."""
    monkeypatch.setattr("pipelines.running.docker_task.time.sleep", lambda _: None)
    container = FakeContainer([b"one\n", b"two\n", b"three\n"], 5, 3)
    container.broken = [(pieces, error) for pieces in breaks]
    assert run_container(FakeEngine(container), "image", ["do"]) == 5
    assert capsys.readouterr().out == "one\ntwo\nthree\n"
    assert container.broken == []
