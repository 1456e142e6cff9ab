"""IFEval's `detectable_format` and `detectable_content` kinds: marks that an answer is made of."""

import json
import re

from components.shared.artifacts.artifact import Record
from components.shared.judges.constraints.kind import Count, Kind, Kinds, Nothing, Word

_BULLET = re.compile(r"^[ \t]*(?:\*(?!\*)|-(?!--))[ \t]*\S", re.MULTILINE)
_HIGHLIGHT = re.compile(r"(?<!\*)(\*{1,3})(?=[^\s*])[^*\n]*[^\s*]\1(?!\*)")
_TITLE = re.compile(r"<<([^<>\n]*)>>")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]+\]")
_FENCE = "```"
_OPTIONS = ("my answer is yes.", "my answer is no.", "my answer is maybe.")


class Placeholders(Record):
    """A least number of [placeholders]."""

    num_placeholders: Count


class Postscript(Record):
    """How a postscript begins."""

    postscript_marker: Word


class Bullets(Record):
    """An exact number of bullet points."""

    num_bullets: Count


class Highlights(Record):
    """A least number of *highlighted* parts."""

    num_highlights: Count


class Sections(Record):
    """A least number of sections, each begun by the splitter and a number (`section_spliter` is IFEval's spelling)."""

    section_spliter: Word
    num_sections: Count


def _postscript(arguments: Postscript, answer: str) -> bool:
    letters = [re.escape(part) for part in arguments.postscript_marker.replace(" ", "").split(".") if part]
    marker = r"\.?\s?".join(letters) if "." in arguments.postscript_marker else re.escape(arguments.postscript_marker)
    return re.search(rf"^[ \t>*_#]*{marker}(?!\w).*\w", answer, re.IGNORECASE | re.MULTILINE) is not None


def _one_option(_arguments: Nothing, answer: str) -> bool:
    text = answer.casefold()
    return sum(option in text for option in _OPTIONS) == 1


def _sections(arguments: Sections, answer: str) -> bool:
    mark = rf"^[ \t#*_>(-]*{re.escape(arguments.section_spliter.strip())}\s?\d+"
    return len(re.findall(mark, answer, re.MULTILINE)) >= arguments.num_sections


def _title(_arguments: Nothing, answer: str) -> bool:
    return any(title.strip() for title in _TITLE.findall(answer))


def _json(_arguments: Nothing, answer: str) -> bool:
    text = answer.strip()
    if text.startswith(_FENCE) and text.endswith(_FENCE) and len(text) >= 2 * len(_FENCE):
        text = text[len(_FENCE) : -len(_FENCE)]
        text = (text[4:] if text[:4].lower() == "json" else text).strip()
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


FORMAT_KINDS: Kinds = {
    "detectable_content:number_placeholders": Kind(
        Placeholders, lambda arguments, answer: len(_PLACEHOLDER.findall(answer)) >= arguments.num_placeholders
    ),
    "detectable_content:postscript": Kind(Postscript, _postscript),
    "detectable_format:number_bullet_lists": Kind(
        Bullets, lambda arguments, answer: len(_BULLET.findall(answer)) == arguments.num_bullets
    ),
    "detectable_format:constrained_response": Kind(Nothing, _one_option),
    "detectable_format:number_highlighted_sections": Kind(
        Highlights, lambda arguments, answer: len(_HIGHLIGHT.findall(answer)) >= arguments.num_highlights
    ),
    "detectable_format:multiple_sections": Kind(Sections, _sections),
    "detectable_format:json_format": Kind(Nothing, _json),
    "detectable_format:title": Kind(Nothing, _title),
}
