"""What docs/policies.md says of fields, decisions, shipped policies, commands and rates is so."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import typer
import yaml
from pydantic.fields import FieldInfo

from components.shared.artifacts.decision import Decision
from components.shared.config.policy import Policy
from components.shared.config.policy_bounds import AcceptedRisk
from components.shared.config.policy_rules import CategoryRule, FollowUpRule, Requirement, Waiver
from components.shared.config.reading import load_policy, validate
from components.shared.config.section import Section
from components.shared.statistics.rates import clopper_pearson
from pipelines.cli import app
from pipelines.exit_codes import DECISION_CODES
from pipelines.policies.policy_rates import simulate
from pipelines.policies.simulated_answers import Assumptions
from pipelines.policies.tables import SHOWN

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "configs" / "policies"
FIELDS_HEAD = ("field", "default", "meaning")
DECISIONS_HEAD = ("decision", "exit code", "when")
SHIPPED_HEAD = ("policy", "for", "rules")
RATES_HEAD = ("policy", "prompts x answers", "unchanged", "true 3 pp", "true 5 pp", "true 10 pp")
RULES_HEAD = ("rule of `literal`", "unchanged", "true 3 pp", "true 5 pp", "true 10 pp")
SECTIONS = (CategoryRule, Policy, FollowUpRule, AcceptedRisk, Waiver, Requirement)


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "policies.md").read_text()


def cells(line: str) -> tuple[str, ...]:
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return tuple(part.strip().replace("\\|", "|") for part in parts)


def tables(page: str, head: Sequence[str]) -> list[list[tuple[str, ...]]]:
    """The rows of every table with this head."""
    lines = page.splitlines()
    matching = []
    for start, line in enumerate(lines):
        if line.startswith("|") and cells(line) == tuple(head):
            rows = []
            for row in lines[start + 2 :]:
                if not row.startswith("|"):
                    break
                rows.append(cells(row))
            matching.append(rows)
    return matching


def default(field: FieldInfo) -> str:
    """A default as the page shows it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    words = {None: "null", True: "true", False: "false", "": "empty"}
    if isinstance(value, bool | str | None):
        return words.get(value, str(value))
    if isinstance(value, Section):
        return "see below"
    return "none" if isinstance(value, Mapping | tuple) else f"{value:g}"


def test_every_field_is_listed_with_its_default_and_meaning(page: str):
    """The tables are the models' own descriptions, field for field."""
    expected = [
        [(f"`{name}`", default(field), field.description) for name, field in section.model_fields.items()]
        for section in SECTIONS
    ]
    assert tables(page, FIELDS_HEAD) == expected


def test_every_decision_is_listed_with_its_exit_code_in_the_order_of_precedence(page: str):
    """Invalid first, because preconditions come before everything; then the worst that a category can say."""
    (rows,) = tables(page, DECISIONS_HEAD)
    listed = [(Decision(name.strip("`")), int(code)) for name, code, _ in rows]
    assert dict(listed) == DECISION_CODES
    assert listed[0][0] is Decision.INVALID
    severities = [decision.severity for decision, _ in listed[1:]]
    assert severities == sorted(severities, reverse=True)


def test_every_shipped_policy_is_listed(page: str):
    """Each file once."""
    (rows,) = tables(page, SHIPPED_HEAD)
    named = [name for row in rows for name in re.findall(r"`([\w-]+)`", row[0])]
    assert sorted(named) == sorted(path.stem for path in POLICIES.glob("*.yaml"))


def test_the_rates_are_those_of_the_policies(page: str):
    """Each cell's shares add up to 100, and the unchanged model's are inside the 99.9 % intervals of 60 other runs."""
    (rows,) = tables(page, RATES_HEAD)
    assert len(rows) == 5
    for name, size, *columns in rows:
        shares = [[float(share) for share in column.split(" / ")] for column in columns]
        assert all(98 <= sum(column) <= 102 for column in shares)
        prompts, samples = map(int, size.split(" x "))
        policy = load_policy(str(POLICIES / f"{name.strip('`')}.yaml"))
        draws = {category: [samples] * prompts for category in policy.categories}
        rates = simulate(policy, draws, Assumptions(), 60, 1, lambda _: None, ())
        for decision, claimed in zip(SHOWN, shares[0], strict=True):
            interval = clopper_pearson(round(rates.unchanged.get(decision, 0.0) * 0.6), 60, 0.999)
            assert 100 * interval.lower - 0.5 <= claimed <= 100 * interval.upper + 0.5, (name, size, decision)


def test_the_rules_of_literal_are_those_of_the_file(page: str):
    """One row per rule with its limit; a larger true drop passes less often."""
    (rows,) = tables(page, RULES_HEAD)
    rules = load_policy(str(POLICIES / "literal.yaml")).categories
    assert [row[0] for row in rows] == [f"`{name}`, {rule.limit_pp:g} pp" for name, rule in rules.items()]
    for _, *shares in rows:
        passing = [float(share) for share in shares]
        assert passing == sorted(passing, reverse=True)


def test_every_command_exists_with_its_options(page: str):
    """Commands are looked up in the command line's own tree, those in code blocks and those in sentences."""
    text = page.replace("\n", " ")
    lines = [line.partition("#")[0] for line in page.splitlines() if line.startswith("plimsoll ")]
    named = [shlex.split(line)[1:] for line in (*lines, *re.findall(r"`(plimsoll [^`]+)`", text))]
    assert {("policy", "show"), ("policy", "rates")} <= {tuple(words[:2]) for words in named}
    for words in named:
        place = typer.main.get_command(app)
        for word in words:
            below = getattr(place, "commands", None)
            if not below:
                break
            assert word in below, f"there is no command {' '.join(words)!r}"
            place = below[word]
        known = {name for parameter in place.params for name in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in known] == []


def test_every_file_exists(page: str):
    """Paths below the project's folders."""
    paths = set(re.findall(r"\b(?:configs|docs|tests)/[\w./-]+\w", page))
    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_no_name_is_made_up(page: str):
    """A single word in code font is a field, a decision, a rule, a category or a policy."""
    fields = {name for section in SECTIONS for name in section.model_fields}
    policies = [load_policy(str(path)) for path in POLICIES.glob("*.yaml")]
    known = {
        *fields,
        *map(str, Decision),
        *(name for policy in policies for name in (policy.name, *policy.categories)),
        *("margin", "zero_tolerance", "point"),
    }
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    assert sorted(set(re.findall(r"`([a-z][a-z_]*)`", prose)) - known) == []


def test_the_example_of_a_waiver_is_valid(page: str):
    """Its fields are accepted beside a rule for the category that it names."""
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    rules = {"domain": {"rule": "margin", "limit_pp": 5}}
    content = {"name": "tried", "version": "1", "categories": rules, **yaml.safe_load(example)}
    waiver = validate(content, Policy, "the page").waiver
    assert waiver is not None
    assert waiver.categories == ("domain",)
