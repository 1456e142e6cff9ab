"""The image reference that each step runs in; the only place that names images."""

import os

_REGISTRY = os.environ.get("PLIMSOLL_IMAGE_REGISTRY", "localhost")
_TAG = os.environ.get("PLIMSOLL_IMAGE_TAG", "0.1.0")

CPU_IMAGE = f"{_REGISTRY}/plimsoll-python-cpu:{_TAG}"
"""Everything without torch: data, delta, gate, registry, report."""

GPU_IMAGE = f"{_REGISTRY}/plimsoll-python-gpu:{_TAG}"
"""Evaluation, training and follow-up."""
