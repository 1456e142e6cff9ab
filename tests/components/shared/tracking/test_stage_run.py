"""What is written to an open MLflow run, on a real sqlite store."""

from pathlib import Path

import pytest

from components.shared.tracking.retry import MlflowRefusalError
from components.shared.tracking.runs import Tracker


def test_metrics_params_tags_and_series_arrive(tracker: Tracker):
    """What a stage logs is on its run; a long tag is cut, with an ellipsis."""
    with tracker.stage("finetune_lora") as stage:
        stage.metrics({"train/steps": 3})
        stage.params({"rank": 8})
        stage.tags({"short": "x", "long": "y" * 6000})
        stage.curves({"train/loss": [(step, 1 / step) for step in range(1, 1202)]})
    run = tracker.client.get_run(stage.run_id)
    assert run.data.metrics == {"train/steps": 3, "train/loss": 1 / 1201}
    assert run.data.params == {"rank": "8"}
    assert stage.read_tags()["short"] == "x"
    assert (len(stage.read_tags()["long"]), stage.read_tags()["long"][-1]) == (5000, "\u2026")
    history = tracker.client.get_metric_history(stage.run_id, "train/loss")
    assert [metric.step for metric in history] == list(range(1, 1202))


def test_files_and_texts_come_back(tracker: Tracker, tmp_path: Path):
    """A text is read where it was logged; what was not logged is None."""
    parent = tracker.parent()
    (tmp_path / "a.json").write_text("{}")
    parent.file(tmp_path / "a.json")
    parent.file(tmp_path / "a.json", "folder")
    parent.text("h\u00e9llo", "b.txt")
    assert [parent.read_text(name) for name in ("a.json", "folder/a.json", "b.txt", "c.txt", "no/c.txt")] == [
        "{}",
        "{}",
        "h\u00e9llo",
        None,
        None,
    ]


@pytest.mark.parametrize("address", ["/data/rows.jsonl", "s3://bucket/rows.jsonl"])
def test_a_dataset_is_an_input(tracker: Tracker, address: str):
    """Name, digest and context are recorded; the data itself is never read."""
    with tracker.stage("prepare_data") as stage:
        stage.dataset("rows.jsonl", address, "sha256:" + "a" * 64, "training")
    (logged,) = tracker.client.get_run(stage.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest, logged.tags[0].value) == ("rows.jsonl", "a" * 36, "training")
    assert address in logged.dataset.source


def test_a_dataset_that_another_run_records_at_the_same_moment_is_an_input(tracker: Tracker, monkeypatch):
    """MLflow then breaks its own rule that a data set stands once in its table; the second call finds it."""
    with tracker.stage("prepare_data") as stage:
        real, calls = tracker.client.log_inputs, []

        def log_inputs(*arguments, **named):
            calls.append(arguments)
            if len(calls) == 1:
                raise MlflowRefusalError("(sqlite3.IntegrityError) UNIQUE constraint failed: datasets.experiment_id")
            return real(*arguments, **named)

        monkeypatch.setattr(tracker.client, "log_inputs", log_inputs, raising=False)
        stage.dataset("rows.jsonl", "s3://bucket/rows.jsonl", "sha256:" + "a" * 64, "training")
    assert len(tracker.client.get_run(stage.run_id).inputs.dataset_inputs) == 1
