"""How likely the model finds the reference: the geometric mean of its tokens' probabilities, exp(-NLL), from 0 to 1.

NLL is the mean negative log-likelihood per token, nats; exp(-NLL) is one over the perplexity. It lies between 0 and 1,
so the bounds of a pass rate hold for it, and it rises when the NLL falls.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.shared.judges.judge import Exchange, Judgement
from components.shared.judges.word_overlap import graded
from components.shared.vocabulary import Verdict


@dataclass(frozen=True)
class LikelihoodJudge:
    """Reads the log-probability that was measured; `unscored` where it was not."""

    name: str = "likelihood"
    version: str = "1"

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """See `Judge.judge`."""
        return [self._judgement(exchange.reference_log_prob) for exchange in exchanges]

    def _judgement(self, log_prob: float | None) -> Judgement:
        if log_prob is None or not math.isfinite(log_prob):
            return Judgement(Verdict.UNSCORED, "the likelihood of the reference was not measured")
        return graded(min(1.0, math.exp(log_prob)), f"negative log-likelihood {-log_prob:.3f} nats per token")


LIKELIHOOD = LikelihoodJudge()
