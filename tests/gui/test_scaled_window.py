"""The window at a fractional scale under a real window manager, which rounds the sizes that it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xvfb
_ROOT = Path(__file__).parents[2]
_VISITS = """
import sys
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from gui import theme
from gui.session.session import Session
from gui.settings import Settings
from gui.shell.main_window import MainWindow
from gui.shell.workspaces.table import WORKSPACES

app, settings = QApplication(sys.argv), Settings()
window = MainWindow(Session(), settings, theme.Theme(app, settings.store))
window.import_panels()
window.show()
QTest.qWait(500)
window.fill()
QTest.qWait(500)
print(window.devicePixelRatio(), *window.size().toTuple())
for spec in (*WORKSPACES, *WORKSPACES):
    window.workspaces.switch(spec.name)
    QTest.qWait(200)
    print(spec.name, *window.size().toTuple())
    if spec.canvas:
        assert window.centre.width() * window.centre.height() >= 0.4 * window.width() * window.height(), spec.name
window.workspaces.reset()
QTest.qWait(200)
print("reset", *window.size().toTuple())
window.close()
app.processEvents()
"""


@pytest.mark.parametrize("scale", [1.25, 1.5])
def test_the_window_keeps_its_size_through_all_workspaces(scale: float, tmp_path: Path) -> None:
    if shutil.which("Xvfb") is None or shutil.which("openbox") is None:
        pytest.skip("this needs Xvfb and openbox")
    reader, writer = os.pipe()
    screen = ("-screen", "0", "1920x1200x24", "-nolisten", "tcp")
    with subprocess.Popen(["Xvfb", "-displayfd", str(writer), *screen], pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        with open(reader, encoding="ascii") as numbers:
            display = f":{numbers.readline().strip()}"
        home = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        there = {**os.environ, **home, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": str(scale)}
        with subprocess.Popen(["openbox"], env=there, stderr=subprocess.DEVNULL) as manager:
            ran = subprocess.run([sys.executable, "-c", _VISITS], cwd=_ROOT, env=there, capture_output=True, text=True, timeout=120)
            manager.terminate()
        server.terminate()
    assert ran.returncode == 0, ran.stderr
    first, *visits = (line.split() for line in ran.stdout.splitlines())
    assert float(first[0]) == scale
    assert len(visits) == 13
    assert {tuple(visit[1:]) for visit in visits} == {tuple(first[1:])}, ran.stdout
