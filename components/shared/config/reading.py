"""Reads YAML files into config models, with errors that name file, line, field, value and expectation.

YAML is read strictly: a repeated key is an error, and `3e-3` is a number.
"""

import difflib
import json
import re
from collections.abc import Sequence
from datetime import date
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.shared import storage
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig
from components.shared.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
_SHOWN = 120
"""Characters of a wrong value that an error shows."""

Location = tuple[int | str, ...]


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a repeated key and reads `1e-3` as a number (as YAML 1.2 does)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def load_pipeline_config(address: str, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Reads `configs/pipelines/*.yaml`.

    Args:
        address: path or s3:// address.
        overrides: `dotted.key=value` texts that replace values of the file; the value is YAML.

    Raises:
        ConfigError: the file is missing or wrong; the message names where and what was expected.
    """
    return _load(address, PipelineConfig, overrides)


def load_policy(address: str) -> Policy:
    """Reads `configs/policies/*.yaml`.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    return _load(address, Policy)


def read_yaml(address: str) -> object:
    """The content of a YAML file, read strictly.

    Raises:
        ConfigError: the file cannot be read or is not YAML.
    """
    return _parse(address, _text(address))


def validate(content: object, model: type[Model], address: str, text: str = "") -> Model:
    """The content as `model`.

    Raises:
        ConfigError: naming each wrong field, its line where `text` is given, its value and what was expected.
    """
    try:
        return model.model_validate_json(json.dumps(content, default=_plain))
    except ValidationError as error:
        details = [_explain(detail, model, address, text) for detail in error.errors()]
        raise ConfigError("\n".join(details)) from None
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{address}: {error}; write such values as quoted text") from None


def _plain(value: object) -> str:
    """A YAML date as text; other types that JSON does not have are errors."""
    if type(value) is date:
        return value.isoformat()
    raise TypeError(f"{value!r} is a {type(value).__name__}")


def _load(address: str, model: type[Model], overrides: Sequence[str] = ()) -> Model:
    text = _text(address)
    content = _parse(address, text)
    if not isinstance(content, dict):
        raise ConfigError(
            f"{address}: holds {type(content).__name__}, expected keys and values; see `plimsoll config schema`"
        )
    for override in overrides:
        _override(content, override)
    return validate(content, model, address, text)


def _text(address: str) -> str:
    try:
        return storage.read_bytes(address).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{address}: not UTF-8 at byte {error.start}: save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{address}: cannot be read: {error}") from None


def _parse(address: str, text: str) -> object:
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"{mark.line + 1}" if mark is not None else "?"
        raise ConfigError(f"{address}:{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # also an impossible date or number
        raise ConfigError(f"{address}: not valid YAML: {error}") from None


def _override(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: expected KEY=VALUE, such as recipe.seed=1")
    *parents, last = key.split(".")
    place: Any = content
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"--set {override!r}: {parent!r} is a value, not a section")
    place[last] = _parse(f"--set {override}", value)


def _explain(detail: ErrorDetails, model: type[BaseModel], address: str, text: str) -> str:
    location = tuple(part for part in detail["loc"])
    field = ".".join(str(part) for part in location) or "the file"
    line = _line(text, location)
    where = f"{address}:{line}" if line else address
    if detail["type"] == "extra_forbidden":
        return f"{where}: {field}: unknown key{_did_you_mean(model, location)}"
    if detail["type"] == "missing":
        return f"{where}: {field}: missing; it is required, see `plimsoll config schema`"
    message = detail["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "expected")
    got = repr(detail["input"])
    return f"{where}: {field}: got {got if len(got) <= _SHOWN else got[:_SHOWN] + '…'}; {message}"


def _did_you_mean(model: type[BaseModel], location: Location) -> str:
    place: Any = model
    for part in location[:-1]:
        place = _declared(place, part)
    fields = list(place.model_fields) if _is_model(place) else []
    near = difflib.get_close_matches(str(location[-1]), fields, n=1)
    known = f"expected one of {', '.join(fields)}" if fields else "expected no such key here"
    return f"; did you mean {near[0]!r}?" if near else f"; {known}"


def _declared(place: Any, part: int | str) -> Any:
    """The declared type of a model's field, or of an item of a dict or tuple; None if there is none."""
    if _is_model(place):
        info = place.model_fields.get(str(part))
        annotation = info.annotation if info is not None else None
        union = get_origin(annotation) in (Union, UnionType)
        return next((member for member in get_args(annotation) if union and _is_model(member)), annotation)
    return next((item for item in reversed(get_args(place)) if item is not Ellipsis), None)


def _is_model(place: Any) -> bool:
    return isinstance(place, type) and issubclass(place, BaseModel)


def _line(text: str, location: Location) -> int | None:
    """The line of the deepest part of `location` that the text holds, counted from 1."""
    node = yaml.compose(text, Loader=_StrictLoader) if text else None
    line: int | None = None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            entries = [(key, value) for key, value in node.value if key.value == str(part)]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            entries = [(item, item) for item in node.value[part : part + 1]]
        else:
            break
        if not entries:
            break
        key, node = entries[-1]
        line = key.start_mark.line + 1
    return line
