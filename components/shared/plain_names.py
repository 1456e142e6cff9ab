"""Names of files that come from a file, a list or another machine: only plain relative names become paths."""

from pathlib import Path

LONGEST_NAME = 1024
"""Most characters of a name with its folders."""

EXPECTED = "expected a plain relative name such as folder/file.json"


def plain_name(name: str) -> str:
    """The name, if it can only mean a file below the folder that it is joined to.

    Args:
        name: with `/` between folders.

    Raises:
        ValueError: it is absolute, has an empty part, `.` or `..`, a backslash, or a character that cannot be printed,
            or it is too long.
    """
    parts = name.split("/")
    if len(name) > LONGEST_NAME:
        problem = f"has {len(name)} characters, at most {LONGEST_NAME} are allowed"
    elif not name.isprintable() or "\\" in name:
        problem = "holds a backslash or a character that cannot be printed"
    elif "" in parts:
        problem = "is absolute, empty or has an empty part"
    elif not {".", ".."}.isdisjoint(parts):
        problem = "has a part '.' or '..'"
    else:
        return name
    raise ValueError(f"{name[:200]!r} {problem}; {EXPECTED}")


def path_below(folder: Path, name: str) -> Path:
    """The path of a named file below a folder; symbolic links in the folder are followed and must stay below it.

    The last part may be a link: a file that is written replaces it.

    Raises:
        ValueError: the name is not plain, or its folder lies elsewhere.
    """
    path = folder / plain_name(name)
    root = folder.resolve()
    if not path.parent.resolve().is_relative_to(root):
        raise ValueError(f"{name[:200]!r} leaves {folder} through a symbolic link; remove the link")
    return path
