"""Chaos, opt-in (`make test-chaos`): runs that are killed, edited, cut off and crowded in their middle."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos import cases, fork_server
from tests.chaos.servers import S3Door
from tests.chaos.small_project import SmallProject
from tests.pipelines.conftest import empty_store  # noqa: F401 - a fixture
from tests.servers.conftest import BUCKET, credentials


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing here runs unless asked for; it takes minutes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))
            if os.environ.get("PLIMSOLL_CHAOS_TESTS") != "1":
                item.add_marker(pytest.mark.skip(reason="opt-in: make test-chaos"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a fork server."""
    folder = tmp_path_factory.mktemp("server")
    process = fork_server.start(folder)
    yield str(folder / "server")
    process.kill()
    process.wait()


@pytest.fixture
def make_small(server: str, tiny_base: Path, empty_store: Path) -> Callable[[Path], SmallProject]:  # noqa: F811
    """Makes a small project in a folder."""
    return lambda folder: SmallProject(folder, tiny_base, empty_store, server)


@pytest.fixture
def small(tmp_path: Path, make_small: Callable[[Path], SmallProject]) -> SmallProject:
    """A small project that is promoted."""
    return make_small(tmp_path / "small")


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Counts how this try of a case ended."""
    return lambda case, ending: cases.note(case, ending, request.node.name)


@pytest.fixture(scope="module")
def s3_door() -> Iterator[S3Door]:
    """An S3 server behind a door."""
    door = S3Door()
    yield door
    door.stop()


@pytest.fixture
def in_s3(
    s3_door: S3Door, make_small: Callable[[Path], SmallProject], tmp_path: Path, environment: pytest.MonkeyPatch
) -> Callable[[str], SmallProject]:
    """Makes a small project whose store and audit log are in S3; this process may look at them, too."""
    s3_door.shut("open")
    for name, value in credentials(s3_door.url).items():
        environment.setenv(name, value)

    def make(name: str) -> SmallProject:
        small = make_small(tmp_path / name / "small")
        small.environment |= credentials(s3_door.url)
        address = f"s3://{BUCKET}/{tmp_path.name}/{name}"
        small.move(f"{address}/store", small.tracking.model_copy(update={"audit_log": f"{address}/audit"}))
        return small

    return make
