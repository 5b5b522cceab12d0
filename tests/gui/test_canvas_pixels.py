"""What is painted: image pixels, outlines and grid, to the pixel; light and dark."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter

from engine.stickers import Brushed, Colour, Ellipse, Optimised, Polygon, Rectangle, Sticker, coverage, paint
from gui import theme
from gui.canvas import ImageCanvas
from gui.canvas.heading import Heading
from gui.canvas.items import GRID_FROM
from gui.canvas.pictures import Caption, Picture
from gui.canvas.placement import Placement
from gui.canvas.sticker_items import HandlesItem, edge_of, outline
from gui.widgets import ElidedLabel
from tests.gui.canvas_pixels import array
from tests.gui.driving import settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

STICKERS = [
    Sticker(1, 4, 5, 6, 8),
    Sticker(1, -3, 10, 8, 4),
    Sticker(1, 28, 29, 9, 9),
    Sticker(1, 0, 0, 32, 32),
    Sticker(1, 31, 0, 1, 1),
    Sticker(1, -40, -40, 100, 41),
]


@pytest.fixture
def canvas(empty_canvas: ImageCanvas) -> ImageCanvas:
    return empty_canvas


@pytest.mark.parametrize("sticker", STICKERS)
@pytest.mark.parametrize("scale", [1, 2.3, 7])
def test_the_outline_encloses_exactly_the_pixels_that_the_engine_covers(sticker: Sticker, scale: float) -> None:
    side = 32
    image = QImage(round(side * scale), round(side * scale), QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.fillRect(outline(sticker, Placement(0, 0, scale)), Qt.GlobalColor.white)
    painter.end()
    drawn = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())[:, : image.width()]
    middles = ((np.arange(side) + 0.5) * scale).astype(int)
    covered = coverage(sticker, side, side)[0].numpy() > 0
    assert covered.any()
    np.testing.assert_array_equal(drawn[np.ix_(middles, middles)] > 127, covered)


def shaped() -> list[Sticker]:
    """One sticker of every shape, upright and rotated, some of them partly off the image."""
    star = tuple((0.5 + 0.5 * np.sin(a), 0.5 - 0.5 * np.cos(a)) for a in np.arange(5) * 4 * np.pi / 5)  # it crosses itself
    hollow = torch.ones(9, 9)
    hollow[3:6, 2:7] = 0
    shapes = (Rectangle(), Ellipse(), Polygon(), Polygon(tuple((float(u), float(v)) for u, v in star)), Brushed.of(hollow))
    boxes = ((4, 5, 18, 18), (-5, 12, 18, 9), (20.5, 15.25, 18, 27))
    return [Sticker(1, *box, shape=shape, angle=angle) for shape in shapes for box in boxes for angle in (0, 30, 90, -135)]


@pytest.mark.parametrize("sticker", shaped(), ids=lambda sticker: f"{sticker.shape.kind}-{sticker.x}-{sticker.angle}")
def test_the_edge_of_every_shape_encloses_the_pixels_that_the_engine_covers(sticker: Sticker) -> None:
    edge = edge_of(sticker, Placement(0, 0, 16.0))
    edge.setFillRule(Qt.FillRule.WindingFill)
    image = QImage(512, 512, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.fillPath(edge, Qt.GlobalColor.white)
    painter.end()
    drawn = np.frombuffer(image.constBits(), np.uint8).reshape(32, 16, 32, 16).mean((1, 3)) / 255
    apart = np.abs(drawn - coverage(sticker, 32, 32)[0].numpy()) > 0.1
    crossings = 5 if isinstance(sticker.shape, Polygon) and len(sticker.shape.points) == 5 else 0
    assert apart.sum() <= crossings  # a pixel that holds a crossing may deviate in the engine


@pytest.mark.parametrize("sticker", STICKERS)
def test_on_the_canvas_outline_and_painted_sticker_meet(canvas: ImageCanvas, sticker: Sticker) -> None:
    clean = torch.zeros(3, 32, 32)
    painted = (paint(clean, [Sticker(1, sticker.x, sticker.y, sticker.width, sticker.height, Colour((0, 1, 0)))]) * 255).byte()
    canvas.set_images(clean.byte().permute(1, 2, 0).numpy(), painted.permute(1, 2, 0).contiguous().numpy())
    canvas.set_stickers((sticker,), None)
    pane = canvas.adversarial_pane
    shown = array(pane.viewport.grab())
    points = [[pane.position(x + 0.5, y + 0.5) for x in range(32)] for y in range(32)]
    middles = np.array([[shown[point.y(), point.x()] for point in row] for row in points])
    covered = coverage(sticker, 32, 32)[0].numpy() > 0
    np.testing.assert_array_equal(middles[..., 1] == 255, covered)
    # The white of the outline lies on the edge of the covered pixels: nowhere else, and on each edge within the image.
    white = (shown == 255).all(2)
    for at, span, axis in ((sticker.x, (sticker.y, sticker.bottom), 0), (sticker.y, (sticker.x, sticker.right), 1)):
        if 0 < at < 32:
            low, high = max(span[0], 0), min(span[1], 32)
            start = pane.position(at, low) if axis == 0 else pane.position(low, at)
            end = pane.position(at, high) if axis == 0 else pane.position(high, at)
            line = white[start.y() : end.y(), start.x()] if axis == 0 else white[start.y(), start.x() : end.x()]
            assert line.mean() > 0.9


def test_every_image_pixel_is_painted_in_its_own_place(canvas: ImageCanvas) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    canvas.set_images(pixels, pixels[::-1])
    for pane, expected in zip(canvas.panes, (pixels, pixels[::-1]), strict=True):
        shown = array(pane.viewport.grab())
        for row in (0, 7, 31):
            for column in (0, 19, 31):
                point = pane.position(column + 0.5, row + 0.5)
                np.testing.assert_array_equal(shown[point.y(), point.x()], expected[row, column])


def test_pane_and_image_view_agree_when_zoomed(canvas: ImageCanvas) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    canvas.set_images(pixels, pixels)
    canvas.zoom_by(2.7, (9.3, 11.8))
    canvas.pan_by(0.37, -0.81)
    for pane in canvas.panes:
        shown = array(pane.viewport.grab())
        for row, column in ((11, 9), (9, 12), (13, 7)):
            point = pane.position(column + 0.5, row + 0.5)
            np.testing.assert_array_equal(shown[point.y(), point.x()], pixels[row, column])


def test_the_grid_comes_with_large_pixels(canvas: ImageCanvas) -> None:
    black = np.zeros((32, 32, 3), np.uint8)
    canvas.set_images(black, black)
    pane = canvas.clean_pane
    assert pane.view.grid.shown
    line, middle = pane.position(5, 5.5), pane.position(5.5, 5.5)
    shown = array(pane.viewport.grab())
    assert shown[line.y(), line.x()].min() > 0
    assert shown[middle.y(), middle.x()].max() == 0
    outside = pane.position(5, -0.5)
    assert (shown[outside.y(), outside.x()] == shown[outside.y(), outside.x() + 3]).all()
    canvas.zoom_to(GRID_FROM - 0.1)
    assert not pane.view.grid.shown
    canvas.zoom_to(GRID_FROM)
    assert pane.view.grid.shown
    line = pane.position(16, 15.5)
    assert array(pane.viewport.grab())[line.y(), line.x()].min() > 0
    canvas.set_grid(False)
    assert not pane.view.grid.shown
    assert array(pane.viewport.grab())[line.y(), line.x()].max() == 0


def test_handles_keep_their_number_and_stand_aside_of_small_stickers() -> None:
    item = HandlesItem()
    item.show_sticker(Sticker(1, 10, 10, 6, 6))
    item.place(Placement(0, 0, 12.0), 400, 400)
    assert len(item.centres()) == 8
    item.place(Placement(0, 0, 1.0), 400, 400)
    centres = item.centres()
    assert len(centres) == 4
    assert min(point.x() for point in centres) < 10
    assert max(point.x() for point in centres) > 16


def test_optimised_content_is_dashed(canvas: ImageCanvas) -> None:
    black = np.zeros((32, 32, 3), np.uint8)
    canvas.set_images(black, black)
    whites = []
    for content in (Colour(), Optimised()):
        canvas.set_stickers((Sticker(1, 4, 4, 20, 20, content),), None)
        whites.append(int((array(canvas.clean_pane.viewport.grab()) == 255).all(2).sum()))
    assert 0.3 * whites[0] < whites[1] < 0.7 * whites[0]


def test_a_caption_without_room_keeps_what_tells_its_class_from_others(canvas: ImageCanvas) -> None:
    canvas.set_captions(Caption("Stop", "> 99.9 %"), Caption("Speed limit (30 km/h)", "87.2 %"))
    caption = canvas.adversarial_pane.heading.caption
    assert (caption.shown, caption.toolTip()) == ("Speed limit (30 km/h) · 87.2 %", "")
    whole = caption.whole_width
    shown = set()
    for width in range(whole, 40, -1):
        caption.resize(width, caption.height())
        shown.add(caption.shown)
        label, share = caption.parts()
        assert label, "the class never vanishes"
        assert share in ("87.2 %", "")  # a part of the number would read as another one
        assert caption.shown == caption.text or caption.toolTip() == caption.text
        if width > 0.75 * whole:
            assert label.endswith("km/h)")
    assert any("%" not in text for text in shown)


@pytest.mark.parametrize("view", ["side", "wipe"])
@pytest.mark.parametrize("width", [260, 320, 400, 520, 900])
def test_two_classes_that_differ_in_their_last_words_can_be_told_apart(canvas: ImageCanvas, view: str, width: int) -> None:
    canvas.resize(width, 520)
    canvas.set_view(view)
    texts = []
    for speed in (50, 60):
        canvas.set_captions(Caption(f"Speed limit ({speed} km/h)", "> 99.9 %"), Caption(f"Speed limit ({speed} km/h)", "48.5 %"))
        settle()
        headings = [heading for pane in canvas.panes for heading in pane.headings]
        texts.append([heading.caption.parts()[0] for heading in headings])
    assert all(one != other for one, other in zip(*texts, strict=True)), texts


def test_the_classes_of_iterates_do_not_move_the_images(canvas: ImageCanvas) -> None:
    canvas.resize(420, 520)
    heights = []
    for label in ("Speed limit (50 km/h)", "Stop", "Speed limit (60 km/h)", "Yield"):
        canvas.set_captions(Caption("Stop", "48.5 %"), Caption(label, "48.5 %"))
        settle()
        heights.append({pane.view.height() for pane in canvas.panes})
    assert heights == [heights[0]] * 4


@pytest.mark.parametrize("p", [0.99996, 0.998, 1.0, 0.0001, 0.5])
def test_a_heading_writes_a_probability_as_all_else_does(p: float) -> None:
    from engine.text.formatting import format_probability

    assert Caption("7", format_probability(p)).text == f"7 · {format_probability(p)}"


def test_the_surround_follows_light_and_dark(canvas: ImageCanvas) -> None:
    def corner(dark: bool) -> QColor:
        canvas.setPalette(theme.palette(dark))
        return QColor(*(int(value) for value in array(canvas.clean_pane.viewport.grab())[2, 2]))

    light, dark = corner(False), corner(True)
    assert light.lightness() > 150
    assert dark.lightness() < 90
    assert light.saturation() == dark.saturation() == 0


def test_the_canvas_loads_without_torch() -> None:
    heavy = "{'torch', 'torchvision', 'skimage', 'matplotlib'}"
    code = f"import sys, gui.canvas; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = f"import sys, gui.canvas, matplotlib; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['matplotlib']"  # the test can fail


def test_a_pinned_pixel_is_marked_in_both_panes_and_described(qtbot: QtBot, canvas: ImageCanvas) -> None:
    clean = np.full((8, 8, 3), 200, np.uint8)
    adversarial = clean.copy()
    adversarial[5, 2] = (255, 200, 190)
    canvas.set_images(clean, adversarial)
    before = [array(pane.view.grab()) for pane in canvas.panes]
    canvas.pin((2, 5))
    for pane, was in zip(canvas.panes, before, strict=True):
        changed = np.argwhere((array(pane.view.grab()) != was).any(2))
        place = pane.position(2.5, 5.5)
        assert len(changed)
        assert np.abs(changed.mean(0) - (place.y(), place.x())).max() < 2  # around the middle of that pixel
    assert canvas.readout.text.startswith("x 2, y 5 · clean 200 200 200 · adversarial 255 200 190")
    canvas.pin(None)
    assert canvas.readout.text == ""
    for pane, was in zip(canvas.panes, before, strict=True):
        assert np.array_equal(array(pane.view.grab()), was)
    canvas.pin((7, 7))
    canvas.set_images(np.zeros((4, 4, 3), np.uint8), None)  # another size: that pixel is none of these
    assert canvas.readout.text == ""


NAMES = [("Adversarial", 400, None), ("#12 PGD 8/255", 400, None), ("#12 PGD 8/255", 130, "#12")]


@pytest.mark.parametrize(("name", "room", "shown"), NAMES)
def test_a_name_without_room_is_its_shorter_form(qtbot: QtBot, name: str, room: int, shown: str | None) -> None:
    shorter = (shown,) if shown else ()
    heading = Heading(Picture(name, "#E69F00", caption=Caption("Speed limit 50", "99.8 %"), shorter=shorter))
    qtbot.addWidget(heading)
    heading.resize(room, heading.sizeHint().height())
    heading.show()
    qtbot.waitExposed(heading)
    label = next(child for child in heading.findChildren(ElidedLabel))
    assert (label.text(), label.cut) == (shown or name, False)
    assert heading.name == name
    assert "50" in heading.caption.shown  # the class is never left out
    assert heading.caption.shown.endswith("99.8 %") == (shown is None)
