"""The KFP interface of publish_report: the exit handler."""

from kfp import dsl

from components.images import CPU_IMAGE


@dsl.component(base_image=CPU_IMAGE, install_kfp_package=False, packages_to_install=[])
def publish_report(
    final_status: dsl.PipelineTaskFinalStatus,
    tracking: str,
    pipeline: str,
    pipeline_run: str,
):
    """Writes the report and closes the run; runs last, also after a failure.

    Args:
        final_status: how the steps before ended; filled in by KFP.
        tracking: TrackingConfig as JSON.
        pipeline: name of the pipeline.
        pipeline_run: id of this run.
    """
    from components.publish_report.step import publish_report as step
    from components.shared.config.run_context import RunContext
    from components.shared.config.sections import TrackingConfig

    context = RunContext(TrackingConfig.model_validate_json(tracking), pipeline, pipeline_run)
    step(final_status.state, context)
