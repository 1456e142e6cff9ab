"""Reads YAML files into config models, with errors that name file, line, field, value and expectation.

YAML is read strictly: a repeated key is an error. Plain words are read as in YAML 1.2: `3e-3` is a number, and `on`,
`off`, `yes` and `no` are texts. Numbers that readers disagree about (`010`, `0x1F`, `1_000`, `12:30`) are texts, too.
"""

import difflib
import json
import re
from collections.abc import Sequence
from datetime import date
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.shared import storage
from components.shared.config.bounded_yaml import BoundedLoader
from components.shared.config.policy import Policy
from components.shared.config.sections import PipelineConfig
from components.shared.errors import ConfigError
from components.shared.redaction import redacted
from components.shared.texts.packed import packed

Model = TypeVar("Model", bound=BaseModel)
_SHOWN = 120
"""Characters of a wrong value that an error shows."""

Location = tuple[int | str, ...]


_TAG = "tag:yaml.org,2002:"
_UNLIKE_YAML_1_2 = {f"{_TAG}{name}" for name in ("bool", "int", "float", "value")}


class _StrictLoader(BoundedLoader):
    """BoundedLoader that refuses a repeated key, and takes for numbers and booleans only what looks like one."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNLIKE_YAML_1_2]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping as written; later, merged keys stand beside the explicit ones that replace them."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
        return node


def _tagged(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    """A value with a tag such as `!!int` is read as the same words are without one, or refused."""
    name = node.tag.removeprefix(_TAG)
    words = str(loader.construct_scalar(node))
    if not any(re.match(_WORDS[kind][0], words) for kind in _READ_AS[name]):
        problem = f"{words!r} is no !!{name}; {_CURES[name]}"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    constructors = {"bool": loader.construct_yaml_bool, "int": loader.construct_yaml_int}
    return constructors.get(name, loader.construct_yaml_float)(node)


_WORDS = {
    "bool": (r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"^[-+]?(0|[1-9][0-9]*)$", "-+0123456789"),
    "float": (
        r"^([-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$",
        "-+.0123456789",
    ),
}
"""The words that are a boolean or a number, and their first characters."""
_READ_AS = {"bool": ("bool",), "int": ("int",), "float": ("float", "int")}
for _name, (_pattern, _first) in _WORDS.items():
    _StrictLoader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), list(_first))
    _StrictLoader.add_constructor(f"{_TAG}{_name}", _tagged)

_DIGITS = "write it in decimal digits, without quotes, leading zeros, '_' or ':'"
_CURES = {"int": _DIGITS, "float": _DIGITS, "bool": "write true or false, without quotes"}
"""What to write instead of a text, by what was expected."""


def load_pipeline_config(address: str, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Reads `configs/pipelines/*.yaml`.

    Args:
        address: path or s3:// address.
        overrides: `dotted.key=value` texts that replace values of the file; the value is YAML.

    Raises:
        ConfigError: the file is missing or wrong; the message names where and what was expected.
    """
    return load_text(_text(address), PipelineConfig, address, overrides)


def load_policy(address: str) -> Policy:
    """Reads `configs/policies/*.yaml`.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    return load_text(_text(address), Policy, address)


def read_yaml(address: str) -> object:
    """The content of a YAML file, read strictly.

    Raises:
        ConfigError: the file cannot be read or is not YAML.
    """
    return _parse(address, _text(address))


def validate(content: object, model: type[Model], address: str, text: str = "", overrides: Sequence[str] = ()) -> Model:
    """The content as `model`.

    Args:
        content: what the file holds, with the overrides.
        model: what it should be.
        address: of the file.
        text: of the file, for lines.
        overrides: the `dotted.key=value` texts that replaced values of the file.

    Raises:
        ConfigError: naming each wrong field, its line where `text` is given, its value and what was expected.
    """
    try:
        return model.model_validate_json(json.dumps(content, default=_plain))
    except ValidationError as error:
        details = [_explain(detail, model, _Origin(address, text, overrides)) for detail in error.errors()]
        raise ConfigError("\n".join(details)) from None
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{address}: {error}; write such values as quoted text") from None


def _plain(value: object) -> str:
    """A YAML date as text; other types that JSON does not have are errors."""
    if type(value) is date:
        return value.isoformat()
    raise TypeError(f"{value!r} is a {type(value).__name__}")


def load_text(text: str, model: type[Model], address: str, overrides: Sequence[str] = ()) -> Model:
    """The content of a YAML text as `model`.

    Args:
        text: YAML.
        model: what it should be.
        address: where the text is, for errors.
        overrides: see `load_pipeline_config`.

    Raises:
        ConfigError: it is not YAML, or wrong.
    """
    content = _parse(address, text)
    if not isinstance(content, dict):
        raise ConfigError(
            f"{address}: holds {type(content).__name__}, expected keys and values; see `plimsoll config schema`"
        )
    for override in overrides:
        _override(content, override)
    return validate(content, model, address, text, overrides)


def _text(address: str) -> str:
    try:
        content = storage.read_bytes(address)
        if problem := packed(content):
            raise ConfigError(f"{address}: {problem}")
        return content.decode()
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
        section = place.get(parent, {})
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override!r}: {parent!r} is a value, not a section")
        place[parent] = dict(section)  # another section may share it through an anchor
        place = place[parent]
    place[last] = _parse(f"--set {override}", value)


class _Origin(NamedTuple):
    """What a content was read from."""

    address: str
    text: str
    overrides: Sequence[str]

    def of(self, location: Location) -> str:
        """Where a value is written: file and line, or the `--set` that gave it; both for a section with one."""
        line = _line(self.text, location)
        where = f"{self.address}:{line}" if line else self.address
        parts = [str(part) for part in location]
        for override in reversed(self.overrides):
            key = override.partition("=")[0].split(".")
            if key == parts[: len(key)]:
                return f"--set {override}"
            if parts and parts == key[: len(parts)]:
                return f"{where} with --set {override}"
        return where


def _explain(detail: ErrorDetails, model: type[BaseModel], origin: _Origin) -> str:
    location = tuple(part for part in detail["loc"])
    field = ".".join(str(part) for part in location) or "the file"
    where = origin.of(location)
    if detail["type"] == "extra_forbidden":
        return f"{where}: {field}: unknown key{_did_you_mean(model, location)}"
    if detail["type"] == "missing":
        return f"{where}: {field}: missing; it is required, see `plimsoll config schema`"
    message = detail["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "expected")
    if isinstance(detail["input"], str) and (cure := _CURES.get(detail["type"].removesuffix("_type"))):
        message = f"{message}; {cure}"
    shown = detail["input"]
    got = repr(redacted(shown) if isinstance(shown, str) else shown)
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
    loader = _StrictLoader(text)
    node = loader.get_single_node()
    line: int | None = None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            loader.flatten_mapping(node)  # merged keys first, so that the last of two wins
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
