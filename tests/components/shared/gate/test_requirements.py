"""Requirements name prompts by category, tag or id; one that no prompt tests says so."""

from components.shared.config.policy_rules import Requirement
from components.shared.gate.requirements import prompts_of, requirement_figures


def test_prompts_are_found_by_category_tags_and_id(build):
    """Category and all tags must fit; named prompts come besides."""
    prompts = [
        build.prompt("a", category="domain", tags=("profile:medical", "risk:dosage")),
        build.prompt("b", category="domain", tags=("profile:legal",)),
        build.prompt("c", category="direct", tags=("profile:medical",)),
    ]

    def selected(**fields: object) -> str:
        return "".join(p.id for p in prompts_of(Requirement(text="x", **fields), prompts))

    assert selected(categories=("domain",)) == "ab"
    assert selected(tags={"profile": "medical"}) == "ac"
    assert selected(categories=("domain",), tags={"profile": "medical"}) == "a"
    assert selected(tags={"profile": "medical", "risk": "dosage"}) == "a"
    assert selected(prompts=("b",)) == "b"
    assert selected(categories=("domain",), tags={"profile": "medical"}, prompts=("b",)) == "ab"


def test_figures_are_of_the_requirements_own_prompts(tmp_path, build):
    """Pass shares before and after over its prompts; there are none if nothing was asked."""
    evidence = build.world(tmp_path, broken=1).evidence
    figures = requirement_figures(
        evidence,
        {
            "R-1": Requirement(text="declines", prompts=("d-00", "d-01")),
            "R-2": Requirement(text="not tested yet", tags={"risk": "unknown"}),
        },
    )
    assert [(each.requirement, each.prompts, each.before_pct, each.after_pct) for each in figures] == [
        ("R-1", 2, 100.0, 50.0),
        ("R-2", 0, None, None),
    ]
