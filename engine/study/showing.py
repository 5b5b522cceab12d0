"""Opening the window on a result, a study or a file, from a script or a notebook."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from engine.errors import GibbonError
from engine.files import STUDY_SUFFIX as SUFFIX
from engine.files import ordinary_file
from engine.result import AttackResult
from engine.study.values import Study
from engine.study.writing import write
from engine.text.parsing import named

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def show(what: AttackResult | Study | Path | str) -> Path:
    """Open the window on a result, a study or a file, as a process of its own, and return at once.

    Parameters
    ----------
    what
        A result, whose rows become runs; a study; or the path of a study or an image. The window works on a copy of a result or study.

    Returns
    -------
    Path
        The file that the window opens: of a result or a study, a temporary one.

    Raises
    ------
    GibbonError
        There is no display here, no such file, or nothing that could be shown.
    """
    if isinstance(what, (str, os.PathLike)):
        path, copy = ordinary_file(Path(what).expanduser(), f"an image or a study ({SUFFIX})"), []
    elif isinstance(what, (AttackResult, Study)):
        study = what if isinstance(what, Study) else Study.of(what)
        path, copy = write(study, Path(tempfile.mkdtemp(prefix="gibbon-")) / f"{_stem(study)}{SUFFIX}"), ["--copy"]
    else:
        raise GibbonError(f"{named(what)} cannot be shown. Give the result of an attack, a study, or the path of a study or an image.")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
        raise GibbonError(
            f"There is no display here, so the window cannot open. “{path}” holds what it would show: open it where there is one, "
            "or set DISPLAY, WAYLAND_DISPLAY or QT_QPA_PLATFORM."
        )
    # It must not hold the caller's output open: a pipe at its end would wait for the window to be closed.
    command = [sys.executable, str(_entry()), "gui", str(path.resolve()), *copy]
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    return path


def _stem(study: Study) -> str:
    """Return a name for the file: that of the attack on the canvas."""
    run = study.run(study.shown)
    return "study" if run is None else run.result.operation.slug


def _entry() -> Path:
    """Return the program's entry, which lies beside the engine.

    Raises
    ------
    GibbonError
        The engine is installed without the window.
    """
    path = Path(__file__).resolve().parents[2] / "main.py"
    if not path.is_file():
        raise GibbonError(f"The window's entry is not there: “{path}” is missing. Install Gibbon whole.")
    return path
