"""The address of the server and our credentials, from flags, the config, the environment, or the pod that we run in.

Token: `--token` or PLIMSOLL_KFP_TOKEN; `--token-file` or PLIMSOLL_KFP_TOKEN_FILE; in a pod, the projected token of its
service account. Cookie (a session behind a login page): `--cookie` or PLIMSOLL_KFP_COOKIE. A token file is read again
for every request, because the kubelet renews it.
"""

import os
from pathlib import Path
from typing import NamedTuple

from components.shared.config.cluster import ClusterConfig
from pipelines.cluster.server_errors import ClusterError

HOST_VARIABLE = "KF_PIPELINES_ENDPOINT"
IN_CLUSTER_HOST = "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
POD_TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105 - names a path
POD_TOKEN = "/var/run/secrets/kubeflow/pipelines/token"  # noqa: S105 - where Kubeflow's PodDefault mounts it


class Credentials(NamedTuple):
    """How requests are authenticated; never printed."""

    token: str | None = None
    token_file: Path | None = None
    cookie: str | None = None

    def current_token(self) -> str | None:
        """The token, read anew from its file.

        Raises:
            ClusterError: the token's file cannot be read, or is empty.
        """
        if self.token is not None or self.token_file is None:
            return self.token
        try:
            token = self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ClusterError(f"token file {str(self.token_file)!r} cannot be read: {error}") from None
        if not token:
            raise ClusterError(f"token file {str(self.token_file)!r} is empty; expected a bearer token")
        return token

    def describe(self) -> str:
        """Which credentials are used, for messages, without their content."""
        if self.token is not None:
            return "the token of --token or PLIMSOLL_KFP_TOKEN"
        if self.token_file is not None:
            return f"the token in {self.token_file}"
        return "the cookie of --cookie or PLIMSOLL_KFP_COOKIE" if self.cookie is not None else "no credentials"


class Server(NamedTuple):
    """A Kubeflow Pipelines server and how we use it.

    Attributes:
        host: address of the API.
        ui: address that people open in a browser.
        namespace: the profile's, on a server with several users; None on a server for a single user.
        credentials: for every request.
    """

    host: str
    ui: str
    namespace: str | None
    credentials: Credentials

    def run_link(self, run_id: str) -> str:
        """The address of a run in the UI."""
        return f"{self.ui}/#/runs/details/{run_id}"


def find_server(
    cluster: ClusterConfig,
    host: str | None = None,
    namespace: str | None = None,
    token: str | None = None,
    token_file: Path | None = None,
    cookie: str | None = None,
) -> Server:
    """The server that flags, config and environment name, in this order.

    Raises:
        ClusterError: nothing names a server, or the address is not http:// or https://.
    """
    address = host or cluster.host or os.environ.get(HOST_VARIABLE)
    if address is None and "KUBERNETES_SERVICE_HOST" in os.environ:
        address = IN_CLUSTER_HOST
    if address is None:
        raise ClusterError(
            f"no Kubeflow Pipelines server is named; give --host, cluster.host in the config, or {HOST_VARIABLE}"
        )
    if not address.startswith(("http://", "https://")):
        raise ClusterError(f"host {address!r}: expected an address with http:// or https://")
    pod_token = Path(os.environ.get(POD_TOKEN_VARIABLE, POD_TOKEN))
    if token is None and token_file is None and cookie is None and pod_token.is_file():
        token_file = pod_token
    address = address.rstrip("/")
    credentials = Credentials(token, token_file, cookie)
    return Server(address, (cluster.ui or address).rstrip("/"), namespace or cluster.namespace, credentials)
