"""Torch's shared libraries, loaded ahead of its import: in a thread that does not hold Python's lock, while the window is being painted.

A quarter of torch's import is the loading of its libraries, through which Python holds its lock and the window stands still. Once they are
in the process, the import finds them there.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import threading
from pathlib import Path

LIBRARIES = ("libtorch_global_deps.so", "libtorch.so")
"""The libraries in the order in which torch's import loads them; the second brings those for the CPU and for CUDA. They use no Python."""


def load_ahead() -> threading.Thread | None:
    """Begin to load torch's libraries; return the thread that does it, or None on systems other than Linux and without torch.

    Where a library cannot be loaded, nothing is said: torch's import tries it again, and reports what is wrong.
    """
    spec = importlib.util.find_spec("torch") if sys.platform.startswith("linux") else None
    if spec is None or spec.origin is None:
        return None
    thread = threading.Thread(target=_load, args=(Path(spec.origin).with_name("lib"),), name="torch's libraries")
    thread.start()  # no daemon: the process must not exit while a library is being initialised
    return thread


def _load(folder: Path) -> None:
    # A function called through ctypes runs without Python's lock; ctypes.CDLL(path) would hold the lock while it loads.
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in LIBRARIES:
        load(os.fsencode(folder / name), os.RTLD_NOW | os.RTLD_GLOBAL if name == LIBRARIES[0] else os.RTLD_NOW)
