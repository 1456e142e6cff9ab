"""Makes adapters whose update is an exact weighted sum of two LoRA updates.

A LoRA update is s B A with s = alpha / r. A weighted sum w1 s1 B1 A1 + w2 s2 B2 A2 is the product of
[w1 s1 B1, w2 s2 B2] and [A1; A2]: an adapter of rank r1 + r2 with scale 1, so nothing is approximated. One update
alone keeps its rank, and its B is multiplied. This module does not know what the sum will do to a model.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.shared.artifacts.training_data import AdapterManifest
from components.shared.errors import ConfigError, IntegrityError
from components.shared.generation.adapters import ADAPTER_FILES, adapter_digest

if TYPE_CHECKING:
    import torch

_DOWN, _UP = "lora_A.weight", "lora_B.weight"
_PLAIN = {
    "use_dora": False,
    "lora_bias": False,
    "bias": "none",
    "modules_to_save": None,
    "rank_pattern": {},
    "alpha_pattern": {},
    "layers_to_transform": None,
    "fan_in_fan_out": False,
    "trainable_token_indices": None,
    "target_parameters": None,
}
"""Settings under which an update is s B A with one s and one r; a missing one has this value."""


class Adapter(NamedTuple):
    """A LoRA adapter on disk, with its origin."""

    directory: Path
    manifest: AdapterManifest
    config: dict[str, Any]

    @property
    def scale(self) -> float:
        """What B A is multiplied with: alpha / r, or alpha / sqrt(r) where it is rank-stabilised."""
        rank = int(self.config["r"])
        return float(self.config["lora_alpha"]) / (math.sqrt(rank) if self.config.get("use_rslora") else rank)


class Dose(NamedTuple):
    """How much of an adapter's update goes into a mutant."""

    name: str
    adapter: Adapter
    weight: float


def read_adapter(directory: Path) -> Adapter:
    """An adapter that finetune_lora wrote.

    Raises:
        ConfigError: it is not one, or not a plain LoRA adapter, whose updates cannot be added exactly.
        IntegrityError: its files are not the ones that its manifest describes.
    """
    missing = [name for name in (*ADAPTER_FILES, "manifest.json") if not (directory / name).is_file()]
    if missing:
        raise ConfigError(
            f"{directory}: holds no {missing[0]}; expected the directory of an adapter that finetune_lora wrote"
        )
    manifest = AdapterManifest.load(directory / "manifest.json")
    if adapter_digest(directory) != manifest.adapter_digest:
        raise IntegrityError(f"{directory}: the adapter is not the one that its manifest describes")
    config = json.loads((directory / ADAPTER_FILES[0]).read_text(encoding="utf-8"))
    odd = {key: config[key] for key, plain in _PLAIN.items() if config.get(key, plain) not in (plain, None, [], {})}
    if odd or config.get("peft_type") != "LORA":
        raise ConfigError(f"{directory}: is not a plain LoRA adapter ({odd}); its updates cannot be added exactly")
    return Adapter(directory, manifest, config)


def make_mutant(doses: Sequence[Dose], data_digest: str, policy_digest: str, target: Path) -> AdapterManifest:
    """Writes the weighted sum of the adapters' updates as an adapter with a manifest.

    The manifest names what the mutant is checked with, not training of its own: the base that its sources were trained
    on, this calibration's data and policy; `inputs` names sources, weights and the sources' data.

    Args:
        doses: of adapters of one base; weights of 0 are left out.
        data_digest: digest of the training rows that the gate is shown.
        policy_digest: of the policy in force.
        target: receives the adapter's files and manifest.json.

    Raises:
        ConfigError: no weight differs from 0, or the adapters belong to different bases or act on different modules.
    """
    from safetensors.torch import save_file

    used = [dose for dose in doses if dose.weight]
    if not used:
        raise ConfigError("every weight of the mutant is 0; expected one adapter at least")
    first = used[0].adapter
    for dose in used[1:]:
        if dose.adapter.manifest.base_digest != first.manifest.base_digest:
            raise ConfigError(f"{dose.adapter.directory} and {first.directory}: were trained on different base models")
        if set(dose.adapter.config["target_modules"]) != set(first.config["target_modules"]):
            raise ConfigError(f"{dose.adapter.directory} and {first.directory}: act on different modules")
    weights = _scaled(used[0], used[0].weight) if len(used) == 1 else _sum(used)
    config = dict(first.config)
    if len(used) > 1:
        rank = sum(int(dose.adapter.config["r"]) for dose in used)
        config |= {"r": rank, "lora_alpha": rank, "use_rslora": False}
    target.mkdir(parents=True, exist_ok=True)
    (target / ADAPTER_FILES[0]).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    save_file({name: own.contiguous() for name, own in weights.items()}, target / ADAPTER_FILES[1], {"format": "pt"})
    manifest = first.manifest.model_copy(
        update={
            "data_digest": data_digest,
            "policy_digest": policy_digest,
            "adapter_digest": adapter_digest(target),
            "trainable_parameters": sum(own.numel() for own in weights.values()),
            "inputs": {
                key: value
                for dose in used
                for key, value in (
                    (f"{dose.name}_adapter", dose.adapter.manifest.adapter_digest),
                    (f"{dose.name}_data", dose.adapter.manifest.data_digest),
                    (f"{dose.name}_weight", f"{dose.weight:.9g}"),
                )
            },
        }
    )
    manifest.save(target / "manifest.json")
    return manifest


def _load(adapter: Adapter) -> "dict[str, torch.Tensor]":
    from safetensors.torch import load_file

    weights: dict[str, torch.Tensor] = load_file(adapter.directory / ADAPTER_FILES[1])
    if strange := [name for name in weights if not name.endswith((_DOWN, _UP))]:
        raise ConfigError(f"{adapter.directory}: holds {strange[0]!r}, which is no part of a plain LoRA update")
    return weights


def _scaled(dose: Dose, factor: float) -> "dict[str, torch.Tensor]":
    """The adapter's weights in 32 bits, every B multiplied."""
    return {
        name: own.float() * factor if name.endswith(_UP) else own.float() for name, own in _load(dose.adapter).items()
    }


def _sum(doses: Sequence[Dose]) -> "dict[str, torch.Tensor]":
    """A stacked over A, B beside B with scale and weight in it; a module that one adapter lacks gets zeros there."""
    import torch

    parts: list[Mapping[str, torch.Tensor]] = [_scaled(dose, dose.weight * dose.adapter.scale) for dose in doses]
    shapes = {name: own.shape for part in parts for name, own in part.items()}
    ranks = [int(dose.adapter.config["r"]) for dose in doses]
    summed = {}
    for name, shape in shapes.items():
        down = name.endswith(_DOWN)
        blocks = [
            part.get(name, torch.zeros((rank, shape[1]) if down else (shape[0], rank)))
            for part, rank in zip(parts, ranks, strict=True)
        ]
        summed[name] = torch.cat(blocks, dim=0 if down else 1)
    return summed
