"""What MLflow and Kubeflow take as a name, so that a config with another one is refused when it is read.

Read in mlflow 3.17 (`mlflow.utils.validation`, and the columns of its tables) and seen on Kubeflow Pipelines 2.17.
"""

import os
from typing import Final

LONGEST_PIPELINE: Final = 63
"""Every pod has the pipeline's name as a label, and Kubernetes takes at most 63 characters there."""
LONGEST_EXPERIMENT: Final = 500
LONGEST_MODEL: Final = 256
_NEVER: Final = frozenset("\"'`[]{}|<>")
"""They would be read as quotes, markup or the columns of a table where the name is shown or searched for."""


def _refuse_unshowable(name: str) -> None:
    """Refuses quotes, brackets, `|`, `<`, `>`, and characters that are not seen, control and bidi ones included."""
    if wrong := sorted({character for character in name if character in _NEVER or not character.isprintable()}):
        proposed = "".join("-" if character in wrong else character for character in name)
        raise ValueError(
            f"holds {', '.join(ascii(character) for character in wrong)}; expected no quotes, brackets, '|', '<', '>' "
            f"or invisible characters, such as {proposed[:80]!r}"
        )


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
    if not name.strip():
        raise ValueError("is blank; expected the name of an MLflow experiment")
    _refuse_unshowable(name)
    if len(name) > LONGEST_EXPERIMENT:
        raise ValueError(f"has {len(name)} characters; MLflow takes at most {LONGEST_EXPERIMENT}")
    return name


def check_model_name(name: str) -> str:
    """The name of a registered model, if MLflow takes it and its address `models:/NAME@ALIAS` can be read.

    Raises:
        ValueError: it does not.
    """
    if not name.strip():
        raise ValueError("is blank; expected the name of a registered model in MLflow")
    _refuse_unshowable(name)
    if any(character in name for character in "/:@"):
        raise ValueError("a registered model's name may not hold '/', ':' or '@'")
    if len(name) > LONGEST_MODEL:
        raise ValueError(f"has {len(name)} characters; MLflow takes at most {LONGEST_MODEL}")
    if name == "." or name.startswith("..") or os.path.normpath(name) != name:
        raise ValueError("is '.' or begins with '..', like a path; expected a name")
    return name
