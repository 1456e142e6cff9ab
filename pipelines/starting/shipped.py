"""Finds the policies and suites that Plimsoll ships, and copies those that a config names into the user's project.

In a checkout they are in `configs/`; an installed wheel has them below the environment's `share/plimsoll/configs`.
"""

import shutil
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from components.shared.errors import ConfigError, StorageError

CHECKOUT = Path(__file__).parents[2] / "configs"
"""Beside our packages, in a checkout."""
POLICIES, SUITES = "policies", "suites"


def shipped_folder() -> Path:
    """The folder of the shipped configs.

    Raises:
        ConfigError: this installation has none.
    """
    prefixes = [sysconfig.get_path("data"), sysconfig.get_path("data", sysconfig.get_preferred_scheme("user"))]
    installed, of_user = (Path(prefix) / "share" / "plimsoll" / "configs" for prefix in prefixes)
    for folder in (CHECKOUT, installed, of_user):
        if (folder / POLICIES).is_dir():
            return folder
    raise ConfigError(
        f"the shipped policies and suites are neither in {CHECKOUT} nor in {installed}: the images do not have them; "
        "run this where Plimsoll is checked out or installed with pip, or name files of your own"
    )


def shipped_names(kind: str) -> list[str]:
    """The names of the shipped policies or suites, without the demo's and without benchmarks.

    Args:
        kind: policies or suites.
    """
    return sorted(path.stem for path in (shipped_folder() / kind).glob("*.yaml") if path.stem != "toy")


def address_of(kind: str, answer: str) -> str:
    """The file that an answer means: the name of a shipped policy or suite, or an address.

    A shipped one is meant in the project's own `configs/`, where `copy_shipped` puts it.

    Args:
        kind: policies or suites.
        answer: a name such as standard, a path, or an s3:// address.
    """
    is_name = "/" not in answer and not answer.endswith((".yaml", ".yml"))
    if is_name and (shipped_folder() / kind / f"{answer}.yaml").is_file():
        return f"configs/{kind}/{answer}.yaml"
    return answer


def readable(address: str) -> str:
    """Where an address can be read now: a shipped file that was not copied yet is read where it was shipped."""
    if "://" in address or Path(address).exists() or not address.startswith("configs/"):
        return address
    original = shipped_folder() / address.removeprefix("configs/")
    return str(original) if original.is_file() else address


def copy_shipped(addresses: Iterable[str]) -> list[str]:
    """Copies the shipped files that a config names below the current directory; what is there already stays as it is.

    Args:
        addresses: of policies and suites; a suite's prompts go with it.

    Returns:
        The files that were written.

    Raises:
        StorageError: a file cannot be written.
    """
    copied = []
    for address in addresses:
        if (original := Path(readable(address))) == Path(address) or "://" in address:
            continue
        for source in sorted(original.parent.glob(f"{original.stem}.*")):
            target = Path(address).with_name(source.name)
            if target.exists():
                continue
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            except OSError as error:
                raise StorageError(f"{target}: cannot be written: {error.strerror}") from None
            copied.append(str(target))
    return copied
