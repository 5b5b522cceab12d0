"""Several processes of one command, as ``torchrun`` starts them: they meet, each takes a device of its own, and the first one speaks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def together() -> Iterator[bool]:
    """Join the processes that ``torchrun`` has started, and yield whether this one is the first, or the only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield True
        return
    import torch
    from torch import distributed

    if torch.accelerator.is_available():  # messages between processes go by the device that is current
        torch.accelerator.set_device_index(int(os.environ.get("LOCAL_RANK", "0")) % torch.accelerator.device_count())
    distributed.init_process_group()
    try:
        yield distributed.get_rank() == 0
    finally:
        distributed.destroy_process_group()


def own_device(device: str | None) -> str | None:
    """Return the device of this process: the given one, or else its number of the host's accelerators, where there are some."""
    if device is not None or "LOCAL_RANK" not in os.environ:
        return device
    from engine.devices import accelerator, devices

    found = accelerator()
    return None if found is None else f"{found.type}:{int(os.environ['LOCAL_RANK']) % (len(devices()) - 1)}"
