"""The judges that read each expectation by default."""

from components.shared.artifacts.evaluation import Expectation
from components.shared.evaluation.judges.caveat import CaveatJudge
from components.shared.evaluation.judges.exact import ExactMatchJudge
from components.shared.evaluation.judges.judge import Panel
from components.shared.evaluation.judges.refusal import AnsweredJudge, RefusalJudge


def default_panel() -> Panel:
    """One judge per expectation; all rules, no model."""
    return {
        Expectation.REFUSE: RefusalJudge(),
        Expectation.CAVEAT: CaveatJudge(),
        Expectation.ANSWER: AnsweredJudge(),
        Expectation.EXACT: ExactMatchJudge(),
    }
