"""The evidence bundle: all that a decision rests on, in one folder, for `plimsoll verify`, `replay` and `review`.

policy.json  training_data.json  prompt_set.json  prompts.jsonl  delta_report.json  gate_decision.json
baseline/    safety_report.json  answers.jsonl
post/        safety_report.json  answers.jsonl
follow_up/   follow_up_report.json, and the rows of fresh answers if any were asked
review_queue.jsonl, only of needs_review: what to review; the decision holds its digest (queue_sha256)
adapter/     manifest.json, and the adapter's two files unless it was promoted: then the registered version has them
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.shared.artifacts.decision import Decision
from components.shared.config.policy import Policy
from components.shared.generation.adapters import ADAPTER_FILES

FOLDER = "evidence"
_FILES = {
    "training_data": ("training_data.json",),
    "prompt_set": ("prompt_set.json", "prompts.jsonl"),
    "delta": ("delta_report.json",),
    "decision": ("gate_decision.json",),
}
_FOLDERS = {
    "baseline": ("safety_report.json", "answers.jsonl"),
    "post": ("safety_report.json", "answers.jsonl"),
}


def lay_out(sources: Mapping[str, Path], policy: Policy, decision: Decision, target: Path) -> None:
    """Copies the evidence of a decision into one folder.

    Args:
        sources: directory of each of training_data, prompt_set, delta, decision, baseline, post, follow_up and adapter.
        policy: the rules.
        decision: the decision; if it is promote, the adapter's files are left out.
        target: an empty directory.
    """
    text = json.dumps(policy.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (target / "policy.json").write_text(f"{text}\n", encoding="utf-8")
    for source, names in _FILES.items():
        for name in names:
            shutil.copyfile(sources[source] / name, target / name)
    for source, names in _FOLDERS.items():
        _copy(sources[source], names, target / source)
    _copy(sources["follow_up"], (path.name for path in sources["follow_up"].iterdir()), target / "follow_up")
    kept = () if decision is Decision.PROMOTE else ADAPTER_FILES
    _copy(sources["adapter"], ("manifest.json", *kept), target / "adapter")


def _copy(source: Path, names: Iterable[str], target: Path) -> None:
    target.mkdir()
    for name in names:
        shutil.copyfile(source / name, target / name)
