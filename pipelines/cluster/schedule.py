"""Runs of a pipeline by the clock: recurring runs on a Kubeflow Pipelines server, one per name.

A schedule starts the pipeline as it was compiled when the schedule was made; `plimsoll trigger` first checks whether
anything changed. Missed times are skipped, and no run starts beside an earlier one of the same schedule.
"""

from typing import Any, NamedTuple

from pipelines.cluster.kfp_client import Client
from pipelines.cluster.listing import everything, named
from pipelines.cluster.package import Package
from pipelines.cluster.server_errors import ClusterError
from pipelines.cluster.submit import ensure_experiment

DESCRIPTION = "Made by plimsoll schedule."


class Schedule(NamedTuple):
    """A recurring run, as the server has it."""

    name: str
    cron: str
    enabled: bool
    identity: str


def put_schedule(
    client: Client, package: Package, name: str, cron: str, experiment: str, service_account: str | None
) -> tuple[str, bool]:
    """Makes a schedule, or replaces the one of the same name; its id, and whether there was one.

    The new one is made before the old one is deleted: a failure in between leaves two, and the same command again
    leaves one.

    Raises:
        ClusterError: the server refuses, or does not answer.
    """
    models = client.models
    experiment_id = ensure_experiment(client, experiment)
    before = {str(run.recurring_run_id) for run in _ours(client, name)}
    body = models.V2beta1RecurringRun(
        display_name=name,
        description=DESCRIPTION,
        experiment_id=experiment_id,
        mode=models.RecurringRunMode.ENABLE,
        trigger=models.V2beta1Trigger(cron_schedule=models.V2beta1CronSchedule(cron=cron)),
        max_concurrency="1",
        no_catchup=True,
        pipeline_spec=package.body,
        runtime_config=models.V2beta1RuntimeConfig(parameters={}),
        service_account=service_account,
    )

    def find() -> Any | None:
        return next((run for run in _ours(client, name) if str(run.recurring_run_id) not in before), None)

    made = client.make(find, client.recurring.recurring_run_service_create_recurring_run, body)
    for identity in sorted(before):
        client.call(client.recurring.recurring_run_service_delete_recurring_run, identity)
    return client.identity(made, "recurring_run_id"), bool(before)


def list_schedules(client: Client) -> list[Schedule]:
    """All schedules of the namespace, by name."""
    listing = client.recurring.recurring_run_service_list_recurring_runs
    runs = everything(client, listing, "recurring_runs", namespace=client.server.namespace)
    return sorted(
        Schedule(
            str(run.display_name),
            str(run.trigger.cron_schedule.cron) if run.trigger is not None and run.trigger.cron_schedule else "-",
            run.mode == client.models.RecurringRunMode.ENABLE or run.status == "ENABLED",
            str(run.recurring_run_id),
        )
        for run in runs
    )


def pause_schedule(client: Client, name: str) -> None:
    """Stops a schedule from starting runs; a run that has started goes on."""
    for run in _existing(client, name):
        client.call(client.recurring.recurring_run_service_disable_recurring_run, run.recurring_run_id)


def resume_schedule(client: Client, name: str) -> None:
    """Lets a schedule start runs again; missed times are skipped."""
    for run in _existing(client, name):
        client.call(client.recurring.recurring_run_service_enable_recurring_run, run.recurring_run_id)


def delete_schedule(client: Client, name: str) -> None:
    """Removes a schedule; its runs stay."""
    for run in _existing(client, name):
        client.call(client.recurring.recurring_run_service_delete_recurring_run, run.recurring_run_id)


def _existing(client: Client, name: str) -> list[Any]:
    if not (runs := _ours(client, name)):
        listed = ", ".join(schedule.name for schedule in list_schedules(client)) or "none"
        raise ClusterError(f"there is no schedule {name!r}; the server has {listed}")
    return runs


def _ours(client: Client, name: str) -> list[Any]:
    listing = client.recurring.recurring_run_service_list_recurring_runs
    return named(client, listing, "recurring_runs", name, namespace=client.server.namespace)
