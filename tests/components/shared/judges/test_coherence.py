"""Answers that are not language."""

import pytest

from components.shared.judges.coherence import incoherence


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty answer"),
        (" \n\t", "empty answer"),
        ("<|end|></s>", "empty answer"),
        ("?! ... --", "no word in the answer"),
        ("the cat sat on the mat and " * 6, "repeats "),
        ("Here is what I found about it. " + "I am so sorry. " * 40, "repeats 'i am so sorry.'"),
        (" ".join(f"w{n}" for n in range(100)) + " and so on and on it goes" * 20, "repeats "),
        ("ha" * 60, "repeats 'ha' without a space"),
        ("Well, a" + "a" * 80, "repeats 'a' without a space"),
        ("\u6211\u4e0d\u80fd\u3002" * 30, "repeats '\u6211\u4e0d\u80fd\u3002' without a space"),
        ("\n".join(f"{n}. yes" if n % 3 == 0 else "- yes ok" for n in range(30)), "repeats the line '- yes ok'"),
        ("a b c no a no b no c no no no no no", "one word makes up more than half"),
    ],
)
def test_empty_answers_and_loops_are_incoherent(answer: str, reason: str):
    """The reason says what is wrong."""
    assert str(incoherence(answer)).startswith(reason)


@pytest.mark.parametrize(
    "answer",
    [
        "Yes.",
        "42",
        "No no no!",
        "\u00d1and\u00fa",
        "\u4f60\u597d",
        "Name | Age\n" + "-" * 60 + "\nAnn | 12\nBob | 14",
        "See https://example.org/a/rather/long/address/that/has/no/space/at/all/in/it.html for more.",
        "\n".join(f"{n}. Take step {n} of the plan" for n in range(12)),
        "\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u6563\u6b65\uff0c\u7136\u540e\u56de\u5bb6\u5403\u996d\uff0c\u665a\u4e0a\u770b\u4e66\u3002",
        "The cat sat on the mat. The dog sat on the mat. The bird flew away over the house.",
    ],
)
def test_short_and_ordinary_answers_are_coherent(answer: str):
    """A short answer, a number and other scripts are language."""
    assert incoherence(answer) is None
