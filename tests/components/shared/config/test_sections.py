"""The parts of a pipeline config."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from components.shared.config.base_model import BaseModelRef
from components.shared.config.evaluation import EvaluationConfig
from components.shared.config.sections import DataConfig, PipelineConfig, RegistryConfig, TrackingConfig


def test_a_base_model_is_named_for_people():
    """A path is its own name; a hub model carries its revision."""
    assert BaseModelRef(path="models/toy").name == "models/toy"
    assert BaseModelRef(hub_id="org/m", revision="abc").name == "org/m@abc"


def test_greedy_answers_are_asked_for_once():
    """Temperature 0 with several samples would give equal answers, and is refused."""
    with pytest.raises(ValidationError, match="temperature 0 gives 5 equal answers"):
        EvaluationConfig(temperature=0.0)
    assert EvaluationConfig(temperature=0.0, samples_per_prompt=1).temperature == 0


@pytest.mark.parametrize("uri", ["mlruns", "file:///x", "sqlite://x"])
def test_only_known_stores_are_taken(uri: str):
    """A directory store is refused: it has no registry."""
    with pytest.raises(ValidationError, match="the MLflow store must be"):
        TrackingConfig(uri=uri)


def test_a_sqlite_store_knows_its_file():
    """Only a sqlite store is a file."""
    assert TrackingConfig(uri="sqlite:////tmp/x.db").sqlite_file == Path("/tmp/x.db")  # noqa: S108 - nothing is written
    assert TrackingConfig(uri="sqlite:///a%20b/x.db?timeout=5").sqlite_file == Path("a b/x.db")
    assert TrackingConfig(uri="http://mlflow:5000").sqlite_file is None


@pytest.mark.parametrize("address", ["", "gs://bucket/log", "s3://bucket", "s3://bucket/"])
def test_an_audit_log_is_a_file_or_a_prefix_in_s3(address: str):
    """Any other place is refused before a run starts."""
    with pytest.raises(ValidationError, match=r"s3://BUCKET/PREFIX|at least 1 character"):
        TrackingConfig(audit_log=address)
    assert TrackingConfig(audit_log="s3://bucket/audit").audit_log == "s3://bucket/audit"


def test_nothing_is_converted_silently():
    """A number as text is an error, not a number."""
    with pytest.raises(ValidationError, match="valid integer"):
        DataConfig(train="x", heldout_rows="3")


def test_every_address_is_listed():
    """Everything that must exist or be writable is named by its field."""
    config = PipelineConfig.model_validate_json(
        '{"name": "a", "base_model": {"path": "m", "ancestor_report": "a"}, "suites": ["s.yaml"], "policy": "p.yaml",'
        '"registry": {"model_name": "r"}, "checkpoints": {"store": "c"},'
        '"data": {"train": "t", "mix": [{"path": "x", "role": "safety", "share": 0.1}]}}'
    )
    assert config.addresses() == {
        "base_model.path": "m",
        "base_model.ancestor_report": "a",
        "data.train": "t",
        "data.mix.0.path": "x",
        "suites.0": "s.yaml",
        "store": ".plimsoll/store",
        "tracking.audit_log": ".plimsoll/audit.jsonl",
        "checkpoints.store": "c",
    }


def test_a_section_is_frozen():
    """A config does not change after it was read."""
    with pytest.raises(ValidationError, match="frozen"):
        RegistryConfig(model_name="a").model_name = "b"
