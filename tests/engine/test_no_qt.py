"""The engine works without Qt, and without what is slow to import. The last test shows that the first ones can fail."""

from __future__ import annotations

import subprocess
import sys

import pytest

QT = ("PySide6", "shiboken6", "pyqtgraph", "gui")
SLOW = ("torchvision", "matplotlib", "skimage")


def _loaded(statement: str, names: tuple[str, ...]) -> list[str]:
    code = f"import sys\n{statement}\nprint(','.join(n for n in {names!r} if n in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return [name for name in out.split(",") if name]


def test_engine_loads_neither_qt_nor_slow_packages() -> None:
    statement = "import engine, engine.attacks, engine.explain, engine.stickers, engine.models, engine.models.architectures, engine.data"
    statement += ", engine.defenses, engine.reproduce"
    assert _loaded(statement, QT + SLOW) == []


@pytest.mark.parametrize("name", ["PySide6", "matplotlib"])
def test_the_proof_can_fail(name: str) -> None:
    assert _loaded(f"import engine, {name}", QT + SLOW) != []
