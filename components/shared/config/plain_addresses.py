"""Addresses in a config hold no user and no password: those come from the environment, where they are not recorded."""

import re
from typing import Annotated

from pydantic import AfterValidator

from components.shared.redaction import redacted

_USER = re.compile(r"(?!hub:)[\w+.-]+://[^/?#]*@")


def check_no_password(address: str, cure: str, user_allowed: bool = False) -> str:
    """The address, if it holds no password, and no user unless allowed.

    Args:
        address: of a file, a store or a server.
        cure: where credentials come from instead.
        user_allowed: whether it may name a user.

    Raises:
        ValueError: it holds one. The message does not show it.
    """
    if redacted(address) != address:
        raise ValueError(f"an address may hold no password, because it is recorded with every run: {cure}")
    if not user_allowed and _USER.match(address):
        raise ValueError(f"an address may hold no user, because it is recorded with every run: {cure}")
    return address


def _of_files(address: str) -> str:
    return check_no_password(
        address, "credentials come from the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def _of_kubeflow(address: str) -> str:
    return check_no_password(address, "give a token with --token-file, or a service account")


FileAddress = Annotated[str, AfterValidator(_of_files)]
"""A path, or an address such as s3:// or hub://, without credentials."""

KubeflowAddress = Annotated[str, AfterValidator(_of_kubeflow)]
"""Address of a Kubeflow server, without credentials."""
