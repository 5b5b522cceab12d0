"""The points of a training's curves: kept in its folder, and continued where the training was interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gui.lanes.readings import Series, TracePoint
from gui.session.training.points import keep_points, kept_points


def series(*steps: int, earlier: Series | None = None) -> Series:
    made = Series(None if earlier is None else {name: earlier.read(name) for name in earlier.names})
    made.add([TracePoint(step, {"loss": step / 2}) for step in steps])
    return made


def test_points_come_back_as_they_were(tmp_path: Path) -> None:
    keep_points(tmp_path, series(0, 1, 2), 40)
    found = kept_points(tmp_path)
    assert found is not None
    assert found[1] == 40
    assert [list(found[0].read(name)) for name in ("", "loss")] == [[0, 1, 2], [0, 0.5, 1]]


def test_steps_that_come_again_replace_the_earlier_ones() -> None:
    before = series(0, 1, 2, 3)
    again = series(2, 3, 4, earlier=before)
    assert list(again.read()) == [0, 1, 2, 3, 4]
    assert list(again.read("loss")) == [0, 0.5, 1, 1.5, 2]
    assert list(series(earlier=before).read()) == [0, 1, 2, 3]  # before its first step
    assert len(again.read("what nobody reported")) == 0


def test_a_reading_that_only_one_part_has_is_as_long_as_the_others() -> None:
    again = series(2, earlier=series(0, 1))
    again.add([TracePoint(3, {"accuracy": 1.0})])
    assert np.array_equal(again.read("accuracy"), [np.nan, np.nan, np.nan, 1.0], equal_nan=True)
    assert np.array_equal(again.read("loss"), [0, 0.5, 1, np.nan], equal_nan=True)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_damaged_file_has_no_points(tmp_path: Path, content: bytes) -> None:
    assert kept_points(tmp_path) is None
    (tmp_path / "points.npz").write_bytes(content)
    assert kept_points(tmp_path) is None
