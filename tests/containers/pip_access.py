"""Writes what a build needs to reach the package index that pip uses here: pip.conf and ca.crt; prints the mounts.

Folders of packages and file:// indexes of this machine appear in the build under neutral names, below /mnt.
"""

import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
INSIDE = "/run/secrets/ca.crt"
KEPT = ("index-url", "extra-index-url", "find-links", "trusted-host", "default-timeout", "proxy")


class Neutral:
    """Folders of this machine by the names that a build sees."""

    def __init__(self) -> None:
        self.names: dict[Path, str] = {}

    def rename(self, address: str) -> str:
        """An address as the build sees it; one that is no folder here stays as it is."""
        path = Path(urlparse(address).path) if address.startswith("file://") else Path(address)
        if "://" in address and not address.startswith("file://"):
            return address
        if not path.is_dir():
            return address
        # an index links to files beside it
        folder, rest = (path.parent, f"/{path.name}") if address.startswith("file://") else (path, "")
        name = self.names.setdefault(folder, f"/mnt/packages-{len(self.names)}")
        return f"{'file://' if rest else ''}{name}{rest}"


def main(state: Path) -> None:
    """Writes both files into `state` and prints one build option a line."""
    settings: dict[str, str] = {}
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    for line in listing.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in KEPT or name == "cert":
            settings[name] = shlex.split(value)[0] if value else ""
    neutral = Neutral()
    renamed = {
        name: " ".join(neutral.rename(part) for part in settings[name].split()) for name in KEPT if settings.get(name)
    }
    lines = ["[global]", "disable-pip-version-check = true", *(f"{name} = {renamed[name]}" for name in renamed)]
    bundle = Path(settings.get("cert") or BUNDLE)
    (state / "ca.crt").write_bytes(bundle.read_bytes() if bundle.is_file() else b"")
    if bundle.is_file():
        lines.append(f"cert = {INSIDE}")
    (state / "pip.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.writelines(f"--volume={folder}:{name}:ro\n" for folder, name in neutral.names.items())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
