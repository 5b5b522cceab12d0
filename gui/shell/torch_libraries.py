"""Torch's shared libraries, loaded without Python's lock before torch is imported, while the window's thread builds the panels.

A quarter of torch's import is the loading of its libraries, through which Python holds its lock and the window stands still. Once they are
in the process, the import finds them there.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path

LIBRARIES = ("libtorch_global_deps.so", "libtorch.so")
"""The libraries in the order in which torch's import loads them; the second brings those for the CPU and for CUDA. They use no Python."""


def load_libraries() -> None:
    """Load torch's libraries; do nothing on systems other than Linux and without torch. Called in the engine thread.

    Where they cannot be found or loaded, nothing is said, whatever the reason: this saves time only, and torch's import, which comes
    next, finds and loads them itself and reports what is wrong.
    """
    with suppress(Exception):
        _load()


def _load() -> None:
    spec = importlib.util.find_spec("torch") if sys.platform.startswith("linux") else None
    if spec is None or spec.origin is None:
        return
    # A function called through ctypes runs without Python's lock; ctypes.CDLL(path) would hold the lock while it loads.
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in LIBRARIES:
        path = os.fsencode(Path(spec.origin).with_name("lib") / name)
        load(path, os.RTLD_NOW | os.RTLD_GLOBAL if name == LIBRARIES[0] else os.RTLD_NOW)
