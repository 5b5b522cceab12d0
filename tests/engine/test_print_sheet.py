"""Sheets of stickers: sizes in the file, cut lines, contents, the chart, and sizes that cannot be printed."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import GibbonError, figures, printing
from engine.images import from_array
from engine.printing import Paper, PrintPlan, chart_of, measure, pixel_size, print_sheets
from engine.printing.bleeding import with_bleed
from engine.printing.chart import Chart
from engine.printing.drawing import fiducials
from engine.printing.pieces import Piece, pieces_of
from engine.record import carried
from engine.stickers import Brushed, Colour, Ellipse, Optimised, Pixels, Polygon, Shadow, Sticker
from tests.engine.pdf_page import Page, Points, pages

POINT = 72 / 25.4
RING = torch.tensor([[1.0, 1, 1], [1, 0, 1], [1, 1, 1]])
ARROW = Polygon(((0.5, 0.0), (1.0, 1.0), (0.5, 0.5), (0.0, 1.0)))


def content(height: int, width: int, seed: int = 0, channels: int = 3) -> torch.Tensor:
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(seed))


def written(made: printing.PrintSheets, folder: Path) -> list[Page]:
    path, _ = figures.export_pages(made.figures, folder / "sheet.pdf", {})
    return pages(path)


def box_of(points: Points, page: Page) -> tuple[float, float, float, float]:
    """Left, top, width and height in mm from the upper left corner."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs) / POINT, (page.height - max(ys)) / POINT, (max(xs) - min(xs)) / POINT, (max(ys) - min(ys)) / POINT


@pytest.mark.parametrize("name", ["a4", "a3", "letter"])
@pytest.mark.parametrize("landscape", [False, True])
def test_the_paper_has_its_size(tmp_path: Path, name: printing.PaperName, landscape: bool) -> None:
    made = print_sheets([Sticker(1, 0, 0, 4, 4)], PrintPlan(5.0, (32, 32), Paper(name, landscape)), 3)
    (page,) = written(made, tmp_path)
    sides = {"a4": (595.28, 841.89), "a3": (841.89, 1190.55), "letter": (612.0, 792.0)}[name]
    assert (page.width, page.height) == pytest.approx(sides[::-1] if landscape else sides, abs=0.01)


@pytest.mark.parametrize(
    ("sticker", "width", "height"),
    [
        (Sticker(1, 3, 4, 8, 5, Optimised(content(5, 8))), 8, 5),
        (Sticker(1, 3.25, 4, 6.5, 5.1, Pixels(content(20, 20))), 6.5, 5.1),
        (Sticker(1, 3, 4, 8, 5, Optimised(content(5, 8)), angle=33), 8, 5),  # upright
        (Sticker(1, 3, 4, 8, 5, Colour((1, 0, 0)), shape=Ellipse()), 8, 5),
        (Sticker(1, -3, 30, 8, 5, Colour((1, 0, 0)), shape=ARROW), 8, 5),  # partly outside the image
        (Sticker(1, 3, 4, 6, 6, Optimised(content(6, 6)), shape=Brushed.of(RING)), 6, 6),
    ],
)
@pytest.mark.parametrize("pixel_mm", [1.0, 18.75 / 2])
def test_a_sticker_has_its_true_size_in_the_file(tmp_path: Path, sticker: Sticker, width: float, height: float, pixel_mm: float) -> None:
    made = print_sheets([sticker], PrintPlan(pixel_mm, (32, 32)), 3)
    (page,) = written(made, tmp_path)
    (picture,), (clip,) = page.pictures, page.clips
    left, top, across, down = box_of(picture, page)
    assert (across, down) == pytest.approx((width * pixel_mm, height * pixel_mm), abs=1e-3)
    placed = next(each for each in made.places[0] if isinstance(each.thing, Piece))
    assert (left, top) == pytest.approx((placed.box.left, placed.box.top), abs=1e-3)
    assert picture[0][0] == pytest.approx(picture[3][0])  # not turned
    outline = [(left + u * across, top + v * down) for loop in sticker.shape.outlines() for u, v in loop]
    drawn = [(x / POINT, (page.height - y) / POINT) for x, y in clip]
    assert all(min(math.dist(corner, point) for point in drawn) < 1e-3 for corner in outline)
    assert all(min(math.dist(corner, point) for corner in outline) < 1e-3 for point in drawn)
    assert [points for points in page.lines if len(points) >= len(outline) and set(points) == set(clip)], "the cut line is the clip's"


def test_crop_marks_point_at_the_corners_and_leave_the_sticker_alone(tmp_path: Path) -> None:
    made = print_sheets([Sticker(1, 0, 0, 4, 6)], PrintPlan(5.0, (32, 32), bleed=2.0, chart=False), 3)
    (page,) = written(made, tmp_path)
    (placed,) = made.places[0]
    left, top, right, bottom = placed.box.left, placed.box.top, placed.box.left + 20, placed.box.top + 30
    boxes = [box_of(points, page) for points in page.lines if len(points) == 2]
    across = [(x, y, w) for x, y, w, h in boxes if h < 1e-3 and w == pytest.approx(4, abs=1e-3)]
    down = [(x, y, h) for x, y, w, h in boxes if w < 1e-3 and h == pytest.approx(4, abs=1e-3)]
    assert sorted((round(x, 2), round(y, 2)) for x, y, _ in across) == sorted((x, y) for x in (left - 7, right + 3) for y in (top, bottom))
    assert sorted((round(x, 2), round(y, 2)) for x, y, _ in down) == sorted((x, y) for x in (left, right) for y in (top - 7, bottom + 3))


@pytest.mark.parametrize("paper", [Paper("a4"), Paper("a4", margin=60), Paper("letter", True), Paper("a3", margin=0)])
def test_no_text_leaves_the_margins_or_meets_a_fiducial(paper: Paper) -> None:
    from matplotlib.text import Text

    plan = PrintPlan(0.7301, (32, 32), paper, note="Model: signs. " * 40, chart=paper.margin < 60)
    stickers = [Sticker(1, 5, 5, 8, 5, name="a long name of a sticker " * 3), Sticker(2, 5, 5, 40, 40, angle=-12.5)]
    (figure,) = print_sheets(stickers, plan, 3).figures
    figure.set_dpi(254)  # ten dots a mm
    figure.canvas.draw()
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if not text.get_text() or not text.get_visible():
            continue
        box = text.get_window_extent()
        left, right, top, bottom = box.x0 / 10, box.x1 / 10, paper.height - box.y1 / 10, paper.height - box.y0 / 10
        assert left >= paper.margin - 0.5, text
        assert right <= paper.width - paper.margin + 0.5, text
        assert top >= paper.margin - 0.5, text
        assert bottom <= paper.height - paper.margin + 0.5, text
        for x, y in fiducials(paper):
            assert not (left < x + 3 and right > x - 3 and top < y + 3 and bottom > y - 3), text


def test_the_scale_bar_is_50_mm_and_fiducials_stand_in_the_corners(tmp_path: Path) -> None:
    paper = Paper("a4", margin=12)
    (page,) = written(print_sheets([Sticker(1, 0, 0, 4, 6)], PrintPlan(5.0, (32, 32), paper), 3), tmp_path)
    boxes = [box_of(points, page) for points in page.lines if len(points) == 2]
    assert any(h < 1e-3 and w == pytest.approx(50, abs=1e-3) for _, _, w, h in boxes)
    crosses = {(round(x + 3, 2), round(y, 2)) for x, y, w, h in boxes if w == pytest.approx(6, abs=1e-3) and h < 1e-3}
    assert crosses == {(15, 15), (195, 15), (195, 282), (15, 282)} == set(fiducials(paper))


def test_every_sticker_is_on_one_sheet_inside_the_room_and_none_overlap(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    stickers = [
        Sticker(number, 0, 0, float(w), float(h), angle=float(a))
        for number, (w, h, a) in enumerate(
            zip(random.uniform(1, 20, 12), random.uniform(1, 20, 12), random.uniform(-90, 90, 12), strict=True)
        )
    ]
    made = print_sheets(stickers, PrintPlan(6.0, (32, 32)), 3)
    assert len(made.figures) == len(made.places) == len(written(made, tmp_path)) > 2
    titles = [each.thing.title for sheet in made.places for each in sheet if isinstance(each.thing, Piece)]
    assert sorted(titles) == sorted(sticker.title for sticker in stickers)
    assert sum(isinstance(each.thing, Chart) for sheet in made.places for each in sheet) == 1
    room = Paper().room
    for sheet in made.places:
        for each in sheet:
            box = each.box
            assert box.left >= room.left - 1e-6
            assert box.top >= room.top - 1e-6
            assert box.left + box.width <= room.left + room.width + 1e-6
            assert box.top + box.height <= room.top + room.height + 1e-6
        for a, b in combinations([each.box for each in sheet], 2):
            apart = a.left + a.width < b.left or b.left + b.width < a.left or a.top + a.height < b.top or b.top + b.height < a.top
            assert apart, (a, b)


def raster(made: printing.PrintSheets, sheet: int = 0, per_mm: int = 4) -> np.ndarray:
    """The sheet as a printer of that many dots a mm would show it, ``(h, w, 3)``."""
    figure = made.figures[sheet]
    figure.set_dpi(25.4 * per_mm)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3]  # type: ignore[attr-defined]


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_squares_of_their_colours(channels: int) -> None:
    pixels = (content(5, 8, channels=channels) * 255).round() / 255
    made = print_sheets([Sticker(1, 3, 4, 8, 5, Optimised(pixels), angle=20)], PrintPlan(5.0, (32, 32)), channels)
    shown = raster(made)
    placed = next(each for each in made.places[0] if isinstance(each.thing, Piece))
    for row in range(5):
        for column in range(8):
            for du, dv in ((0.5, 0.5), (0.15, 0.15), (0.85, 0.2)):
                x, y = placed.box.left + (column + du) * 5, placed.box.top + (row + dv) * 5
                expected = (pixels[:, row, column] * 255).round().int().tolist()
                assert shown[int(y * 4), int(x * 4)].tolist() == (expected * 3 if channels == 1 else expected)


def test_smoothed_pixels_run_into_each_other() -> None:
    pixels = torch.zeros(3, 1, 2)
    pixels[:, :, 1] = 1
    sticker = Sticker(1, 0, 0, 8, 4, Optimised(pixels), shape=Ellipse())
    sharp, smooth = (raster(print_sheets([sticker], PrintPlan(5.0, (32, 32), smooth=smooth, chart=False), 3)) for smooth in (False, True))
    placed = print_sheets([sticker], PrintPlan(5.0, (32, 32), chart=False), 3).places[0][0].box
    row = int((placed.top + placed.height / 2) * 4)
    line = slice(int((placed.left + 1) * 4), int((placed.left + placed.width - 1) * 4))
    assert len(np.unique(smooth[row, line])) > len(np.unique(sharp[row, line]))


def test_a_hole_and_what_is_outside_the_outline_stay_white() -> None:
    sticker = Sticker(1, 0, 0, 6, 6, Colour((1, 0, 0)), shape=Brushed.of(RING))
    made = print_sheets([sticker], PrintPlan(5.0, (32, 32), chart=False), 3)
    shown, box = raster(made), made.places[0][0].box
    assert shown[int((box.top + 15) * 4), int((box.left + 15) * 4)].tolist() == [255, 255, 255]
    assert shown[int((box.top + 5) * 4), int((box.left + 5) * 4)].tolist() == [255, 0, 0]
    arrow = Sticker(1, 0, 0, 6, 6, Colour((1, 0, 0)), shape=ARROW)
    made = print_sheets([arrow], PrintPlan(5.0, (32, 32), chart=False), 3)
    shown, box = raster(made), made.places[0][0].box
    assert shown[int((box.top + 2) * 4), int((box.left + 2) * 4)].tolist() == [255, 255, 255]
    assert shown[int((box.top + 12) * 4), int((box.left + 15) * 4)].tolist() == [255, 0, 0]


def test_bleed_has_the_nearest_colour_up_to_its_width_and_none_beyond() -> None:
    pixels = torch.zeros(3, 8, 8)
    pixels[0, :, :4], pixels[2, :, 4:] = 1, 1  # red, blue
    for shape in (Ellipse(), Sticker(1, 0, 0, 2, 2).shape):
        (piece,), _ = pieces_of([Sticker(1, 0, 0, 8, 8, Optimised(pixels), shape=shape)], 5.0, 3)
        shown = with_bleed(piece, 3.0)
        per_mm = shown.shape[1] / 46
        middle = shown.shape[0] // 2
        at = {mm: shown[middle, int(mm * per_mm)].tolist() for mm in (0.2, 2.8, 20, 26, 43.2, 45.8)}
        assert all(at[mm] == [255, 0, 0] for mm in (0.2, 2.8, 20))
        assert all(at[mm] == [0, 0, 255] for mm in (26, 43.2, 45.8))
        assert shown[2, 2].tolist() == [255, 255, 255]  # the corner is farther than 3 mm
        painted = (shown != 255).any(2)
        expected = {True: 46 * 46 - (36 - 9 * math.pi), False: math.pi * 23**2}[shape.fills_its_box]
        assert painted.sum() / per_mm**2 == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("palette", ["", "black and white", "27 colours", "#ffffff #c1121f #003049"])
def test_the_printed_chart_is_measured_without_a_shift(palette: str) -> None:
    made = print_sheets([Sticker(1, 0, 0, 4, 4)], PrintPlan(5.0, (32, 32), palette=palette), 3)
    placed = next(each for each in made.places[0] if isinstance(each.thing, Chart))
    box, per_mm = placed.box, 4
    x, y, r, b = (per_mm * value for value in (box.left, box.top, box.left + box.width, box.top + box.height))
    photograph = from_array(raster(made), "sheet")
    shift = measure(photograph, ((x, y), (r, y), (r, b), (x, b)), chart_of(palette))
    assert torch.equal((shift.measured * 255).round(), (shift.known * 255).round())
    assert torch.allclose(shift.gain, torch.ones(3).double(), atol=1e-6)
    assert torch.allclose(shift.offset, torch.zeros(3).double(), atol=1e-6)
    assert float(shift.delta_e.max()) < 0.01
    assert len(shift.patches) == {"": 18, "black and white": 20, "27 colours": 24}.get(palette, 21)


def test_the_record_is_in_the_file_and_beside_it(tmp_path: Path) -> None:
    plan = PrintPlan(5.0, (32, 32), palette="black and white")
    made = print_sheets([Sticker(1, 0, 0, 4, 4)], plan, 3)
    told = {"format": "gibbon-print", "figure": plan.entry()}
    path, sidecar = figures.export_pages(made.figures, tmp_path / "a.pdf", told)
    assert carried(path) == told == json.loads(sidecar.read_text("utf-8"))
    assert told["figure"]["chart"][:6] == ["#000000", "#333333", "#666666", "#999999", "#cccccc", "#ffffff"]  # type: ignore[index]
    with pytest.raises(GibbonError, match="does not end in"):
        figures.export_pages(made.figures, tmp_path / "a.png", told)


def test_one_length_in_reality_gives_the_others() -> None:
    one = Sticker(1, 0, 0, 8, 4)
    assert pixel_size(32, image_mm=600) == 18.75
    assert pixel_size(32, pixel_mm=18.75) == 18.75
    assert pixel_size(32, [one], sticker_mm=150) == 18.75
    assert pixel_size(32, [one, Sticker(2, 0, 0, 5, 5, name="b")], sticker_mm=50, which="b") == 10
    assert pixel_size(32, [one, Sticker(2, 0, 0, 5, 5, name="b")], sticker_mm=50, which="2") == 10


@pytest.mark.parametrize("value", [0, -3, float("nan"), float("inf"), 1e-9, True, "wide"])
@pytest.mark.parametrize("what", ["image_mm", "pixel_mm", "sticker_mm"])
def test_impossible_lengths(value: object, what: str) -> None:
    with pytest.raises(GibbonError, match=r"Give a (length|number)|thinner than a printer's dot"):
        pixel_size(32, [Sticker(1, 0, 0, 8, 4)], **{what: value})  # type: ignore[arg-type]


def test_lengths_that_are_missing_or_too_many_or_of_no_sticker() -> None:
    two = [Sticker(1, 0, 0, 8, 4), Sticker(2, 0, 0, 8, 4, name="b")]
    with pytest.raises(GibbonError, match="nothing is given"):
        pixel_size(32, two)
    with pytest.raises(GibbonError, match="image and pixel are given"):
        pixel_size(32, two, image_mm=600, pixel_mm=3)
    with pytest.raises(GibbonError, match="There are 2 stickers, so say which"):
        pixel_size(32, two, sticker_mm=3)
    with pytest.raises(GibbonError, match="No sticker is called “c”"):
        pixel_size(32, two, sticker_mm=3, which="c")


def test_a_sticker_larger_than_the_paper_names_what_would_fit() -> None:
    wide, tall = Sticker(1, 0, 0, 20, 4), Sticker(1, 0, 0, 4, 20)
    for sticker, paper in ((wide, "A4 landscape"), (tall, "A3 portrait")):
        with pytest.raises(GibbonError, match=rf"Choose {paper}, or make the image at most [\d.]+ mm wide") as refused:
            print_sheets([sticker], PrintPlan(13.0, (32, 32)), 3)
        most = float(str(refused.value).rsplit("at most ", 1)[1].split(" mm")[0])
        print_sheets([sticker], PrintPlan(most / 32, (32, 32)), 3)
        with pytest.raises(GibbonError):
            print_sheets([sticker], PrintPlan((most + 0.2) / 32, (32, 32)), 3)
    with pytest.raises(GibbonError, match=r"mm\. Make the image"):
        print_sheets([wide], PrintPlan(100.0, (32, 32), Paper("a3", True)), 3)


@pytest.mark.parametrize("margin", [-1, 61, float("nan"), float("inf")])
def test_impossible_margins(margin: float) -> None:
    with pytest.raises(GibbonError, match="margin"):
        Paper(margin=margin)


@pytest.mark.parametrize("bleed", [-0.1, 21, float("nan")])
def test_impossible_bleeds(bleed: float) -> None:
    with pytest.raises(GibbonError, match="bleed"):
        PrintPlan(5.0, (32, 32), bleed=bleed)


def test_an_unknown_paper() -> None:
    with pytest.raises(GibbonError, match="no paper “a5”"):
        Paper("a5")  # type: ignore[arg-type]


def test_a_margin_without_room_for_the_chart() -> None:
    with pytest.raises(GibbonError, match="no room for the colour chart"):
        print_sheets([Sticker(1, 0, 0, 2, 2)], PrintPlan(1.0, (32, 32), Paper("a4", True, 60), palette="27 colours"), 3)


def test_shadows_have_nothing_to_print_and_opacity_is_told() -> None:
    shadow, veil = Sticker(1, 0, 0, 4, 4, Shadow(), name="dusk"), Sticker(2, 0, 0, 4, 4, Optimised(), opacity=0.5)
    with pytest.raises(GibbonError, match="“dusk” is a shadow"):
        print_sheets([shadow], PrintPlan(5.0, (32, 32)), 3)
    with pytest.raises(GibbonError, match="There is no sticker"):
        print_sheets([], PrintPlan(5.0, (32, 32)), 3)
    made = print_sheets([shadow, veil], PrintPlan(5.0, (32, 32)), 3)
    told = " ".join(made.remarks)
    assert "left out" in told
    assert "covers 50.0 %" in told
    assert "no content yet" in told
    assert [piece["title"] for piece in made.json()["placed_mm"]] == ["colour chart", "Sticker 2"]


def test_a_sticker_finer_than_a_printers_dot() -> None:
    assert pixel_size(32, image_mm=2) == 2 / 32
    with pytest.raises(GibbonError, match="thinner than a printer's dot"):
        pixel_size(32, image_mm=1)
    with pytest.raises(GibbonError, match="thinner than a printer's dot"):
        print_sheets([Sticker(1, 0, 0, 4, 1)], PrintPlan(0.01, (32, 32)), 3)
