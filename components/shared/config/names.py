"""What is taken as a name, so that a config or suite with another one is refused when it is read.

MLflow and Kubeflow refuse some names, as read in mlflow 3.17 (`mlflow.utils.validation`, and the columns of its tables)
and seen on Kubeflow Pipelines 2.17. Names are also shown in terminals, tables, Markdown and MLflow's filters, so none
holds what is markup or a quote there, or what cannot be seen.
"""

import os
import re
from typing import Annotated, Final

from pydantic import AfterValidator

LONGEST_PIPELINE: Final = 63
"""Every pod has the pipeline's name as a label, and Kubernetes takes at most 63 characters there."""
LONGEST_EXPERIMENT: Final = 500
LONGEST_MODEL: Final = 256
LONGEST_CATEGORY: Final = 100
"""A category is a part of the keys of metrics, which MLflow cuts at 250 characters."""
LONGEST_ID: Final = 250
LONGEST_NAME: Final = 128

_MARKUP: Final = "'\"`[]{}<>|\\"
_CATEGORY = re.compile(r"\w[\w .:-]*(/\w[\w .:-]*)*")
"""MLflow's keys of metrics: letters and digits of any script, `_`, `-`, `.`, `:`, space, and `/` between two parts."""


def check_shown_name(name: str, longest: int = LONGEST_NAME) -> str:
    """A name that is shown to people: printable, without quotes, brackets, `|`, `<`, `>`, backslash.

    Raises:
        ValueError: it is not, is blank, begins or ends with a space, or is too long.
    """
    if not name.strip():
        raise ValueError("is blank; expected a name")
    if name != name.strip():
        raise ValueError(f"begins or ends with a space; expected {name.strip()!r}")
    if len(name) > longest:
        raise ValueError(f"has {len(name)} characters; expected at most {longest}")
    odd = next((character for character in name if not character.isprintable() or character in _MARKUP), None)
    if odd is not None:
        plain = "".join(each if each.isprintable() and each not in _MARKUP else "-" for each in name).strip("- ")
        shown = repr(odd) if odd.isprintable() else f"the invisible character U+{ord(odd):04X}"
        raise ValueError(
            f"holds {shown}; expected printable characters without quotes, brackets, '|', '<', '>' and backslash, such "
            f"as {plain or 'a-name'!r}"
        )
    return name


def check_category_name(name: str) -> str:
    """The name of a category, if it can be a part of a metric's key.

    Raises:
        ValueError: it cannot.
    """
    check_shown_name(name, LONGEST_CATEGORY)
    if _CATEGORY.fullmatch(name) is None:
        plain = re.sub(r"[^\w .:/-]+", "-", name).strip("-./: ")
        raise ValueError(
            "is no category: expected letters, digits, '_', '-', '.', ':', spaces and '/' between two parts, because "
            f"metrics are named after it, such as {plain or 'direct'!r}"
        )
    return name


def check_id(name: str) -> str:
    """An id of a prompt or requirement; see `check_shown_name`."""
    return check_shown_name(name, LONGEST_ID)


CategoryName = Annotated[str, AfterValidator(check_category_name)]
ShownId = Annotated[str, AfterValidator(check_id)]
ShownName = Annotated[str, AfterValidator(check_shown_name)]


def check_pipeline_name(name: str) -> str:
    """The name of a pipeline, if a pod can carry it as a label.

    Raises:
        ValueError: it cannot.
    """
    if len(name) > LONGEST_PIPELINE:
        raise ValueError(
            f"has {len(name)} characters; expected at most {LONGEST_PIPELINE}, because every pod has it as a label"
        )
    if name.endswith("-"):
        raise ValueError("ends with '-'; expected a letter or digit at the end, because every pod has it as a label")
    return name


def check_experiment_name(name: str) -> str:
    """The name of an experiment, if MLflow takes it.

    Raises:
        ValueError: it does not.
    """
    return check_shown_name(name, LONGEST_EXPERIMENT)


def check_model_name(name: str) -> str:
    """The name of a registered model, if MLflow takes it and its address `models:/NAME@ALIAS` can be read.

    Raises:
        ValueError: it does not.
    """
    if any(character in name for character in "/:@"):
        raise ValueError("a registered model's name may not hold '/', ':' or '@'")
    check_shown_name(name, LONGEST_MODEL)
    if name == "." or name.startswith("..") or os.path.normpath(name) != name:
        raise ValueError("is '.' or begins with '..', like a path; expected a name")
    return name
