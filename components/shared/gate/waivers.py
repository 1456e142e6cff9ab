"""Waivers: named categories pass without enough evidence, from the day of the waiver until it expires."""

from datetime import date

from components.shared.artifacts.decision import CategoryReason, Decision
from components.shared.config.policy import Policy


def waived(reason: CategoryReason, policy: Policy, decided_on: date) -> CategoryReason:
    """The reason after the policy's waiver.

    Only insufficient evidence can be waived, never a rejection or a review. A waiver that has expired, or
    does not hold yet, is mentioned, but has no effect.
    """
    waiver = policy.waiver
    if waiver is None or reason.decision is not Decision.INSUFFICIENT_EVIDENCE:
        return reason
    if waiver.categories and reason.category not in waiver.categories:
        return reason
    if decided_on > waiver.expires:
        expired = f"{reason.sentence} The waiver of {waiver.name} expired on {waiver.expires}."
        return reason.model_copy(update={"sentence": expired})
    if decided_on < waiver.granted:
        early = f"{reason.sentence} The waiver of {waiver.name} does not hold before {waiver.granted}."
        return reason.model_copy(update={"sentence": early})
    responsible = f"{waiver.name}, until {waiver.expires}: {waiver.reason}"
    return reason.model_copy(
        update={
            "decision": Decision.PROMOTE,
            "waived": responsible,
            "sentence": f"{reason.sentence} Waived by {responsible}",
        }
    )
