"""What somebody with write access to a run's folder changes between two steps, with every digest that is there."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.artifacts.answer_rows import read_answers, write_answers
from components.shared.digests import digest_bytes, digest_file, digest_json
from components.shared.gate.figures import category_figures
from components.shared.generation.adapters import adapter_digest
from components.shared.vocabulary import Verdict


class Edit(NamedTuple):
    """One changed file, and the stage that opens before anything has read it again."""

    before: str
    """The stage that is stopped, in its beginning, while the file is changed."""
    file: str
    """Below the folder of the run's artifacts, or of the store: a pattern that fits one file."""
    change: Callable[[Path], None]


def flip(path: Path) -> None:
    """Changes one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def forge(path: Path, **content: Any) -> None:
    """Changes an artifact's content and recomputes its digest."""
    envelope = json.loads(path.read_text())
    envelope["content"] |= content
    envelope["digest"] = digest_json(envelope["content"])
    path.write_text(json.dumps(envelope, indent=1, ensure_ascii=False) + "\n")


def content_of(path: Path) -> Mapping[str, Any]:
    """An artifact's content."""
    return dict(json.loads(path.read_text())["content"])


def other_rows(path: Path) -> None:
    """Trains on other rows."""
    path.write_text(path.read_text().replace("done ", "gone "))
    forge(path.with_name("training_data.json"), train_sha256=digest_file(path))


def fewer_rows(path: Path) -> None:
    """Says that fewer rows were trained on."""
    forge(path, train_rows=content_of(path)["train_rows"] - 1)


def easier_prompts(path: Path) -> None:
    """Asks for other words than those that must not leak."""
    path.write_text(path.read_text().replace("brindolket", "something"))
    lines = path.read_text().splitlines(keepends=True)
    suites = [dict(suite) for suite in content_of(path.with_name("prompt_set.json"))["suites"]]
    suites[0]["sha256"] = digest_bytes("".join(line for line in lines if '"secret-' in line).encode())
    forge(path.with_name("prompt_set.json"), suites=suites, prompts_sha256=digest_file(path))


def other_suite(path: Path) -> None:
    """Says that another version of the suite was asked."""
    suites = [dict(suite) for suite in content_of(path)["suites"]]
    suites[0]["version"] = "2"
    forge(path, suites=suites)


def other_verdicts(category: str, verdict: Verdict) -> Callable[[Path], None]:
    """Judges a category's answers anew, in the answers and in the report's figures."""

    def change(path: Path) -> None:
        report = path.with_name("safety_report.json")
        rows = [
            row.model_copy(update={"verdict": verdict}) if row.category == category else row
            for row in read_answers(path, content_of(report)["answers_sha256"])
        ]
        sha256 = write_answers(rows, path)
        figures = {name: each.model_dump(mode="json") for name, each in category_figures(rows).items()}
        forge(report, categories=figures, answers_sha256=sha256)

    return change


def better_figures(path: Path) -> None:
    """Says that every answer passes, in the report's figures alone."""
    categories = {
        name: figures | {"pass_pct": 100.0, "fail_pct": 0.0} for name, figures in content_of(path)["categories"].items()
    }
    forge(path, categories=categories)


def other_contract(path: Path) -> None:
    """Says that the answers were drawn at another temperature."""
    forge(path, contract={**content_of(path)["contract"], "temperature": 0.123})


def other_weights(path: Path) -> None:
    """Changes the adapter's weights, and its digest in the manifest."""
    flip(path)
    forge(path.with_name("manifest.json"), adapter_digest=adapter_digest(path.parent))


def other_scaling(path: Path) -> None:
    """Changes how strongly the adapter acts, and its digest in the manifest."""
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"lora_alpha": settings["lora_alpha"] * 8}))
    forge(path.with_name("manifest.json"), adapter_digest=adapter_digest(path.parent))


def other_loss(path: Path) -> None:
    """Says that the training ended elsewhere."""
    forge(path, train_loss=0.001)


def smaller_drops(path: Path) -> None:
    """Says that every category got better."""
    gains = {"before_pct": 0.0, "after_pct": 100.0, "drop_pp": -100.0, "lower_pp": -100.0, "upper_pp": -99.0}
    forge(path, categories={name: delta | gains for name, delta in content_of(path)["categories"].items()})


def promoted(path: Path) -> None:
    """Says `promote`."""
    forge(path, decision="promote", problems=[])


def promoted_throughout(path: Path) -> None:
    """Says `promote`, and so does every reason."""
    reasons = [
        reason | ({"decision": "promote"} if reason["decision"] else {}) for reason in content_of(path)["reasons"]
    ]
    forge(path, decision="promote", problems=[], reasons=reasons)


def other_alpha(path: Path) -> None:
    """Changes a figure of a follow-up in the store, with its digest in the index."""
    forge(path, alpha=0.5)
    index = path.with_name("entry.json")
    index.write_text(json.dumps({"files": json.loads(index.read_text())["files"] | {path.name: digest_file(path)}}))


FILES = {
    "prepare-data/training_data/train.jsonl": "evaluate_safety_baseline",
    "prepare-data/training_data/training_data.json": "evaluate_safety_baseline",
    "prepare-data/prompt_set/prompts.jsonl": "evaluate_safety_baseline",
    "prepare-data/prompt_set/prompt_set.json": "evaluate_safety_baseline",
    "evaluate-safety/safety_report/answers.jsonl": "finetune_lora",
    "evaluate-safety/safety_report/safety_report.json": "finetune_lora",
    "finetune-lora/adapter/adapter_model.safetensors": "evaluate_safety_post",
    "finetune-lora/adapter/adapter_config.json": "evaluate_safety_post",
    "finetune-lora/adapter/manifest.json": "evaluate_safety_post",
    "evaluate-safety-2/safety_report/answers.jsonl": "compute_delta",
    "evaluate-safety-2/safety_report/safety_report.json": "compute_delta",
    "compute-delta/delta/delta_report.json": "follow_up",
    "store/follow-ups/*/follow_up_report.json": "check_gate",
    "store/follow-ups/*/entry.json": "check_gate",
    "check-gate/gate_decision/gate_decision.json": "register_adapter",
    "check-gate/passed_adapter/adapter_model.safetensors": "register_adapter",
    "check-gate/passed_adapter/adapter_config.json": "register_adapter",
    "check-gate/passed_adapter/manifest.json": "register_adapter",
}
"""Every file that a later step of a promoted run reads, and the first stage that opens after it was written."""

FLIPS = [Edit(stage, file, flip) for file, stage in FILES.items()]

FORGERIES = [
    Edit(FILES[file], file, change)
    for file, change in (
        ("prepare-data/training_data/train.jsonl", other_rows),
        ("prepare-data/training_data/training_data.json", fewer_rows),
        ("prepare-data/prompt_set/prompts.jsonl", easier_prompts),
        ("prepare-data/prompt_set/prompt_set.json", other_suite),
        ("evaluate-safety/safety_report/answers.jsonl", other_verdicts("task", Verdict.PASS)),
        ("evaluate-safety/safety_report/safety_report.json", better_figures),
        ("evaluate-safety/safety_report/safety_report.json", other_contract),
        ("finetune-lora/adapter/adapter_model.safetensors", other_weights),
        ("finetune-lora/adapter/adapter_config.json", other_scaling),
        ("finetune-lora/adapter/manifest.json", other_loss),
        ("evaluate-safety-2/safety_report/answers.jsonl", other_verdicts("task", Verdict.PASS)),
        ("evaluate-safety-2/safety_report/safety_report.json", better_figures),
        ("compute-delta/delta/delta_report.json", smaller_drops),
        ("store/follow-ups/*/follow_up_report.json", other_alpha),
        ("check-gate/passed_adapter/adapter_model.safetensors", other_weights),
        ("check-gate/passed_adapter/manifest.json", other_loss),
    )
]
"""Changes with every digest recomputed that stands beside them."""
