"""Finds the modules of a language model that get LoRA: never its vision tower, its output layer or a router."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from components.shared.errors import ModelError

ALL = "all-linear"

_ROUTERS = frozenset({"gate", "router", "shared_expert_gate"})
"""Names of the modules that choose experts; tuned by few rows, they would send tokens to other experts."""


class LoraTargets(NamedTuple):
    """The modules that get LoRA.

    Attributes:
        modules: names for peft: last parts of names where they reach nothing else, otherwise whole names.
        kinds: last part of each name, and how many modules have it.
        experts: tensors of experts that are no linear layers, and so get no LoRA.
    """

    modules: list[str]
    kinds: dict[str, int]
    experts: int

    @property
    def sentence(self) -> str:
        """Says what is tuned, for the log."""
        listed = ", ".join(f"{kind} x {count}" for kind, count in self.kinds.items())
        unreached = (
            f"; {self.experts} tensors of experts are no linear layers and are not tuned" if self.experts else ""
        )
        return f"LoRA on {sum(self.kinds.values())} modules: {listed}{unreached}"


def find_targets(model: Any, names: Sequence[str]) -> LoraTargets:
    """The modules that get LoRA.

    Args:
        model: a causal language model, perhaps with a vision tower.
        names: names of modules as in peft (whole, or the last parts), or all-linear alone.

    Raises:
        ModelError: a name is of no module of the language model, or the model has no linear layers.
    """
    decoder = model.get_decoder()
    root = next(name for name, module in model.named_modules() if module is decoder)
    inside = [f"{root}.{name}".removeprefix(".") for name, _ in decoder.named_modules() if name]
    linear = _linear(model, inside)
    if list(names) == [ALL]:
        reached, short = linear, sorted({_last(name) for name in linear})
    else:
        for name in names:
            if not _named(inside, [name]):
                known = ", ".join(sorted({_last(module) for module in linear}))
                raise ModelError(
                    f"recipe.target_modules: {name!r} is no module of this model's language part; expected names among "
                    f"{known}, or {ALL} alone"
                )
        reached, short = _named(inside, names), list(names)
    if not reached:
        raise ModelError(f"recipe.target_modules: {ALL}, but this model has no linear layers; name its modules")
    experts = sum(weight.ndim > 2 and "experts" in name.split(".") for name, weight in decoder.named_parameters())
    everywhere = [name for name, _ in model.named_modules()]
    modules = short if _named(everywhere, short) == reached else reached
    return LoraTargets(modules, dict(Counter(map(_last, reached))), experts)


def _linear(model: Any, inside: Sequence[str]) -> list[str]:
    """The linear layers among these modules, without routers."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    modules = dict(model.named_modules())
    return [
        name for name in inside if isinstance(modules[name], Linear | Conv1D) and not _ROUTERS & set(name.split("."))
    ]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _named(modules: Sequence[str], names: Sequence[str]) -> list[str]:
    return [module for module in modules if any(module == name or module.endswith(f".{name}") for name in names)]
