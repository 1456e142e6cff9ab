"""No address in a config holds a password, and no message about one shows it."""

from pathlib import Path

import pytest

from components.shared.config.reading import load_pipeline_config
from components.shared.config.sections import TrackingConfig
from components.shared.errors import ConfigError

CONFIG = str(Path(__file__).parents[4] / "configs" / "pipelines" / "demo-careful.yaml")
HELD = [
    ("tracking.uri", "postgresql://u:s3cret@db/mlflow", "keep the user, and set PGPASSWORD"),
    ("tracking.uri", "postgresql://u:s3/cr@et@db/mlflow", "keep the user, and set PGPASSWORD"),
    ("tracking.uri", "postgresql+psycopg2://u@db/mlflow?password=s3cret", "keep the user, and set PGPASSWORD"),
    ("tracking.uri", "https://u:s3cret@mlflow", "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
    ("tracking.audit_log", "s3://u:s3cret@bucket/log", "come from the environment"),
    ("store", "s3://key:s3cret@bucket/store", "come from the environment"),
    ("checkpoints.store", "s3://key:s3cret@bucket/store", "come from the environment"),
    ("data.train", "s3://key:s3cret@bucket/rows.jsonl", "come from the environment"),
    ("policy", "s3://key:s3cret@bucket/policy.yaml", "come from the environment"),
    ("suites", "[s3://key:s3cret@bucket/suite.yaml]", "come from the environment"),
    ("base_model.ancestor_report", "s3://key:s3cret@bucket/report", "come from the environment"),
    ("cluster.host", "https://u:s3cret@kfp", "give a token with --token-file"),
    ("cluster.ui", "https://u:s3cret@kfp", "give a token with --token-file"),
]


@pytest.mark.parametrize(("field", "address", "cure"), HELD)
def test_an_address_with_a_password_is_refused(field: str, address: str, cure: str):
    """The error names field and cure, and quotes the address without the password."""
    with pytest.raises(ConfigError) as refused:
        load_pipeline_config(CONFIG, [f"{field}={address}"])
    shown = str(refused.value)
    assert f"{field}" in shown
    assert "may hold no password, because it is recorded" in shown
    assert cure in shown
    assert "s3cret" not in shown
    assert "cr@et" not in shown
    assert "***" in shown


@pytest.mark.parametrize("address", ["https://token@mlflow", "http://token@mlflow:5000"])
def test_a_user_of_a_server_is_refused(address: str):
    """A token may stand in the user's place."""
    with pytest.raises(ConfigError, match=r"tracking\.uri.* may hold no user"):
        load_pipeline_config(CONFIG, [f"tracking.uri={address}"])


@pytest.mark.parametrize(
    "uri",
    ["postgresql://team@db:5432/mlflow?sslmode=require", "https://mlflow:5000", "sqlite:////data/a:b@c/mlflow.db"],
)
def test_other_addresses_are_taken_as_they_are(uri: str):
    """A database's user is no secret; a port and a path are none."""
    assert TrackingConfig(uri=uri).uri == uri


def test_a_database_gets_the_password_from_the_environment():
    """SQLAlchemy hands psycopg2 no password for such an address, so that libpq reads PGPASSWORD."""
    from sqlalchemy import make_url

    url = make_url("postgresql+psycopg2://team@db:5432/mlflow")
    _, connection = url.get_dialect()().create_connect_args(url)
    assert connection == {"host": "db", "user": "team", "port": 5432, "dbname": "mlflow"}
