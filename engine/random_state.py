"""The global random states of Python, NumPy and torch, which the inspection of a network must not change."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def random_states(device: torch.device) -> bytes:
    """Return all states (torch's on the CPU and on ``device``) as bytes that differ once a number has been drawn."""
    held = [torch.get_rng_state()]
    if device.type != "cpu":
        held.append(torch.get_device_module(device).get_rng_state(device))
    numpy = pickle.dumps(np.random.get_state())  # noqa: NPY002 (strangers draw from the global state)
    return b"".join([repr(random.getstate()).encode(), numpy, *(state.numpy().tobytes() for state in held)])


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Restore all states (torch's on the CPU and on ``device``) when the block ends."""
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    backend = None if device.type == "cpu" else torch.get_device_module(device)
    own = None if backend is None else backend.get_rng_state(device)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if backend is not None:
            backend.set_rng_state(own, device)
