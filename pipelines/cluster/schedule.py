"""Runs of a pipeline by the clock: recurring runs on a Kubeflow Pipelines server, one per name.

A schedule runs whatever it was made from, at a fixed time; `plimsoll trigger` looks first whether anything changed.
Missed times are not made up for, and a run is never started beside an earlier one of the same schedule. This module
does not know why a run is due.
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
    status: str
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
    before = {str(own.recurring_run_id) for own in _ours(client, name)}
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
        return next((own for own in _ours(client, name) if str(own.recurring_run_id) not in before), None)

    made = client.make(find, client.recurring.recurring_run_service_create_recurring_run, body)
    for identity in sorted(before):
        client.call(client.recurring.recurring_run_service_delete_recurring_run, identity)
    return str(made.recurring_run_id), bool(before)


def list_schedules(client: Client) -> list[Schedule]:
    """All schedules of the namespace, by name."""
    listing = client.recurring.recurring_run_service_list_recurring_runs
    found = everything(client, listing, "recurring_runs", namespace=client.server.namespace)
    return sorted(
        Schedule(
            str(own.display_name),
            str(own.trigger.cron_schedule.cron) if own.trigger is not None and own.trigger.cron_schedule else "-",
            own.mode == client.models.RecurringRunMode.ENABLE or own.status == "ENABLED",
            str(own.status or own.mode or "-").lower(),
            str(own.recurring_run_id),
        )
        for own in found
    )


def pause_schedule(client: Client, name: str) -> None:
    """Stops a schedule from starting runs; a run that is under way goes on."""
    for own in _existing(client, name):
        client.call(client.recurring.recurring_run_service_disable_recurring_run, own.recurring_run_id)


def resume_schedule(client: Client, name: str) -> None:
    """Lets a schedule start runs again; what it missed is not made up for."""
    for own in _existing(client, name):
        client.call(client.recurring.recurring_run_service_enable_recurring_run, own.recurring_run_id)


def delete_schedule(client: Client, name: str) -> None:
    """Removes a schedule; its runs stay."""
    for own in _existing(client, name):
        client.call(client.recurring.recurring_run_service_delete_recurring_run, own.recurring_run_id)


def _existing(client: Client, name: str) -> list[Any]:
    if not (found := _ours(client, name)):
        listed = ", ".join(own.name for own in list_schedules(client)) or "none"
        raise ClusterError(f"there is no schedule {name!r}; the server has {listed}")
    return found


def _ours(client: Client, name: str) -> list[Any]:
    listing = client.recurring.recurring_run_service_list_recurring_runs
    return named(client, listing, "recurring_runs", name, namespace=client.server.namespace)
