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
    """Reads, validates, hashes, splits and mixes the training rows; gathers the suites' prompts.

    Args:
        training_data: train.jsonl and its TrainingData.
        prompt_set: prompts.jsonl and its PromptSet.
        data: DataConfig as JSON.
        suites: JSON list of suite addresses.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.

    Returns:
        Digest of the training rows.
    """
    import json
    from pathlib import Path

    from components.prepare_data.step import prepare_data as step
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import DataConfig, TrackingConfig

    context = RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run)
    result = step(
        DataConfig.model_validate_json(data),
        json.loads(suites),
        Path(training_data.path),
        Path(prompt_set.path),
        context,
    )
    return result.train_sha256
