"""What is found out about an MLflow store before a run."""

import pytest

from components.shared.config.sections import TrackingConfig
from components.shared.errors import ConfigError, TrackingError
from components.shared.tracking.runs import open_client
from components.shared.tracking.store_check import check_store


@pytest.fixture
def tracking(tmp_path) -> TrackingConfig:
    return TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db", experiment="trials")


def test_a_store_that_does_not_exist_is_not_made(tracking):
    """The check leaves nothing behind."""
    assert "does not exist yet" in check_store(tracking)
    assert not tracking.sqlite_file.exists()


def test_an_experiment_is_found_and_a_deleted_one_refused(tracking):
    """A deleted experiment keeps its name, so a run could not use it; the error says how to bring it back."""
    client = open_client(tracking)
    assert check_store(tracking) == "answers; experiment 'trials' does not exist yet, a run makes it"
    number = client.create_experiment("trials")
    assert check_store(tracking) == "answers; experiment 'trials' exists"
    client.delete_experiment(number)
    with pytest.raises(ConfigError, match=rf"'trials' was deleted .* restore --experiment-id {number}"):
        check_store(tracking)


def test_a_server_that_is_away_is_an_error():
    """The server is asked once where no time is given."""
    with pytest.raises(TrackingError, match="did not answer"):
        check_store(TrackingConfig(uri="http://127.0.0.1:9"), deadline_s=0)
