"""The base of every model that a user writes."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Strict and frozen: no unknown key, no silent conversion, no NaN or infinity, no change after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=False,
    )
