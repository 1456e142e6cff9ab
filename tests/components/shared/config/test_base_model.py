"""How a config may name a model."""

import pytest
from pydantic import ValidationError

from components.shared.config.base_model import BaseModelRef


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"path": "s3://bucket/models/m"},
            r"cannot be read from s3://, expected .*: copy it .*aws s3 sync s3://bucket/models/m ",
        ),
        ({"hub_id": "s3://bucket/m", "revision": "a" * 40}, r"cannot be read from s3://, .* give hub_id \(ORG/NAME\)"),
        ({"path": "hub://org/name@main"}, r"cannot be read from hub://, .*: download it and give the directory"),
        ({"path": "https://h/org/name"}, r"cannot be read from https://"),
    ],
)
def test_an_address_is_no_model(fields, message):
    """The error says what can be given instead, and how to get it."""
    with pytest.raises(ValidationError, match=message):
        BaseModelRef(**fields)
