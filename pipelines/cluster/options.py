"""The options that `plimsoll submit`, `schedule` and `trigger` share: the config, the server, and credentials."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.shared.errors import PlimsollError

if TYPE_CHECKING:
    from components.shared.config.cluster import ClusterConfig
    from components.shared.config.sections import PipelineConfig
    from pipelines.cluster.kfp_client import Client
    from pipelines.running.launch import Loaded

_PANEL = "Server"

Experiment = Annotated[
    str | None,
    typer.Option(
        "--experiment", metavar="NAME", help="Kubeflow experiment; default: cluster.experiment, tracking.experiment."
    ),
]
Host = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="URL",
        help="The server's API; default: cluster.host, KF_PIPELINES_ENDPOINT, or the service in the cluster.",
        rich_help_panel=_PANEL,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        metavar="NAME",
        help="The profile's namespace; default: cluster.namespace.",
        rich_help_panel=_PANEL,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        envvar="PLIMSOLL_KFP_TOKEN",
        help="Bearer token; other processes can read a command line, so better in the variable or in a file.",
        rich_help_panel=_PANEL,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        envvar="PLIMSOLL_KFP_TOKEN_FILE",
        help="File with a bearer token, read for every request; default in a pod: its service account's.",
        rich_help_panel=_PANEL,
    ),
]
Cookie = Annotated[
    str | None,
    typer.Option(
        "--cookie",
        metavar="NAME=VALUE",
        envvar="PLIMSOLL_KFP_COOKIE",
        help="Session cookie of a server behind a login page.",
        rich_help_panel=_PANEL,
    ),
]
NoCheck = Annotated[
    bool,
    typer.Option(
        "--no-check",
        help="Looks at nothing but config and policy: for a machine without the data, such as one that only compiles.",
    ),
]


def check_for_cluster(loaded: "Loaded", no_check: bool = False) -> None:
    """The preflight before something is compiled or sent, with warnings of what a cluster will not see.

    What this machine does not reach is said in a line and does not stop anything; what it reaches must be right.

    Args:
        loaded: config and policy.
        no_check: whether nothing but the warnings is wanted.

    Raises:
        PlimsollError: see `check_run`.
    """
    from components.shared.config.anchoring import anchor
    from pipelines.running.check_notes import show_skipped
    from pipelines.running.preflight import check_run

    warn_of_local_addresses(loaded.config)
    if no_check:
        return
    try:
        checked = check_run(anchor(loaded.config, Path.cwd()), loaded.policy, None)
    except PlimsollError as error:
        error.add_note("the cluster may have what this machine lacks: --no-check leaves this check out")
        raise
    show_skipped(checked)


def connect(
    cluster: "ClusterConfig",
    host: str | None,
    namespace: str | None,
    token: str | None,
    token_file: Path | None,
    cookie: str | None,
) -> "Client":
    """A client of the server that flags, config and environment name; nothing is sent yet.

    Raises:
        ClusterError: nothing names a server.
    """
    from pipelines.cluster.credentials import find_server
    from pipelines.cluster.kfp_client import Client

    return Client(find_server(cluster, host, namespace, token, token_file, cookie))


def warn_of_local_addresses(config: "PipelineConfig") -> None:
    """Warns of addresses that a cluster does not see: local paths outside the mounted volumes."""
    from components.shared.progress import warn

    volumes = [claim.path for claim in (*config.cluster.volumes, config.cluster.checkpoints, config.cluster.model_cache)
               if claim is not None]  # fmt: skip
    addresses = config.addresses()
    if (database := config.tracking.sqlite_file) is not None:
        addresses["tracking.uri"] = str(database)
    for name, address in addresses.items():
        inside = any(address == path or address.startswith(f"{path.rstrip('/')}/") for path in volumes)
        if "://" not in address and not inside:
            warn(f"{name} is the local path {address!r}: a cluster sees it only on a mounted volume (cluster.volumes)")
