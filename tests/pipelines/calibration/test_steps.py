"""The real steps, called one by one."""

from pathlib import Path

from components.shared.artifacts.training_data import AdapterManifest, TrainingData
from components.shared.config.anchoring import anchor
from pipelines.calibration.steps import open_bench
from pipelines.running.launch import load


def test_an_adapter_is_trained_and_then_reused(project, tmp_path: Path, capsys):
    """With the config's data, recipe and store, as a run would; the second call takes what the first made."""
    config, policy = load("config.yaml")
    bench = open_bench(anchor(config, project.folder), policy, tmp_path / "scratch")
    prepared = bench.prepare(bench.config.data, tmp_path / "prepared")
    assert TrainingData.load(prepared.data / "training_data.json").train_sha256 == prepared.data_digest
    first = AdapterManifest.load(bench.train(prepared, tmp_path / "first") / "manifest.json")
    assert (first.data_digest, first.policy_digest) == (prepared.data_digest, policy.digest)
    again = AdapterManifest.load(bench.train(prepared, tmp_path / "again") / "manifest.json")
    assert again == first
    assert len(list((project.folder / ".plimsoll/store/adapters").iterdir())) == 1
