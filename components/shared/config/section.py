"""The base of every model that a user writes."""

from typing import Final

from pydantic import BaseModel, ConfigDict

SEEDS: Final = 2**32
"""Seeds are below this: numpy takes no larger ones."""


class Section(BaseModel):
    """Strict and frozen: no unknown key, no silent conversion, no NaN or infinity, no change after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=False,
    )
