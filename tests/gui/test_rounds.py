"""Windows that are opened, run an attack, are scrubbed and closed leave nothing behind. ``tests.benchmarks.timeline`` weighs the memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import gc, json
from collections import Counter
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from tests.benchmarks.timeline import round_of_a_window

app = QApplication([])

def living():
    gc.collect()
    kinds = (type(each) for each in gc.get_objects())
    ours = Counter(f"{kind.__module__}.{kind.__name__}" for kind in kinds if str(kind.__module__).partition(".")[0] in ("gui", "engine"))
    return ours + Counter({"widgets": len(app.allWidgets()), "children of the application": len(app.findChildren(QObject))})

for _ in range(2):  # caches fill
    round_of_a_window()
before = living()
for _ in range(4):
    round_of_a_window()
print("left", json.dumps(living() - before))
"""


@pytest.mark.slow
def test_closed_windows_leave_nothing_behind() -> None:
    """In a process of its own, since the tests' fixtures remember the threads that began."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert said.returncode == 0, said.stderr[-2000:]
    (line,) = (line for line in said.stdout.splitlines() if line.startswith("left"))
    assert json.loads(line.removeprefix("left")) == {}
