"""Makes adapters whose update is an exact weighted sum of two LoRA updates.

A LoRA update is s B A with s = alpha / r. A weighted sum w1 s1 B1 A1 + w2 s2 B2 A2 is the product of
[w1 s1 B1, w2 s2 B2] and [A1; A2]: an adapter of rank r1 + r2 with scale 1, so nothing is approximated. A single update
keeps its rank, and its B is multiplied.
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
"""Settings of a plain LoRA adapter, whose update is s B A with one s and one r; also the values of missing settings."""


class Adapter(NamedTuple):
    """A LoRA adapter on disk, with its manifest."""

    directory: Path
    manifest: AdapterManifest
    config: dict[str, Any]

    @property
    def scale(self) -> float:
        """The factor s of B A: alpha / r, or alpha / sqrt(r) for a rank-stabilised adapter."""
        rank = int(self.config["r"])
        return float(self.config["lora_alpha"]) / (math.sqrt(rank) if self.config.get("use_rslora") else rank)


class Dose(NamedTuple):
    """An adapter and the weight of its update in a mutant."""

    name: str
    adapter: Adapter
    weight: float


def read_adapter(directory: Path) -> Adapter:
    """Reads an adapter that finetune_lora wrote.

    Raises:
        ConfigError: files are missing, or it is not a plain LoRA adapter, so its update cannot be added exactly.
        IntegrityError: the files do not have the digest in the manifest.
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
        raise ConfigError(f"{directory}: not a plain LoRA adapter ({odd}); its update cannot be added exactly")
    return Adapter(directory, manifest, config)


def make_mutant(doses: Sequence[Dose], data_digest: str, policy_digest: str, target: Path) -> AdapterManifest:
    """Writes the weighted sum of the adapters' updates as an adapter with a manifest.

    The manifest names the base of the sources, and the data and policy of this calibration, so that the gate accepts
    it; `inputs` names the sources, their data and their weights.

    Args:
        doses: adapters of one base model with their weights; weights of 0 are left out.
        data_digest: digest of the training rows in the gate's evidence.
        policy_digest: digest of the policy.
        target: receives the adapter's files and manifest.json.

    Raises:
        ConfigError: every weight is 0, or the adapters have different base models or target modules.
    """
    from safetensors.torch import save_file

    used = [dose for dose in doses if dose.weight]
    if not used:
        raise ConfigError("every weight of the mutant is 0; expected at least one other than 0")
    first = used[0].adapter
    for dose in used[1:]:
        if dose.adapter.manifest.base_digest != first.manifest.base_digest:
            raise ConfigError(f"{dose.adapter.directory} and {first.directory}: trained on different base models")
        if set(dose.adapter.config["target_modules"]) != set(first.config["target_modules"]):
            raise ConfigError(f"{dose.adapter.directory} and {first.directory}: have different target modules")
    weights = _scaled(used[0], used[0].weight) if len(used) == 1 else _sum(used)
    config = dict(first.config)
    if len(used) > 1:
        rank = sum(int(dose.adapter.config["r"]) for dose in used)
        config |= {"r": rank, "lora_alpha": rank, "use_rslora": False}
    target.mkdir(parents=True, exist_ok=True)
    (target / ADAPTER_FILES[0]).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    save_file(tensors, target / ADAPTER_FILES[1], {"format": "pt"})
    manifest = first.manifest.model_copy(
        update={
            "data_digest": data_digest,
            "policy_digest": policy_digest,
            "adapter_digest": adapter_digest(target),
            "trainable_parameters": sum(tensor.numel() for tensor in tensors.values()),
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
        raise ConfigError(f"{adapter.directory}: holds {strange[0]!r}, which is not part of a plain LoRA update")
    return weights


def _scaled(dose: Dose, factor: float) -> "dict[str, torch.Tensor]":
    """The adapter's weights in float32, every B multiplied by the factor."""
    return {
        name: tensor.float() * (factor if name.endswith(_UP) else 1.0) for name, tensor in _load(dose.adapter).items()
    }


def _sum(doses: Sequence[Dose]) -> "dict[str, torch.Tensor]":
    """A stacked on A, B (times scale and weight) beside B; zeros for a module that an adapter does not have."""
    import torch

    parts: list[Mapping[str, torch.Tensor]] = [_scaled(dose, dose.weight * dose.adapter.scale) for dose in doses]
    shapes = {name: tensor.shape for part in parts for name, tensor in part.items()}
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
