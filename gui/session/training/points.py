"""The readings of a training's steps in its folder, so that its curves are whole after a resumption and after another start."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gui.lanes.readings import Series

_FILE = "points.npz"
_STEPS, _INDEX = "steps", "index"


def keep_points(folder: Path, series: Series, steps: int) -> None:
    """Write the readings so far, and the number of steps of the whole training. Without room on the disk the curves alone are poorer."""
    import numpy as np

    from engine.files import replacing

    columns = {name or _INDEX: series.read(name) for name in series.names}
    with suppress(OSError), replacing(folder / _FILE) as staged, staged.open("wb") as file:
        np.savez(file, allow_pickle=False, **columns, **{_STEPS: np.array(steps)})


def kept_points(folder: Path) -> tuple[Series, int] | None:
    """Return the readings that `keep_points` wrote and the number of steps; None where there are none, or the file is damaged."""
    from zipfile import BadZipFile

    import numpy as np

    try:
        with np.load(folder / _FILE, allow_pickle=False) as file:
            columns = {"" if name == _INDEX else name: file[name] for name in file.files if name != _STEPS}
            steps = int(file[_STEPS])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None
    alike = "" in columns and len({column.shape for column in columns.values()}) == 1
    return (Series(columns), steps) if alike and columns[""].ndim == 1 else None
