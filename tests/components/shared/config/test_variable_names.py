"""A config names the variables that hold secrets; it never holds one."""

import pytest
from pydantic import TypeAdapter, ValidationError

from components.shared.config.cluster import ClusterConfig
from components.shared.config.variable_names import VariableName


@pytest.mark.parametrize(
    "name", ["PGPASSWORD", "STORE_KEY", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "my_api_key"]
)
def test_a_secret_is_no_plain_variable_of_the_steps(name: str):
    """It would stand in the compiled pipeline; the error names it and the cure, and does not show it."""
    with pytest.raises(ValidationError, match=f"{name} must not stand in a config.*cluster.secrets") as refused:
        ClusterConfig(env={name: "s3cret", "OMP_NUM_THREADS": "4"})
    assert "s3cret" not in str(refused.value)


def test_an_address_with_a_password_is_none_either():
    """A proxy's password, for example."""
    with pytest.raises(ValidationError, match="HTTPS_PROXY must not stand in a config") as refused:
        ClusterConfig(env={"HTTPS_PROXY": "http://me:s3cret@proxy:3128"})
    assert "s3cret" not in str(refused.value)


def test_other_variables_are_taken_as_they_are():
    """Settings and addresses."""
    env = {"TOKENIZERS_PARALLELISM": "false", "AWS_ENDPOINT_URL": "http://s3:9000", "https_proxy": "http://proxy:3128"}
    assert ClusterConfig(env=env).env == env


@pytest.mark.parametrize("value", ["5f0c2f6e9d6b4a1c", "a key", "lower_case", "X" * 101])
def test_a_secret_in_the_place_of_its_name_is_hidden(value: str):
    """Whoever writes the key itself gets an error without it."""
    with pytest.raises(ValidationError, match="hidden: not the name of a variable") as refused:
        TypeAdapter(VariableName).validate_python(value)
    assert value not in str(refused.value)
