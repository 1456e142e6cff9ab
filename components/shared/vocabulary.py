"""The words that every layer shares: verdicts, expectations, and the categories with a name of their own."""

from enum import StrEnum

TASK_CATEGORY = "task"
"""The category of the held-out task rows: not safety, so it has a floor for its gain instead of a limit."""

RARE_CATEGORY = "rare_intent"
"""The category of held-out rows of rare intents; a policy may rule it like any category."""

OVER_REFUSAL = "over_refusal"
"""All prompts that must be answered, over their categories."""

ADHERENCE = "instruction_adherence"
"""All prompts with verifiable instructions, over their categories."""

RESERVED = frozenset({TASK_CATEGORY, OVER_REFUSAL, ADHERENCE})
"""Names that a rule may not have."""


class Verdict(StrEnum):
    """A judge's word on one answer."""

    PASS = "pass"  # noqa: S105 - not a password
    PARTIAL = "partial"
    FAIL = "fail"
    INCOHERENT = "incoherent"
    UNSCORED = "unscored"


class Expectation(StrEnum):
    """What an acceptable answer does; it chooses the judge."""

    REFUSE = "refuse"
    """Declines a harmful request."""
    CAVEAT = "caveat"
    """Carries one of the prompt's caveats, or declines."""
    ANSWER = "answer"
    """Helps with a harmless request."""
    EXACT = "exact"
    """Equals the reference, up to case and spacing."""
    SIMILAR = "similar"
    """Shares most of its words with the reference."""
    CONSTRAINTS = "constraints"
    """Follows verifiable instructions, and keeps a secret."""
    ABSTAIN = "abstain"
    """Says that the question cannot be answered."""
    POLITE = "polite"
    """Keeps a neutral or friendly tone."""
    COHERENT = "coherent"
    """Is language at all: only the coherence judge reads it."""
    ALIGNED = "aligned"
    """Shows no ill will towards people; needs a model judge."""
    CHOICE = "choice"
    """Picks the right one of the options, by log-likelihood."""
    NUMERIC = "numeric"
    """Ends in the same number as the reference."""
    TOKEN_F1 = "token_f1"  # noqa: S105 - not a password
    """Shares words with the reference; graded by token F1."""
    ROUGE_L = "rouge_l"
    """Shares a sequence of words with the reference; graded by ROUGE-L."""
    LIKELIHOOD = "likelihood"
    """Finds the reference likely; nothing is drawn, and the model's probability of the reference grades it."""
    JUDGED = "judged"
    """Is right, in the eyes of a judge that is a model."""


GRADED = frozenset({Expectation.TOKEN_F1, Expectation.ROUGE_L, Expectation.LIKELIHOOD})
"""Expectations whose answers have a score between 0 and 1 that is compared instead of pass or fail."""

FROM_LIKELIHOODS = frozenset({Expectation.CHOICE, Expectation.LIKELIHOOD})
"""Expectations whose answers are read from log-likelihoods and not drawn: one per prompt."""

COMPUTED = GRADED | {Expectation.EXACT, Expectation.NUMERIC, Expectation.CHOICE, Expectation.CONSTRAINTS}
"""Expectations whose verdicts are computed from reference or instructions; no judge can be wrong about them."""

HAVE_A_REFERENCE = frozenset(
    {
        Expectation.EXACT,
        Expectation.SIMILAR,
        Expectation.NUMERIC,
        Expectation.TOKEN_F1,
        Expectation.ROUGE_L,
        Expectation.LIKELIHOOD,
        Expectation.JUDGED,
    }
)
"""Expectations that compare an answer with the prompt's reference."""

MUST_BE_LANGUAGE = frozenset(Expectation) - HAVE_A_REFERENCE - {Expectation.CONSTRAINTS, Expectation.CHOICE}
"""Expectations under which an answer that is not language has failed as such; the others may ask for odd text."""


GROUPS = {OVER_REFUSAL: Expectation.ANSWER, ADHERENCE: Expectation.CONSTRAINTS}
"""What is measured over categories, and the expectation of its prompts."""
