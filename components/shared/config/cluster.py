"""The section `cluster:` of a pipeline config: resources and settings on a Kubeflow cluster. A local run ignores it.

It is read when the pipeline is compiled, so nothing in it is a pipeline parameter: a change needs a new submission.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from components.shared.config.plain_addresses import KubeflowAddress
from components.shared.config.section import Section
from components.shared.config.variable_names import PlainVariables, Variable

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
"""Name of an object of the cluster: lower case, digits, hyphens and dots."""

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(E|Ei|P|Pi|T|Ti|G|Gi|M|Mi|K|Ki)?$")]
Cpus = Annotated[str, StringConstraints(pattern=r"^([0-9]+(\.[0-9]+)?|[0-9]+m)$")]
MountPath = Annotated[str, StringConstraints(pattern=r"^/[^:]+$")]
CachedStep = Literal["answer_prompts", "evaluate_safety", "finetune_lora", "compute_delta", "follow_up"]

_AFFINITY_KEYS = {
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
}


class SourcedVariables(Section):
    """Environment variables from a Secret or a ConfigMap."""

    name: Name = Field(description="Name of the Secret or ConfigMap, in the namespace in which the steps run.")
    keys: dict[str, Variable] = Field(min_length=1, description="Environment variable for each key of the object.")
    optional: bool = Field(default=False, description="Whether a step may start if the object does not exist.")


class ClaimMount(Section):
    """A PersistentVolumeClaim that is mounted in steps."""

    claim: Name = Field(description="Name of an existing claim.")
    path: MountPath = Field(description="Absolute path in the container.")
    sub_path: str = Field(default="", description="Folder of the volume to mount; empty: its root.")


class Toleration(Section):
    """A taint that a step's pod tolerates."""

    key: str | None = Field(default=None, min_length=1, description="Key of the taint; null: every key (needs Exists).")
    operator: Literal["Equal", "Exists"] = Field(default="Equal", description="How the value is compared.")
    value: str | None = Field(default=None, description="Value of the taint; null with Exists.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint; null: every effect."
    )
    seconds: int | None = Field(default=None, ge=0, description="Seconds that NoExecute is tolerated; null: for ever.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.operator == "Exists" and self.value is not None:
            raise ValueError("operator Exists takes no value")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("operator Equal needs a key; to tolerate every key write operator: Exists")
        return self


class StepPlace(Section):
    """Image, resources and node of the steps of one kind."""

    image: str | None = Field(
        default=None, min_length=1, description="Image reference, preferably with its digest; null: the project's own."
    )
    cpu: Cpus = Field(default="1", description="CPU cores, requested and limited.")
    memory: Quantity = Field(default="4Gi", description="Memory, requested and limited, /dev/shm included.")
    shared_memory: Quantity | None = Field(default=None, description="Size of /dev/shm; null: the node's 64 MiB.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Labels that a node must have.")
    tolerations: tuple[Toleration, ...] = Field(default=(), description="Taints that are tolerated.")
    node_affinity: dict[str, Any] | None = Field(
        default=None, description="Kubernetes' NodeAffinity, as in the API's JSON."
    )
    timeout_s: int | None = Field(
        default=3600, ge=1, description="Seconds after which a pod is stopped, counted per attempt; null: never."
    )

    @field_validator("node_affinity")
    @classmethod
    def _known_keys(cls, affinity: dict[str, Any] | None) -> dict[str, Any] | None:
        if affinity is not None and (not affinity or set(affinity) - _AFFINITY_KEYS):
            raise ValueError(f"node_affinity holds {sorted(affinity)}; expected {' or '.join(sorted(_AFFINITY_KEYS))}")
        return affinity


class GpuPlace(StepPlace):
    """Image, resources and node of the steps that load a model."""

    cpu: Cpus = Field(default="8", description="CPU cores, requested and limited.")
    memory: Quantity = Field(default="64Gi", description="Memory, requested and limited, /dev/shm included.")
    shared_memory: Quantity | None = Field(default="8Gi", description="Size of /dev/shm; null: the node's 64 MiB.")
    timeout_s: int | None = Field(
        default=86_400, ge=1, description="Seconds after which a pod is stopped, counted per attempt; null: never."
    )
    accelerator: str = Field(
        default="nvidia.com/gpu",
        pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$",
        description="Resource name of the GPU, such as nvidia.com/gpu, nvidia.com/mig-3g.40gb or amd.com/gpu.",
    )
    count: int = Field(default=1, ge=1, le=16, description="GPUs per step.")


class Retries(Section):
    """How often a failed pod is started again; each wait is longer than the one before."""

    count: int = Field(default=2, ge=0, le=20, description="Further attempts per step; 0: none.")
    first_wait_s: int = Field(default=60, ge=0, description="Seconds before the first further attempt.")
    factor: float = Field(default=2.0, ge=1, description="Each wait is the one before times this.")
    window_s: int = Field(
        default=604_800,
        ge=1,
        description="Seconds after the first attempt's start in which further attempts may start; longer than a step.",
    )


class ContainerUser(Section):
    """User and group of a step's process. The backend drops all capabilities and forbids privilege escalation."""

    user: int | None = Field(default=None, ge=1, description="User id; null: the image's.")
    group: int | None = Field(default=None, ge=1, description="Group id; null: the image's.")
    non_root: bool = Field(default=True, description="Whether the kubelet refuses to start a container as root.")


class ClusterConfig(Section):
    """Resources and settings on a cluster; everything has a default, and a local run ignores it."""

    host: KubeflowAddress | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="Address of Kubeflow Pipelines' API; null: KF_PIPELINES_ENDPOINT, or the service in the cluster.",
    )
    ui: KubeflowAddress | None = Field(
        default=None, pattern=r"^https?://[^\s]+$", description="Address of the web page; null: the host."
    )
    namespace: Name | None = Field(
        default=None, description="The profile's namespace on a multi-user server; null on a single-user server."
    )
    time_zone: str = Field(
        default="UTC",
        min_length=1,
        description="Time zone of the server's schedules: CRON_SCHEDULE_TIMEZONE of its scheduled workflow controller.",
    )
    experiment: str | None = Field(
        default=None, min_length=1, description="Kubeflow experiment; null: tracking.experiment."
    )
    service_account: Name | None = Field(
        default=None, description="Service account of every step of a run; null: the server's default."
    )
    gpu: GpuPlace = Field(default_factory=GpuPlace, description="For evaluation, training and follow-up.")
    cpu: StepPlace = Field(default_factory=StepPlace, description="For all other steps.")
    env: PlainVariables = Field(
        default_factory=dict,
        description="Environment variables of every step, which stand in the compiled pipeline; no secrets.",
    )
    secrets: tuple[SourcedVariables, ...] = Field(default=(), description="Secrets as variables of every step.")
    config_maps: tuple[SourcedVariables, ...] = Field(default=(), description="Config maps as variables of every step.")
    model_cache: ClaimMount | None = Field(
        default=None, description="Claim for models from the hub, mounted in GPU steps; HF_HOME points to it."
    )
    checkpoints: ClaimMount | None = Field(
        default=None,
        description="Claim for the checkpoints of GPU steps, if checkpoints.store is a path on it.",
    )
    volumes: tuple[ClaimMount, ...] = Field(default=(), description="Claims that are mounted in every step.")
    retries: Retries = Field(default_factory=Retries, description="What happens when a pod fails.")
    cached_steps: tuple[CachedStep, ...] = Field(
        default=(),
        description="Steps that may use Kubeflow's cache. Default: none, because our store reuses results by content.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Labels of every pod, besides our own.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations of every pod.")
    user: ContainerUser = Field(default_factory=ContainerUser, description="User and group of every step's process.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent", description="When images are pulled."
    )
    image_pull_secrets: tuple[Name, ...] = Field(default=(), description="Secrets with the registry's credentials.")
    ttl_s: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="Seconds for which a finished workflow is kept; null: the server's setting.",
    )
    run_timeout_s: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Seconds after which a whole run is stopped; null: never."
    )
    evidence_days: int | None = Field(
        default=None,
        ge=1,
        description="`plimsoll trigger`: days after which the champion's evidence expires; null: never.",
    )
