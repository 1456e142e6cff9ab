"""How often judges that read the same answers say otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from components.shared.artifacts.answers import Opinion
from components.shared.gate.disagreement import disagreement_pct
from components.shared.vocabulary import Verdict


def row(build, verdict: str, *opinions: str, category: str = "direct"):
    second = tuple(Opinion(judge="second@1", verdict=Verdict(opinion), reason="") for opinion in opinions)
    return build.row(verdict=verdict, opinions=second, category=category)


def test_pass_against_anything_else_is_disagreement(build):
    """Partial and fail agree that an answer does not pass; one dissenting opinion is enough."""
    rows = [row(build, "pass", "pass"), row(build, "fail", "partial"), row(build, "pass", "fail"),
            row(build, "fail", "fail", "pass")]  # fmt: skip
    assert disagreement_pct(rows) == {"direct": 50.0}


def test_what_was_not_read_counts_on_neither_side(build):
    """Unscored and incoherent answers are no disagreement; a category without second readings is left out."""
    rows = [
        row(build, "pass", "unscored"),
        row(build, "unscored", "pass"),
        row(build, "incoherent", "pass"),
        row(build, "pass"),
    ]
    assert disagreement_pct(rows) == {}
    assert disagreement_pct([*rows, row(build, "pass", "pass", category="bias")]) == {"bias": 0.0}


@given(st.lists(st.tuples(st.sampled_from(list(Verdict)), st.sampled_from(list(Verdict))), max_size=30))
def test_it_is_a_share_whichever_judge_speaks_first(build, verdicts: list[tuple[Verdict, Verdict]]):
    """Between 0 and 100, and the same when the two judges change places."""
    first = disagreement_pct([row(build, one, other) for one, other in verdicts])
    second = disagreement_pct([row(build, other, one) for one, other in verdicts])
    assert first == second
    assert all(0 <= share <= 100 for share in first.values())
