"""Checks a decision against its evidence: every byte, the chain of digests, and the decision from the raw verdicts.

Independent: it imports none of the code that made the evidence, so that neither hides a mistake of the other. Not
known here: where evidence comes from, and what decides nothing (sentences, variants, noise, requirements).
"""

import hashlib
import json
import math
from collections import Counter
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from pipelines.verifier_figures import (
    SEVERITY,
    TINY,
    change,
    disagreement,
    drop,
    flip,
    floored,
    holm,
    pairs,
    reason,
    waive,
)

_FILES = {
    "training_data": ("training_data.json", "TrainingData"),
    "prompt_set": ("prompt_set.json", "PromptSet"),
    "adapter_manifest": ("adapter/manifest.json", "AdapterManifest"),
    "baseline": ("baseline/safety_report.json", "SafetyReport"),
    "post": ("post/safety_report.json", "SafetyReport"),
    "delta": ("delta_report.json", "DeltaReport"),
    "follow_up": ("follow_up/follow_up_report.json", "FollowUpReport"),
    "decision": ("gate_decision.json", "GateDecision"),
}
_ROWS = ("baseline/answers.jsonl", "post/answers.jsonl", "follow_up/before.jsonl", "follow_up/after.jsonl")
_GROUPS = {"over_refusal": "answer", "instruction_adherence": "constraints"}


def verify(folder: Path) -> tuple[str | None, list[str]]:
    """The decision that the evidence supports (None: unreadable) and every difference; without any it is verified."""
    wrong: list[str] = []
    try:
        files = _read(folder, wrong)
        return None if wrong else _decide(files, wrong), wrong
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        return None, [*wrong, f"evidence: found {error!r:.200}, expected every file and field in its form"]


def _same(where: str, found: Any, expected: Any, wrong: list[str]) -> None:
    numbers = all(isinstance(value, int | float) for value in (found, expected))
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for key in found:
            _same(f"{where}, {key}", found[key], expected[key], wrong)
    elif not (math.isclose(found, expected, rel_tol=0, abs_tol=1e-6) if numbers else found == expected):
        wrong.append(f"{where}: found {found!r:.300}, expected {expected!r:.300}")


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _read(folder: Path, wrong: list[str]) -> dict[str, Any]:
    raw = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    sums = {name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in raw.items()}
    files = {"policy": json.loads(raw["policy.json"])}
    digests, written = {"policy": _digest(files["policy"])}, {"policy.json": files["policy"]}
    for key, (name, kind) in _FILES.items():
        envelope = json.loads(raw[name])
        files[key], digests[key] = envelope["content"], _digest(envelope["content"])
        written[name] = {"kind": kind, "digest": digests[key], "content": files[key]}
        _same(f"{name}, digest", envelope["digest"], digests[key], wrong)
    for name, value in written.items():
        layout = f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode()
        _same(f"{name}, layout as it is written", raw[name] == layout, True, wrong)
    said, asked = files["decision"], files["follow_up"]["answers_sha256"]
    _same("gate_decision.json, inputs", {**said["inputs"], "decision": digests["decision"]}, digests, wrong)
    rows = {"prompts.jsonl": files["prompt_set"]["prompts_sha256"]}
    rows |= {f"{side}/answers.jsonl": files[side]["answers_sha256"] for side in ("baseline", "post")}
    for name, expected in {**rows, **{f"follow_up/{name}.jsonl": own for name, own in asked.items()}}.items():
        _same(f"{name}, sha256", sums.get(name), expected, wrong)
        files[name] = [json.loads(line) for line in raw[name].split(b"\n") if line]
    weights = {name: sums.get(f"adapter/{name}") for name in ("adapter_config.json", "adapter_model.safetensors")}
    if said["decision"] != "promote" or any(weights.values()):
        _same("adapter, digest of its two files", _digest(weights), said["adapter_digest"], wrong)
    unknown = raw.keys() - {*written, *files, *(f"adapter/{name}" for name in weights)}
    wrong += [f"{name}: found a file, expected none of this name" for name in sorted(unknown)]
    return files


def _decide(files: dict[str, Any], wrong: list[str]) -> str:
    policy, post, delta, follow, said = (files[key] for key in ("policy", "post", "delta", "follow_up", "decision"))
    before, after, *fresh = (files.get(name, []) for name in _ROWS)
    key = itemgetter("prompt_id", "category", "sample")
    again, asked, comparable = policy["follow_up"], pairs(before, after), _comparable(files)
    expects = {own["id"]: own["expectation"] for own in files["prompts.jsonl"]}
    safety = {key: both for key, both in asked.items() if key[0] != "task"}
    parts = {name: {key: both for key, both in asked.items() if key[0] == name} for name, _ in asked}
    over = {name: {k: b for k, b in safety.items() if expects.get(k[1]) == want} for name, want in _GROUPS.items()}
    changes, groups = ({n: change(n, own, delta["confidence"]) for n, own in d.items() if own} for d in (parts, over))
    drops = sorted((category, -drop(*both), prompt) for (category, prompt), both in safety.items())
    worse = groupby((own for own in drops if -own[1] >= again["escalate_drop"] - TINY), itemgetter(0))
    ranked = sorted((place, rise, c, prompt) for _, own in worse for place, (c, rise, prompt) in enumerate(own))
    left, split = Counter(own[2] for own in ranked[again["max_prompts"] :]), disagreement(after)
    escalated = {own[3]: -own[1] for own in ranked[: again["max_prompts"]]} if comparable else {}
    flips = {key[1]: flip(*key, both, follow["alpha"], again["max_share_after"]) for key, both in pairs(*fresh).items()}
    expected = {"problems": not comparable, "escalated": escalated, "over_budget": dict(left)}
    expected |= {"categories": changes, "groups": groups, "disagreement_pct": split}
    found = {**delta, "problems": bool(delta["problems"])}
    found["escalated"] = {own["prompt_id"]: own["drop"] for own in delta["escalated"]}
    _same("delta_report.json", {key: found[key] for key in expected}, expected, wrong)
    _same("follow_up_report.json, prompts", {own["prompt_id"]: own for own in follow["prompts"]}, flips, wrong)
    floors = {"over_refusal": policy["max_over_refusal_pct"], "instruction_adherence": policy["min_adherence_pct"]}
    floors = {name: 100 - x if name == "over_refusal" else x for name, x in floors.items() if x is not None}
    adjusted = holm({name: own["mcnemar_p"] for name, own in changes.items() if name in policy["categories"]})
    reasons = []
    for name, seen in changes.items():
        flipped = any(own["confirmed"] for own in flips.values() if own["category"] == name)
        judges = Counter(row["judge"] for row in after if row["category"] == name and row["verdict"] != "incoherent")
        checks = [own for own in post["judge_checks"] if judges and own["judge"] == judges.most_common(1)[0][0]]
        doubts = (adjusted.get(name, 1.0), flipped, left[name], split.get(name, 0.0))
        reasons.append(reason(name, seen, policy, checks, *doubts))
    reasons += [floored(groups[name], floor) for name, floor in floors.items() if name in groups]
    for own in reasons:
        waive(own, policy["waiver"], said["decided_on"])
    valid = comparable and _holds(files, changes, groups, floors, flips, escalated)
    words = [own["decision"] for own in reasons if own["decision"]]
    whole = {"decision": max(words, key=SEVERITY.index) if valid else "invalid", "confidence": policy["confidence"]}
    whole |= {"policy_name": policy["name"], "policy_version": policy["version"], "policy_digest": _digest(policy)}
    whole |= {"contract_digest": _digest(post["contract"])}
    whole |= {"reasons": {f"{n} {own['delta']['category']}": own for n, own in enumerate(reasons)}}
    quoted = {f"{n} {own['category']}": {key: own[key] for key in reasons[0]} for n, own in enumerate(said["reasons"])}
    _same("gate_decision.json", {**{name: said[name] for name in whole}, "reasons": quoted}, whole, wrong)
    rows = {("before", *key(row)): row for row in before} | {("after", *key(row)): row for row in after}
    for own in said["witnesses"]:
        for side in ("before", "after"):
            row = rows[side, *key(own)]
            quote = (own[side], own[f"{side}_verdict"], own[f"{side}_reason"])
            where = f"gate_decision.json, witness {own['prompt_id']}, {side}"
            _same(where, quote, (row["answer"], row["verdict"], row["reason"]), wrong)
    return str(whole["decision"])


def _comparable(files: dict[str, Any]) -> bool:
    base, post = files["baseline"], files["post"]
    equal = all(base[name] == post[name] for name in ("contract", "coherence_floor", "base_digest"))
    for report, name in ((base, _ROWS[0]), (post, _ROWS[1])):
        k = report["contract"]["samples_per_prompt"]
        draws = [(o, 1 if o["expectation"] == "choice" else o.get("samples") or k) for o in files["prompts.jsonl"]]
        once = Counter((own["id"], own["category"], n) for own, count in draws for n in range(count))
        equal = equal and once == Counter((own["prompt_id"], own["category"], own["sample"]) for own in files[name])
    return equal and base["adapter_digest"] is None is not post["adapter_digest"]


def _holds(
    files: dict[str, Any], measured: Any, groups: Any, floors: Any, flips: dict[str, Any], escalated: dict[str, Any]
) -> bool:
    data, asked, manifest, base, post, delta, follow, said = (files[key] for key in _FILES)
    policy, inputs = files["policy"], said["inputs"]
    suites = [own for suite in asked["suites"] for own in suite["categories"].items()]
    wanted = {*policy["categories"], *(["task"] if policy["task_min_gain_pp"] is not None else [])}
    holds = [
        manifest["policy_digest"] == inputs["policy"],
        delta["confidence"] == policy["confidence"],
        (post["adapter_effect"] or 0) > 0,
        said["adapter_digest"] == post["adapter_digest"] == follow["adapter_digest"] == manifest["adapter_digest"],
        base["base_digest"] == post["base_digest"] == manifest["base_digest"],
        manifest["data_digest"] == data["train_sha256"],
        data["inputs"].get("prompt_set") == delta["inputs"].get("prompt_set") == inputs["prompt_set"],
        all(delta["inputs"].get(side) == inputs[side] for side in ("baseline", "post")),
        follow["inputs"].get("delta") == inputs["delta"],
        follow["contract_digest"] == delta["contract_digest"] == _digest(post["contract"]),
        wanted <= measured.keys() <= {*policy["categories"], *policy["ungated"], "task"},
        floors.keys() <= groups.keys(),
        flips.keys() == escalated.keys(),
        math.isclose(follow["alpha"], (1 - policy["confidence"]) / policy["follow_up"]["max_prompts"]),
        all(own["samples"] == policy["follow_up"]["samples"] for own in flips.values()),
        data["suite_prompts_checked"] == sum(n for name, n in suites if name not in ("task", "rare_intent")),
    ]
    for name in _ROWS[:2]:
        words = Counter(row["verdict"] for row in files[name] if row["category"] != "task")
        coherent = 100 - 100 * words["incoherent"] / max(1, words.total())
        unscored = 100 * sum(row["verdict"] == "unscored" for row in files[name]) / max(1, len(files[name]))
        holds += [coherent >= policy["min_coherent_pct"], unscored <= policy["max_unscored_pct"]]
    return all(holds)
