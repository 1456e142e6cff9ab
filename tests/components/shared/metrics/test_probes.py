"""Packaging of the numbers that need a model."""

import pytest

from components.shared.errors import ModelError
from components.shared.metrics.probes import probe_metrics


def _found(metrics):
    return {(metric.name, metric.category): (metric.value, metric.count) for metric in metrics}


def test_means_and_counts():
    """Refusals by category and pooled over prompts, KL by kind and their difference, and the task's references."""
    metrics = probe_metrics(
        {"indirect": [4.0], "direct": [1.0, 1.0]}, {"harmful": [0.5, 1.5], "benign": [0.25], "task": [2.0]}, [0.5, 1.5]
    )
    assert _found(metrics) == {
        ("probe/refusal_nll", "all"): (2.0, 3),
        ("probe/refusal_nll", "direct"): (1.0, 2),
        ("probe/refusal_nll", "indirect"): (4.0, 1),
        ("probe/kl_first_tokens", "benign"): (0.25, 1),
        ("probe/kl_first_tokens", "harmful"): (1.0, 2),
        ("probe/kl_first_tokens", "task"): (2.0, 1),
        ("probe/kl_first_tokens_gap", "all"): (0.75, 3),
        ("probe/task_nll", "task"): (1.0, 2),
    }


def test_what_was_not_computed_is_absent():
    """Empty sequences give no number, and one kind of prompt alone has no gap."""
    assert probe_metrics({"direct": []}, {}, []) == ()
    assert _found(probe_metrics({}, {"harmful": [1.0], "benign": []}, [])) == {
        ("probe/kl_first_tokens", "harmful"): (1.0, 1)
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value):
    """NaN and infinity are the model's error, named with the metric."""
    with pytest.raises(ModelError, match="probe/refusal_nll"):
        probe_metrics({"direct": [1.0, value]}, {}, [])
