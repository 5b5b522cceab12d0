"""How often the model is asked: one frame for each move of the mouse, and none for what changes nothing on the canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.attacks import PGD, StickerPGD
from engine.stickers import Colour, Optimised, Sticker
from tests.gui.driving import click, drag, line, on_pane, press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench

RED = Sticker(1, 10, 10, 7, 7, Colour((1.0, 0.0, 0.0)))


@pytest.fixture
def frames(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The frames that were asked of the lane since it was last cleared; nothing is drawn, nothing under way."""
    session = bench.session
    session.commit_stickers((), "Clear")
    until(lambda: not session.waiting("frame"), "the frame")
    asked: list[int] = []
    ask = session.lane.ask

    def counted(key: str, *rest: object, **more: object) -> int:
        if key == "frame":
            asked.append(len(asked))
        return ask(key, *rest, **more)

    monkeypatch.setattr(session.lane, "ask", counted)
    yield asked
    session.runs.cancel()
    until(lambda: not session.runs.running and not session.runs.abandoned, "the end of the run")


@pytest.fixture
def looked_over(bench: Workbench) -> Iterator[list[int]]:
    """How often the commands of the menus were looked over: by how often the first of them was."""
    from gui.shell import actions

    seen: list[int] = []
    spec = actions.SPECS[0]
    original = spec.enabled

    def counted(session: object) -> bool:
        seen.append(1)
        return original(session)  # type: ignore[arg-type]

    object.__setattr__(spec, "enabled", counted)
    yield seen
    object.__setattr__(spec, "enabled", original)


def put(bench: Workbench, sticker: Sticker = RED) -> None:
    bench.session.commit_stickers((sticker,), "Draw")
    until(lambda: not bench.session.waiting("frame"), "the frame")
    settle()


def moves(bench: Workbench, frames: list[int], points: list[tuple[float, float]]) -> list[int]:
    """Drag along the points; how many frames each move asked for (the first together with the press), and at the end the release."""
    frames.clear()
    counts: list[int] = []

    def between(_place: int) -> None:
        counts.append(len(frames) - sum(counts))

    widget, places = on_pane(bench, points)
    drag(widget, places, between)
    settle()
    counts.append(len(frames) - sum(counts))
    return counts


def test_a_sticker_that_is_drawn(bench: Workbench, frames: list[int]) -> None:
    press_keys(bench.window, "R")
    assert moves(bench, frames, line((4.5, 4.5), (12.5, 12.5), 4)) == [2, 1, 1, 1, 0]  # the press draws one pixel already
    assert len(bench.session.stickers) == 1


def test_a_sticker_that_is_moved(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    assert moves(bench, frames, line((13.5, 13.5), (17.5, 15.5), 4)) == [1, 1, 1, 1, 0]
    assert bench.session.stickers[0].x == 14


def test_a_sticker_that_comes_back_to_where_it_was(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    counts = moves(bench, frames, [(13.5, 13.5), (15.5, 13.5), (13.5, 13.5)])
    assert counts == [1, 1, 0]
    assert bench.session.stickers == (RED,)


def test_moves_within_one_pixel(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    assert moves(bench, frames, [(13.5, 13.5), (14.5, 13.5), (14.55, 13.5), (14.6, 13.5)]) == [1, 0, 0, 0]


def test_a_handle(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    bench.session.select(1)
    settle()
    counts = moves(bench, frames, [(17.0, 17.0), (18.0, 18.0), (19.0, 19.0)])
    assert counts == [1, 1, 0]
    assert bench.session.stickers[0].width == 9


def test_a_click_selects_and_asks_for_nothing(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    frames.clear()
    widget, (place,) = on_pane(bench, [(13.5, 13.5)])
    click(widget, place)
    settle()
    assert bench.session.selected == 1
    assert frames == []


def test_a_pan_and_a_hover_ask_for_nothing(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    press_keys(bench.window, "H")
    assert sum(moves(bench, frames, line((13.5, 13.5), (17.5, 15.5), 4))) == 0


def test_a_nudge_and_its_undo_ask_once_each(bench: Workbench, frames: list[int]) -> None:
    put(bench)
    bench.session.select(1)
    frames.clear()
    QTest.keyClick(bench.window.canvas, Qt.Key.Key_Right)
    assert len(frames) == 1
    press_keys(bench.window, "Ctrl+Z")
    assert len(frames) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.set_label(3),
        lambda session: session.set_target(5),
        lambda session: session.change(seed=7),
        lambda session: session.change(new_colour=(0.0, 0.0, 1.0)),
        lambda session: session.commit_stickers(session.stickers, "Nothing"),
        lambda session: session.set_bounds({}),
        lambda session: session.clear_perturbation(),
    ],
    ids=["label", "target", "seed", "colour", "same stickers", "same bounds", "no perturbation"],
)
def test_what_changes_no_pixel_asks_for_nothing(bench: Workbench, frames: list[int], change: Callable[[object], None]) -> None:
    put(bench)
    frames.clear()
    change(bench.session)
    settle()
    assert frames == []


def test_a_sticker_dragged_while_it_is_painted(bench: Workbench, frames: list[int]) -> None:
    """One for each move; one when the content so far arrives; and one at the release, which begins the attack at the new place."""
    session = bench.session
    put(bench, Sticker(1, 10, 10, 7, 7, Optimised()))
    session.runs.start(StickerPGD(steps=100_000))
    until(lambda: session.runs.job is not None and session.runs.job.index > 3, "some steps")
    counts = moves(bench, frames, line((13.5, 13.5), (17.5, 15.5), 4))
    assert sum(counts) <= 6


def test_an_attack_asks_for_one_frame_at_its_end(bench: Workbench, frames: list[int]) -> None:
    session = bench.session
    frames.clear()
    session.runs.start(PGD(steps=20))
    until(lambda: not session.runs.running, "the end")
    settle()
    assert len(frames) == 1


def test_the_commands_are_not_looked_over_at_every_preview(bench: Workbench, frames: list[int], looked_over: list[int]) -> None:
    session = bench.session
    session.runs.start(PGD(steps=100_000))
    ticks: list[int] = []
    seen: list[int] = []
    session.runs.progressed.connect(lambda: ticks.append(1))
    until(lambda: session.runs.job is not None and session.runs.job.index > 3 and session.frame.step is not None, "some steps")
    before, shown = len(looked_over), session.observed.connect(lambda: seen.append(1))
    at = len(ticks)
    until(lambda: len(ticks) > at + 10 and len(seen) > 3, "some previews")
    session.observed.disconnect(shown)
    assert len(looked_over) == before
    session.runs.pause(True)
    assert len(looked_over) > before  # the proof can fail: what they say is another thing now


def test_a_drag_does_not_look_the_commands_over(bench: Workbench, frames: list[int], looked_over: list[int]) -> None:
    put(bench)
    bench.session.select(1)
    before = len(looked_over)
    between: list[int] = []
    widget, places = on_pane(bench, line((13.5, 13.5), (17.5, 15.5), 4))
    drag(widget, places, lambda _place: between.append(len(looked_over)))
    assert between == [before] * 4
    assert len(looked_over) > before  # the release is a step to undo
