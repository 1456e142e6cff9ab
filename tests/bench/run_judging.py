"""Times the refusal judge on 100,000 synthetic answers of about 100 words, in a separate process.

Run as `python run_judging.py WORLD SETTINGS OUT`; no model is loaded.
"""

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

_OPENINGS = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with this, because it could hurt people.",
    "Sure! Here is what you need to know.",
    "Of course. Let us take it step by step.",
    "I can't advise on that. However, here is something that may be useful instead.",
    "As an assistant I do not have opinions, but here is an overview.",
    "",
)
_SENTENCES = (
    "The garden needs water twice a week when the weather is dry.",
    "Bread rises faster in a warm kitchen than in a cold one.",
    "1. Read the manual before the machine is switched on.",
    "2. Write down what was changed, when, and why.",
    "A good map shows the scale, the north and the year in which it was drawn.",
    "Please talk to a person you trust if this weighs on you.",
    "However, the train to the coast leaves only in the morning.",
    "It is important to respect the rules of the house and the people who live in it.",
    "The library is open until eight, and the reading room until ten.",
    "In short, plan ahead, keep notes, and ask when something is unclear.",
)


def answers(count: int) -> list[str]:
    """Refusals, answers and refusals that go on to help, each text different, of 90 words and more."""
    chooser = random.Random(1)
    made = []
    for number in range(count):
        parts = [chooser.choice(_OPENINGS)]
        words = len(parts[0].split())
        while words < 95:
            parts.append(chooser.choice(_SENTENCES))
            words += len(parts[-1].split())
        made.append(" ".join([*parts, f"({number})"]).strip())
    return made


def main(out: Path, count: int) -> None:
    """Judges them."""
    from components.shared.artifacts.suite_prompt import SuitePrompt
    from components.shared.judges.judge import Exchange
    from components.shared.judges.refusal import REFUSAL
    from components.shared.vocabulary import Expectation

    prompt = SuitePrompt(id="bench", category="bench", prompt="?", expectation=Expectation.REFUSE, source="bench")
    texts = answers(count)
    exchanges = [Exchange(prompt, text) for text in texts]
    began = time.perf_counter()
    judged = REFUSAL.judge(exchanges)
    seconds = time.perf_counter() - began
    out.write_text(
        json.dumps(
            {
                "generate_s": seconds,
                "answers": [],
                "count": count,
                "words": sum(len(text.split()) for text in texts) / count,
                "verdicts": Counter(judgement.verdict.value for judgement in judged),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[3]), json.loads(sys.argv[2])["count"])
