"""Names that MLflow or Kubeflow would refuse later are refused when the config is read."""

import pytest

from components.shared.config.names import check_experiment_name, check_model_name, check_pipeline_name


@pytest.mark.parametrize(
    ("check", "name", "why"),
    [
        (check_pipeline_name, "a" * 64, "has 64 characters; expected at most 63"),
        (check_pipeline_name, "support-", "ends with '-'"),
        (check_experiment_name, "  ", "is blank"),
        (check_experiment_name, "e" * 501, "has 501 characters"),
        (check_model_name, " ", "is blank"),
        (check_model_name, "team/model", "may not hold"),
        (check_model_name, "m" * 257, "has 257 characters"),
        (check_model_name, "..", "like a path"),
        (check_model_name, 'a"b', "expected printable characters.*such as 'a-b'"),
        (check_model_name, "a\u202eb", "holds the invisible character U\\+202E"),
        (check_experiment_name, "a|b", "such as 'a-b'"),
        (check_experiment_name, "a\nb", "invisible"),
    ],
)
def test_a_name_that_is_refused_later_is_refused_now(check, name, why):
    """The error says what is wrong with the name."""
    with pytest.raises(ValueError, match=why):
        check(name)


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (check_pipeline_name, "a" * 63),
        (check_experiment_name, "Support, 2026"),
        (check_experiment_name, "e" * 500),
        (check_experiment_name, "Größe 評価"),
        (check_model_name, "qwen3 8b support."),
        (check_model_name, "m" * 256),
    ],
)
def test_every_other_name_is_taken(check, name):
    """A name is returned as it is."""
    assert check(name) == name


def test_mlflow_takes_what_we_take():
    """The rules for registered models and experiments are those of mlflow's own checks."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils import validation

    for name in ("a", "a b", "..", ".", "a//b", "a:b", "", " ", "x.", "m" * 256):
        for ours, theirs in (
            (check_model_name, validation._validate_model_name),
            (check_experiment_name, validation._validate_experiment_name),
        ):
            try:
                ours(name)
            except ValueError:
                continue
            try:
                theirs(name)
            except MlflowException as error:  # pragma: no cover - a failure of the test
                pytest.fail(f"{name!r}: {error}")
