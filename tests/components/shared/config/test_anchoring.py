"""Relative paths made absolute for steps that run elsewhere."""

from pathlib import Path

from components.shared.config.anchoring import anchor, anchor_path
from components.shared.config.sections import PipelineConfig

CONFIG = """{
    "name": "a",
    "base_model": {"path": "models/m"},
    "data": {"train": "t.jsonl", "mix": [{"path": "s3://b/x", "role": "safety", "share": 0.1}]},
    "suites": ["s.yaml", "/abs/s.yaml"],
    "policy": "p.yaml",
    "registry": {"model_name": "r"},
    "tracking": {"uri": "sqlite:///db/m.db"}
}"""


def test_every_local_path_becomes_absolute():
    """Local paths are below the root; S3 addresses and absolute paths stay."""
    config = anchor(PipelineConfig.model_validate_json(CONFIG), Path("/srv"))
    assert config.base_model.path == "/srv/models/m"
    assert (config.data.train, config.data.mix[0].path) == ("/srv/t.jsonl", "s3://b/x")
    assert config.suites == ("/srv/s.yaml", "/abs/s.yaml")
    assert (config.policy, config.store) == ("/srv/p.yaml", "/srv/.plimsoll/store")
    assert config.tracking.uri == "sqlite:////srv/db/m.db"
    assert config.tracking.audit_log == "/srv/.plimsoll/audit.jsonl"
    assert config.checkpoints.store is None


def test_paths_that_few_configs_have_become_absolute_too():
    """The original model's report, and a place of its own for checkpoints."""
    text = CONFIG.replace('"path": "models/m"', '"path": "models/m", "ancestor_report": "first/report"')
    text = text.replace('"policy"', '"checkpoints": {"store": "kept"}, "policy"')
    config = anchor(PipelineConfig.model_validate_json(text), Path("/srv"))
    assert (config.base_model.ancestor_report, config.checkpoints.store) == ("/srv/first/report", "/srv/kept")


def test_what_is_not_a_path_stays():
    """A hub model, a tracking server and an audit log in S3 are not paths."""
    text = CONFIG.replace('"path": "models/m"', '"hub_id": "o/m", "revision": "1"')
    text = text.replace("sqlite:///db/m.db", "http://mlflow").replace('"uri"', '"audit_log": "s3://b/audit", "uri"')
    config = anchor(PipelineConfig.model_validate_json(text), Path("/srv"))
    assert config.base_model.name == "o/m@1"
    assert (config.tracking.uri, config.tracking.audit_log) == ("http://mlflow", "s3://b/audit")


def test_the_home_directory_is_expanded():
    """`~` is the home directory, not a folder of that name."""
    assert anchor_path("~/x", Path("/srv")) == str(Path("~/x").expanduser())
