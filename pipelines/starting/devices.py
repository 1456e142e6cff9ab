"""The GPUs of this machine as torch sees them, and its memory."""

from importlib.util import find_spec
from typing import NamedTuple

import psutil


class Device(NamedTuple):
    """What a model may be loaded on: its name, and its memory in bytes, all and free."""

    name: str
    total: int
    free: int


def gpus() -> list[Device]:
    """The GPUs; none without torch."""
    if find_spec("torch") is None:
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    found = []
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        found.append(Device(torch.cuda.get_device_name(number), total, free))
    return found


def main_memory() -> Device:
    """The machine's own memory, for models without a GPU."""
    memory = psutil.virtual_memory()
    return Device("main memory", memory.total, memory.available)
