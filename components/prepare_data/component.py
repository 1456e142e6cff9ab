"""The KFP interface of prepare_data."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Output

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def prepare_data(
    training_data: Output[Dataset],
    prompt_set: Output[Artifact],
    data: str,
    suites: str,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
) -> str:
    """Checks, splits and mixes the training rows, and gathers the prompts of all suites.

    Args:
        training_data: Training rows (train.jsonl), with their sources and digests (training_data.json).
        prompt_set: Prompts that both evaluations ask (prompts.jsonl), with their digest (prompt_set.json).
        data: Which training files are read and how they are mixed: a DataConfig as JSON.
        suites: Addresses of the suites' YAML files: a JSON list of paths or s3:// addresses.
        tracking: Addresses of the MLflow store and the audit log: a TrackingConfig as JSON.
        pipeline: Name of the pipeline.
        pipeline_run: Id of this pipeline run.

    Returns:
        Sha256 digest of the training rows; finetune_lora checks its input against it.
    """
    import json
    from pathlib import Path

    from components.prepare_data.step import prepare_data as step
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import DataConfig, TrackingConfig

    return step(
        data=DataConfig.model_validate_json(data),
        suites=json.loads(suites),
        data_dir=Path(training_data.path),
        prompts_dir=Path(prompt_set.path),
        context=RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run),
    ).train_sha256
