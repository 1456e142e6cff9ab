"""What the manifests use of Argo's custom resources, as strict models: an unknown or missing field is an error.

Kubernetes' own schemas do not know these kinds, and Argo's definitions accept any field. The models hold only what
is used here; a new field in a manifest is added here first, with a look at Argo's reference:
argo-events.readthedocs.io (EventSource, Sensor; v1alpha1) and argo-workflows.readthedocs.io/en/latest/fields
(CronWorkflow; v1alpha1, Argo Workflows 3.6). What a pod or a container may hold is Kubernetes' own schema: `pods`
hands those parts out for it. Nothing here was checked against a running controller.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
Cron = Annotated[str, StringConstraints(pattern=r"^\S+( \S+){4}$")]
Part = dict[str, Any]
"""A part that Kubernetes' own schema describes."""


class Strict(BaseModel):
    """No unknown field, no conversion; fields are written in camel case, as Kubernetes writes them."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Metadata(Strict):
    """Name and place of an object."""

    name: Name
    namespace: Name
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Controlled(Strict):
    """The pod that a controller of Argo Events makes."""

    service_account_name: Name
    security_context: Part
    container: Part


class SecretKey(Strict):
    """A key of a secret."""

    name: Name
    key: str


class Queue(Strict):
    """An SQS queue."""

    region: str
    queue: str
    wait_time_seconds: Annotated[int, Field(ge=0, le=20)]
    json_body: bool
    access_key: SecretKey | None = None
    secret_key: SecretKey | None = None


class EventSourceSpec(Strict):
    """Queues to listen to."""

    event_bus_name: Name
    template: Controlled
    sqs: Annotated[dict[Name, Queue], Field(min_length=1)]


class EventSource(Strict):
    """argoproj.io/v1alpha1 EventSource."""

    api_version: Literal["argoproj.io/v1alpha1"]
    kind: Literal["EventSource"]
    metadata: Metadata
    spec: EventSourceSpec


class DataFilter(Strict):
    """A path in the event and the values it may have; texts are regular expressions."""

    path: str
    type: Literal["string", "number", "bool"]
    value: Annotated[list[str], Field(min_length=1)]


class Filters(Strict):
    """What an event must hold."""

    data: list[DataFilter]


class Dependency(Strict):
    """An event that a sensor waits for."""

    name: Name
    event_source_name: Name
    event_name: Name
    filters: Filters


class ParameterSource(Strict):
    """A value in an event."""

    dependency_name: Name
    data_key: str


class Parameter(Strict):
    """A value of the event that is written into the object to create."""

    src: ParameterSource
    dest: str
    operation: Literal["overwrite", "append", "prepend"] = "overwrite"


class Inline(Strict):
    """An object in full."""

    resource: Part


class KubernetesTrigger(Strict):
    """An object of Kubernetes to create."""

    operation: Literal["create"]
    parameters: list[Parameter]
    source: Inline


class TriggerTemplate(Strict):
    """What a trigger does."""

    name: Name
    k8s: Annotated[KubernetesTrigger, Field(alias="k8s")]


class Retry(Strict):
    """How often a failed trigger is tried."""

    steps: Annotated[int, Field(ge=1)]


class Trigger(Strict):
    """A trigger of a sensor."""

    template: TriggerTemplate
    retry_strategy: Retry


class SensorSpec(Strict):
    """Events to wait for and what they set off."""

    event_bus_name: Name
    template: Controlled
    dependencies: Annotated[list[Dependency], Field(min_length=1)]
    triggers: Annotated[list[Trigger], Field(min_length=1)]


class Sensor(Strict):
    """argoproj.io/v1alpha1 Sensor."""

    api_version: Literal["argoproj.io/v1alpha1"]
    kind: Literal["Sensor"]
    metadata: Metadata
    spec: SensorSpec


class ContainerSet(Strict):
    """Containers of one pod."""

    containers: Annotated[list[Part], Field(min_length=1)]


class Template(Strict):
    """A step of a workflow."""

    name: Name
    container_set: ContainerSet


class TimeToLive(Strict):
    """When a finished workflow is removed."""

    seconds_after_completion: Annotated[int, Field(ge=0)]


class PodMetadata(Strict):
    """Labels of a workflow's pods."""

    labels: dict[str, str]


class WorkflowSpec(Strict):
    """The workflow that a CronWorkflow starts."""

    entrypoint: Name
    service_account_name: Name
    active_deadline_seconds: int
    pod_priority_class_name: Name
    ttl_strategy: TimeToLive
    pod_metadata: PodMetadata
    security_context: Part
    volumes: list[Part]
    templates: Annotated[list[Template], Field(min_length=1)]


class CronWorkflowSpec(Strict):
    """When a workflow starts, and which."""

    schedules: Annotated[list[Cron], Field(min_length=1)]
    timezone: str
    concurrency_policy: Literal["Allow", "Forbid", "Replace"]
    starting_deadline_seconds: int
    successful_jobs_history_limit: int
    failed_jobs_history_limit: int
    workflow_spec: WorkflowSpec


class CronWorkflow(Strict):
    """argoproj.io/v1alpha1 CronWorkflow."""

    api_version: Literal["argoproj.io/v1alpha1"]
    kind: Literal["CronWorkflow"]
    metadata: Metadata
    spec: CronWorkflowSpec


KINDS: dict[str, type[EventSource | Sensor | CronWorkflow]] = {
    "EventSource": EventSource,
    "Sensor": Sensor,
    "CronWorkflow": CronWorkflow,
}


def problems(resource: dict[str, Any]) -> list[str]:
    """What is wrong with a custom resource, one sentence each; references inside it included."""
    try:
        model = KINDS[resource["kind"]].model_validate(resource)
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    found = []
    if isinstance(model, Sensor):
        known = {dependency.name for dependency in model.spec.dependencies}
        used = {one.src.dependency_name for trigger in model.spec.triggers for one in trigger.template.k8s.parameters}
        found = [f"spec.triggers: no dependency is called {name!r}" for name in sorted(used - known)]
    if isinstance(model, CronWorkflow):
        workflow = model.spec.workflow_spec
        if workflow.entrypoint not in {template.name for template in workflow.templates}:
            found = [f"spec.workflowSpec.entrypoint: no template is called {workflow.entrypoint!r}"]
    return found


def embedded(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects of Kubernetes that a valid custom resource makes, in full: pods and Jobs."""
    place = {"name": resource["metadata"]["name"], "namespace": resource["metadata"]["namespace"]}
    spec = resource["spec"]
    if resource["kind"] in ("EventSource", "Sensor"):
        made = spec["template"]
        yield _pod(place, made, [{"name": "main", "image": "argo-events:controller", **made["container"]}], [])
    if resource["kind"] == "Sensor":
        for trigger in spec["triggers"]:
            job = trigger["template"]["k8s"]["source"]["resource"]
            yield {**job, "metadata": {"namespace": place["namespace"], **job["metadata"]}}
    if resource["kind"] == "CronWorkflow":
        workflow = spec["workflowSpec"]
        for template in workflow["templates"]:
            yield _pod(place, workflow, template["containerSet"]["containers"], workflow["volumes"])


def _pod(place: Part, made: Part, containers: list[Part], volumes: list[Part]) -> Part:
    account, context = made["serviceAccountName"], made["securityContext"]
    spec = {
        "serviceAccountName": account,
        "securityContext": context,
        "restartPolicy": "Never",
        "containers": containers,
        "volumes": volumes,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": place, "spec": spec}
