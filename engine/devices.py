"""Devices, thread counts and versions: the surroundings that a result records to be made again."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable
from functools import cache

import torch

from engine.errors import GibbonError, names_memory

_PACKAGES = ("gibbon-workbench", "torch", "torchvision", "numpy", "pydantic")


def keep_freed_memory() -> None:
    """Let the C library keep freed memory for the next tensor instead of giving it back to the system.

    glibc gives back every block above a threshold that grows with the largest block freed so far, up to 32 MB. Until one has been freed,
    each tensor between 128 KB and that size maps its pages again: on a CPU four fifths of an addition of 100 digits, and half of their
    convolution. One block of 28 MB that is never touched, made and freed, is enough; other C libraries are not harmed by it.
    """
    torch.empty(28 << 20, dtype=torch.uint8)


def accelerator() -> torch.device | None:
    """Return the accelerator that torch can use here (CUDA, Apple's MPS, Intel's XPU, ...), without a number; None: none."""
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None


def device_of(wanted: torch.device | str | None = None) -> torch.device:
    """Return the device with its number, so that "cuda" and "cuda:0" are equal. None: the accelerator where there is one, else the CPU.

    Raises
    ------
    GibbonError
        The name is no device, or this computer lacks it.
    """
    found = accelerator()
    try:
        device = torch.device(wanted if wanted is not None else found or "cpu")
    except (RuntimeError, TypeError):
        raise GibbonError(f"“{wanted}” is no device. There is: {_listed()}.") from None
    if device.type == "cpu":
        return torch.device("cpu")
    if found is None:
        raise GibbonError(f"There is no device “{device}” here: torch finds no GPU. Leave the device out, or give cpu.")
    if device.index is None:
        device = torch.device(device.type, torch.accelerator.current_device_index())
    if device not in devices():
        raise GibbonError(f"There is no device “{device}” here. There is: {_listed()}.")
    return device


def devices() -> list[torch.device]:
    """Return every device that can be chosen, the CPU first."""
    found = accelerator()
    numbered = [] if found is None else [torch.device(found.type, number) for number in range(torch.accelerator.device_count())]
    return [torch.device("cpu"), *numbered]


def _listed() -> str:
    return ", ".join(str(device) for device in devices())


def name_of(device: torch.device) -> str:
    """Return the accelerator's product name, such as “NVIDIA H200”, or the backend's name where it reports none."""
    named: Callable[[torch.device], str] | None = getattr(torch.get_device_module(device), "get_device_name", None)
    return device.type.upper() if named is None else named(device)


def describe(device: torch.device) -> str:
    """Describe the device: the accelerator's name, or the CPU with its threads."""
    if device.type != "cpu":
        return name_of(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"


def release_memory(device: torch.device) -> None:
    """Release memory that torch caches, before a retry with less after an out-of-memory error."""
    if device.type != "cpu":
        torch.accelerator.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that the device ran out of memory.

    CUDA has a type for it; Apple's and the CPU's raise ``RuntimeError``.
    """
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (isinstance(error, RuntimeError) and names_memory(str(error)))


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the numbers."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


keep_freed_memory()


def precise(device: torch.device) -> torch.dtype:
    """Return the data type for geometry on a device: float64 on the CPU, float32 elsewhere, since Apple's GPUs know no float64."""
    return torch.float64 if device.type == "cpu" else torch.float32
