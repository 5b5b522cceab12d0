"""Photographs of prints: the colour shift on the chart, what does not match, and the whole way from a sheet to the prediction."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import engine
from engine import GibbonError, attacks, images, printing
from engine.images import from_array
from engine.images.homography import Corners, square_to_quad
from engine.printing import PrintPlan, chart_of, measure, photo_figure, print_sheets, read_photo
from engine.printing.chart import Chart
from engine.printing.colour_shift import delta_e
from engine.printing.pieces import Piece
from engine.record import Record, carried
from engine.stickers import Ellipse, Optimised, Sticker, compose
from tests.engine.test_print_sheet import raster

Run = Callable[..., tuple[int, str, str]]
STOP = next(sample for sample in images.samples() if sample.label_name == "Stop" and sample.size == 32).path
PER_MM = 4
GAIN, OFFSET = np.array([0.8, 0.7, 0.55]), np.array([0.1, 0.08, 0.05])
"""A warm, dim light that lifts the blacks; no value leaves the camera's range."""


def shifted(pixels: np.ndarray, gain: np.ndarray = GAIN, offset: np.ndarray = OFFSET) -> np.ndarray:
    return np.round(255 * np.clip(pixels / 255 * gain + offset, 0, 1)).astype(np.uint8)


def seen_by_a_camera(plane: np.ndarray, size: tuple[int, int], corners: Corners) -> np.ndarray:
    """A plane ``(h, w, 3)`` seen so that its corners lie at ``corners``, point by point through the inverse of the 3 x 3 matrix."""
    width, height = size
    back = np.linalg.inv(square_to_quad(corners).numpy())
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    u, v, w = np.tensordot(back, np.stack([x, y, np.ones_like(x)]), 1)
    inside = (u / w >= 0) & (u / w < 1) & (v / w >= 0) & (v / w < 1)
    at = [np.clip(part / w * side - 0.5, 0, side - 1) for part, side in ((v, plane.shape[0]), (u, plane.shape[1]))]
    low = [np.floor(part).astype(int) for part in at]
    high = [np.minimum(part + 1, side - 1) for part, side in zip(low, plane.shape[:2], strict=True)]
    dy, dx = ((part - floor)[..., None] for part, floor in zip(at, low, strict=True))
    upper = plane[low[0], low[1]] * (1 - dx) + plane[low[0], high[1]] * dx
    lower = plane[high[0], low[1]] * (1 - dx) + plane[high[0], high[1]] * dx
    return np.where(inside[..., None], upper * (1 - dy) + lower * dy, 90).round().astype(np.uint8)


def on_plane(corners: Corners, plane: tuple[int, int], box: tuple[float, float, float, float]) -> Corners:
    """Where the corners of a box on the plane lie in the photograph."""
    left, top, width, height = box
    matrix = square_to_quad(corners).numpy()
    found = []
    for x, y in ((left, top), (left + width, top), (left + width, top + height), (left, top + height)):
        a, b, w = matrix @ [x / plane[0], y / plane[1], 1]
        found.append((a / w, b / w))
    return tuple(found)  # type: ignore[return-value]


def chart_alone(palette: str = "") -> tuple[np.ndarray, Corners]:
    """The printed chart cut out along its frame, with its corners."""
    made = print_sheets([Sticker(1, 0, 0, 4, 4)], PrintPlan(5.0, (32, 32), palette=palette), 3)
    box = next(each.box for each in made.places[0] if isinstance(each.thing, Chart))
    left, top, width, height = (round(PER_MM * value) for value in (box.left, box.top, box.width, box.height))
    return raster(made)[top : top + height, left : left + width].copy(), ((0, 0), (width, 0), (width, height), (0, height))


CHART, CHART_CORNERS = chart_alone()


@pytest.mark.parametrize(
    ("gain", "offset"),
    [(GAIN, OFFSET), (np.array([1.0, 1.0, 1.0]), np.zeros(3)), (np.array([0.5, 0.9, 0.7]), np.array([0.3, 0.02, 0.2]))],
)
def test_a_known_shift_is_measured_and_taken_away(gain: np.ndarray, offset: np.ndarray) -> None:
    shift = measure(from_array(shifted(CHART, gain, offset), "chart"), CHART_CORNERS, chart_of())
    assert np.allclose(shift.gain, gain, atol=0.005)
    assert np.allclose(shift.offset, offset, atol=0.005)
    assert float(shift.residual.max()) < 1 / 255
    assert float(shift.delta_e_corrected.mean()) < 1
    known = (shift.known * torch.tensor(gain) + torch.tensor(offset)).clamp(0, 1)
    assert torch.allclose(shift.delta_e, delta_e(shift.known, known), atol=0.6)
    colours = torch.rand(3, 6, 7, generator=torch.Generator().manual_seed(0))
    photographed = colours * torch.tensor(gain).float()[:, None, None] + torch.tensor(offset).float()[:, None, None]
    assert torch.allclose(shift.corrected(photographed.clamp(0, 1)), colours, atol=0.02)


def test_values_that_the_camera_cut_off_do_not_bend_the_fit() -> None:
    gain, offset = np.array([1.3, 1.0, 0.9]), np.array([0.1, -0.15, 0.0])
    shift = measure(from_array(shifted(CHART, gain, offset), "chart"), CHART_CORNERS, chart_of())
    assert shift.clipped > 10
    assert np.allclose(shift.gain, gain, atol=0.01)
    assert np.allclose(shift.offset, offset, atol=0.01)


def test_noise_is_the_residual() -> None:
    noise = np.random.default_rng(0).normal(0, 6, (6, 3, 3))
    noisy = CHART.astype(float).copy()
    for row in range(3):  # each patch is a little off, as by another batch of ink
        for column in range(6):
            y, x = PER_MM * (3 + 14.5 * row), PER_MM * (3 + 13 * column)
            noisy[int(y) : int(y) + 44, int(x) : int(x) + 44] += noise[column, row]
    shift = measure(from_array(shifted(np.clip(noisy, 0, 255)), "chart"), CHART_CORNERS, chart_of())
    expected = shift.measured - (shift.gain * shift.known + shift.offset)
    assert torch.allclose(shift.residual, expected.square().mean(0).sqrt(), atol=1e-9)
    assert 0.005 < float(shift.residual.mean()) < 0.03
    slopes = [np.polyfit(shift.known[:, channel], shift.measured[:, channel], 1) for channel in range(3)]
    assert np.allclose(slopes, torch.stack([shift.gain, shift.offset], 1), atol=1e-9)


def test_delta_e_of_known_colours() -> None:
    """Black and white are 100 apart; red and green as CIE LAB has them under D65."""
    a = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0.5, 0.5, 0.5]])
    b = torch.tensor([[1.0, 1, 1], [0.0, 1, 0], [0.5, 0.5, 0.5]])
    found = delta_e(a, b).tolist()
    assert found[0] == pytest.approx(100, abs=0.01)
    assert found[1] == pytest.approx(np.linalg.norm(np.array([53.24, 80.09, 67.20]) - [87.74, -86.18, 83.18]), abs=0.1)
    assert found[2] == 0


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_chart_corners_are_named(turns: int) -> None:
    a, b, c, d = (*CHART_CORNERS[turns:], *CHART_CORNERS[:turns])
    with pytest.raises(
        GibbonError, match=r"in another order: its upper left corner,.* is your (upper right|lower right|lower left) one"
    ) as refused:
        measure(from_array(shifted(CHART), "chart"), (a, b, c, d), chart_of())
    named = next(
        at for at, name in enumerate(("upper left", "upper right", "lower right", "lower left")) if f"is your {name}" in str(refused.value)
    )
    assert (named + turns) % 4 == 0


def test_what_is_no_chart() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    with pytest.raises(GibbonError, match="is not the chart: its colours correlate by"):
        measure(from_array(noise, "noise"), ((0, 0), (400, 0), (400, 300), (0, 300)), chart_of())
    with pytest.raises(GibbonError, match="is not the chart"):
        measure(from_array(np.full((300, 400, 3), 128, np.uint8), "grey wall"), ((0, 0), (400, 0), (400, 300), (0, 300)), chart_of())
    with pytest.raises(GibbonError, match="is grey, so no colour shift"):
        measure(from_array(CHART[:, :, 0], "grey"), CHART_CORNERS, chart_of())
    with pytest.raises(GibbonError, match="is not the chart"):
        measure(from_array(255 - CHART, "negative"), CHART_CORNERS, chart_of())
    night = np.round(CHART * 0.02).astype(np.uint8)
    with pytest.raises(GibbonError, match=r"cut off|does not follow"):
        measure(from_array(night, "night"), CHART_CORNERS, chart_of())


@pytest.fixture(scope="module")
def attacked() -> tuple[engine.Classifier, torch.Tensor, tuple[Sticker, ...], engine.AttackResult]:
    classifier = engine.models.load("signs", device="cpu")
    clean = images.read(STOP, classifier)
    stickers = (Sticker(1, 9, 10, 12, 12, Optimised(), angle=15), Sticker(2, 3, 22, 6, 5, Optimised(), shape=Ellipse()))
    parts = compose(clean, stickers)
    result = engine.run(attacks.StickerPGD(steps=30), classifier, clean[None], mask=parts.mask, seed=0)
    assert isinstance(result, engine.AttackResult)
    assert bool(result.success[0])
    return classifier, clean, stickers, result


Attacked = tuple[engine.Classifier, torch.Tensor, tuple[Sticker, ...], engine.AttackResult]


def printed_on_the_sign(attacked: Attacked) -> tuple[np.ndarray, np.ndarray]:
    """The clean sign at 16 dots a pixel with the printed stickers pasted on it, turned as they belong, and the chart."""
    _, clean, stickers, result = attacked
    done = printing.attacked_stickers(result, stickers)
    made = print_sheets(done, PrintPlan(4.0, (32, 32)), 3)
    sheet = raster(made)
    sign = (clean.permute(1, 2, 0).numpy() * 255).repeat(16, 0).repeat(16, 1)
    y, x = np.mgrid[0:512, 0:512] + 0.5
    for sticker in done:
        placed = next(each for each in made.places[0] if isinstance(each.thing, Piece) and each.thing.title == sticker.title)
        angle = np.deg2rad(sticker.angle)
        dx, dy = x / 16 - sticker.centre[0], y / 16 - sticker.centre[1]
        u = (np.cos(angle) * dx + np.sin(angle) * dy) / sticker.width + 0.5
        v = (np.cos(angle) * dy - np.sin(angle) * dx) / sticker.height + 0.5
        inside = sticker.shape.contains(torch.from_numpy(u), torch.from_numpy(v)).numpy() & (abs(u - 0.5) < 0.5) & (abs(v - 0.5) < 0.5)
        columns = ((placed.box.left + u * placed.box.width) * PER_MM).astype(int).clip(0, sheet.shape[1] - 1)
        rows = ((placed.box.top + v * placed.box.height) * PER_MM).astype(int).clip(0, sheet.shape[0] - 1)
        sign[inside] = sheet[rows, columns][inside]
    return sign, CHART


PLANE = (1000, 620)
"""Width and height of the wall on which the sign hangs at (40, 50) and the chart at (600, 200)."""
VIEW: Corners = ((70.0, 40.0), (1130.0, 120.0), (1080.0, 760.0), (30.0, 690.0))


def photographed(attacked: Attacked) -> tuple[np.ndarray, Corners, Corners]:
    """A photograph of the wall in another light, with the corners of the sign and of the chart."""
    sign, chart = printed_on_the_sign(attacked)
    wall = np.full((PLANE[1], PLANE[0], 3), 170.0)
    wall[50:562, 40:552] = sign
    wall[200 : 200 + chart.shape[0], 600 : 600 + chart.shape[1]] = chart
    photo = seen_by_a_camera(shifted(wall).astype(float), (1200, 800), VIEW)
    frame = on_plane(VIEW, PLANE, (40, 50, 512, 512))
    return photo, frame, on_plane(VIEW, PLANE, (600, 200, chart.shape[1], chart.shape[0]))


def test_a_simulated_print_in_a_simulated_photograph_is_read_as_the_digital_image(attacked: Attacked) -> None:
    classifier, _, _, result = attacked
    photo, frame, chart_frame = photographed(attacked)
    original = result.adversarial[0]
    reading = read_photo(
        from_array(photo, "photo"), frame, classifier, original=original, chart_corners=chart_frame, label=int(result.labels[0])
    )
    assert reading.shift is not None
    assert np.allclose(reading.shift.gain, GAIN, atol=0.01)
    assert np.allclose(reading.shift.offset, OFFSET, atol=0.01)
    assert reading.corrected is not None
    assert reading.original is not None
    difference = (reading.corrected.image - original).abs()
    assert float(difference.mean()) < 0.01
    warm = original * torch.tensor(GAIN).float()[:, None, None] + torch.tensor(OFFSET).float()[:, None, None]
    assert float((reading.rectified.image - warm).abs().mean()) < 0.01
    assert reading.original.prediction == int(result.logits[0].argmax())
    assert reading.corrected.prediction == reading.original.prediction
    assert reading.succeeds(reading.corrected)
    assert reading.match is not None
    assert reading.match > 0.95


def test_the_reading_as_values_sentences_and_figure(attacked: Attacked, tmp_path: Path) -> None:
    classifier, _, _, result = attacked
    photo, frame, chart_frame = photographed(attacked)
    reading = read_photo(
        from_array(photo, "photo"),
        frame,
        classifier,
        original=result.adversarial[0],
        chart_corners=chart_frame,
        label=int(result.labels[0]),
    )
    told = json.loads(json.dumps(reading.json()))
    assert told["corrected"]["attack_holds"] is True
    assert told["photographed"]["top"][0]["probability"] == max(each["probability"] for each in told["photographed"]["top"])
    assert len(told["shift"]["patches"]) == 18
    assert any("the attack holds" in sentence for sentence in reading.sentences())
    figure = photo_figure(reading)
    texts = [text.get_text() for text in figure.findobj() if hasattr(text, "get_text")]
    for words in ("photograph", "original", "rectified", "colour-corrected", "digital", "photographed", "corrected"):
        assert any(words in text for text in texts), words
    alone = read_photo(from_array(photo, "photo"), frame, classifier)
    assert alone.original is alone.corrected is alone.shift is alone.match is None
    assert torch.equal(alone.rectified.image, reading.rectified.image)
    photo_figure(alone, width_mm=85)


def test_swapped_corners_and_another_photograph_are_refused(attacked: Attacked) -> None:
    classifier, _, _, result = attacked
    photo, frame, _ = photographed(attacked)
    for turns in (1, 2, 3):
        with pytest.raises(GibbonError, match="corners are in another order"):
            read_photo(from_array(photo, "photo"), (*frame[turns:], *frame[:turns]), classifier, original=result.adversarial[0])
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    with pytest.raises(GibbonError, match="does not show the recorded image"):
        read_photo(from_array(noise, "noise"), ((0, 0), (300, 0), (300, 300), (0, 300)), classifier, original=result.adversarial[0])
    with pytest.raises(GibbonError, match="outside the photograph"):
        read_photo(from_array(noise, "noise"), ((0, 0), (500, 0), (300, 300), (0, 300)), classifier)


def test_a_grey_model_reads_a_colour_photograph() -> None:
    classifier = engine.models.load("digits", device="cpu")
    digit = next(sample for sample in images.samples() if sample.model == "digits").path
    image = images.read(digit, classifier)
    photo = (image[0].numpy() * 255).round().astype(np.uint8).repeat(10, 0).repeat(10, 1)
    colour = np.stack([photo] * 3, 2)
    height, width = photo.shape
    reading = read_photo(from_array(colour, "digit"), ((0, 0), (width, 0), (width, height), (0, height)), classifier, original=image)
    assert torch.allclose(reading.rectified.image, image, atol=1e-5)
    assert reading.rectified.prediction == reading.original.prediction  # type: ignore[union-attr]


def test_from_the_record_to_the_sheet_and_from_the_photograph_back(run: Run, attacked: Attacked) -> None:
    code, _, err = run("attack", "--attack", "sticker", "--image", STOP, "--sticker", "9,10,12,12", "--device", "cpu", "--steps", "30")
    assert code == 0, err
    record = f"{STOP.stem}-sticker.json"
    code, out, err = run("print", record, "--width-mm", "128", "--out", "sheet.pdf", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["pixel_mm"] == 4
    assert [(each["width"], each["height"]) for each in told["placed_mm"] if each["title"] != "colour chart"] == [(48.0, 48.0)]
    assert Path("sheet.pdf.json").exists()
    found = carried("sheet.pdf")
    assert found is not None
    assert found["figure"]["kind"] == "print sheet"
    assert Record.read("sheet.pdf").operation.slug == "sticker"
    code, _, err = run("print", record, "--width-mm", "128", "--out", "sheet.pdf")
    assert code == 2
    assert "--overwrite" in err
    photo, frame, chart_frame = photographed(attacked)  # other stickers than the record's, but the same sign
    Image.fromarray(photo).save("photo.png")
    corners, chart = (" ".join(f"{x:.2f},{y:.2f}" for x, y in each) for each in (frame, chart_frame))
    code, out, err = run(
        "photo", "photo.png", "--corners", corners, "--record", "sheet.pdf", "--chart-corners", chart, "--out", "photo.pdf", "--json"
    )
    assert code == 0, err
    told = json.loads(out)
    assert np.allclose(told["shift"]["gain"], GAIN, atol=0.01)
    assert told["original"]["attack_holds"] is True
    assert told["label"]["name"] == "Stop"
    assert carried("photo.pdf")["figure"]["kind"] == "photograph of a print"  # type: ignore[index]
    code, out, err = run("photo", "photo.png", "--corners", corners, "--model", "signs")
    assert code == 0, err
    assert "The photograph is read as" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--width-mm", "0"), "is 0 mm"),
        (("--width-mm", "-5"), "is -5 mm"),
        (("--width-mm", "nan"), "nan"),
        (("--width-mm", "inf"), "inf"),
        (("--width-mm", "600000"), "has room for"),
        (("--width-mm", "0.5"), "printer's dot"),
        ((), "nothing is given"),
        (("--width-mm", "100", "--pixel-mm", "3"), "image and pixel are given"),
        (("--sticker-mm", "20", "--sticker", "none"), "No sticker is called"),
        (("--width-mm", "100", "--paper", "a5"), "none of a4, a3, letter"),
        (("--width-mm", "100", "--margin-mm", "-1"), "margin"),
        (("--width-mm", "100", "--bleed-mm", "99"), "bleed"),
        (("--width-mm", "100", "--run", "1"), "record of one run"),
    ],
)
def test_impossible_sheets_are_sentences_and_write_nothing(printable: Path, run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    code, _, err = run("print", str(printable), "--out", "sheet.pdf", *arguments)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err
    assert not Path("sheet.pdf").exists()
    assert not Path("sheet.pdf.json").exists()


@pytest.fixture(scope="module")
def printable(attacked: Attacked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from engine.record import image_entry, mask_entry, record_of

    _, clean, stickers, result = attacked
    entry = record_of(result, image=image_entry(clean), mask=mask_entry(compose(clean, stickers).mask), stickers=stickers)
    return entry.write(tmp_path_factory.mktemp("printable") / "record.json")


def test_a_record_without_stickers_prints_the_parts_of_its_mask(run: Run) -> None:
    code, _, err = run(
        *("attack", "--attack", "pgd", "--image", STOP, "--sticker", "4,4,6,6", "--sticker", "20,20,5,8", "--steps", "3", "--device", "cpu")
    )
    assert code == 0, err
    code, out, err = run("print", f"{STOP.stem}-pgd.json", "--pixel-mm", "3", "--out", "a.pdf", "--json", "--no-chart")
    assert code == 0, err
    assert sorted((each["width"], each["height"]) for each in json.loads(out)["placed_mm"]) == [(15.0, 24.0), (18.0, 18.0)]
    code, _, err = run("attack", "--attack", "fgsm", "--image", STOP, "--device", "cpu")
    assert code == 0, err
    code, _, err = run("print", f"{STOP.stem}-fgsm.json", "--pixel-mm", "3", "--out", "b.pdf")
    assert code == 2
    assert "nothing to cut out" in err


@pytest.mark.parametrize(
    ("corners", "sentence"),
    [
        ("1,2 3,4 5,6", "takes four corners"),
        ("a", "takes four corners"),
        ("1,2 3,4 5,6 7,8 9,10", "four corners"),
        ("0,0 9,0 0,9 9,9", "cross"),
    ],
)
def test_corners_on_the_command_line(run: Run, corners: str, sentence: str) -> None:
    code, _, err = run("photo", str(STOP), "--corners", corners)
    assert code == 2
    assert sentence in err


def test_a_study_prints_its_canvas_and_its_runs(run: Run, attacked: Attacked, tmp_path: Path) -> None:
    from dataclasses import replace

    from engine import study
    from engine.record import replay
    from engine.study import Canvas, Inputs, Study, StudyRun

    classifier, clean, stickers, result = attacked
    after = printing.attacked_stickers(result, stickers)
    begun = StudyRun(result, number=3, clean=clean, before=stickers, after=after, inputs=Inputs(region="stickers"))
    canvas = Canvas(classifier=classifier, clean=clean, stickers=after)
    path = study.write(Study(canvas=canvas, runs=(begun,)), tmp_path / "work.gibbon")
    code, out, err = run("print", path, "--width-mm", "128", "--out", "run.pdf", "--json")
    assert code == 0, err
    sizes = sorted((each["width"], each["height"]) for each in json.loads(out)["placed_mm"] if each["title"] != "colour chart")
    assert sizes == [(24.0, 20.0), (48.0, 48.0)]
    assert replay(Record.read("run.pdf")).same  # the canvas is as the run left it, so the sheet carries that run
    moved = replace(after[0], x=12)
    study.write(Study(canvas=replace(canvas, stickers=(moved,)), runs=(begun,)), path)
    code, out, err = run("print", path, "--width-mm", "128", "--out", "canvas.pdf", "--json")
    assert code == 0, err
    assert len(json.loads(out)["placed_mm"]) == 2
    found = carried("canvas.pdf")
    assert found is not None
    assert found["format"] == "gibbon-print"
    with pytest.raises(GibbonError, match="a sheet of stickers from a canvas"):
        Record.read("canvas.pdf")
    code, out, err = run("print", path, "--width-mm", "128", "--run", "3", "--out", "third.pdf", "--json")
    assert code == 0, err
    assert len(json.loads(out)["placed_mm"]) == 3
    code, _, err = run("print", path, "--width-mm", "128", "--run", "4", "--out", "fourth.pdf")
    assert code == 2
    assert "has no attack #4. It has: #3." in err
    study.write(Study(canvas=replace(canvas, stickers=())), path)
    code, _, err = run("print", path, "--width-mm", "128", "--out", "none.pdf")
    assert code == 2
    assert "has no stickers" in err
