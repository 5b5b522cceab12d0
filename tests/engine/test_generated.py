"""Drawn signs and digits: the same bits from the same seed, every class, and the shipped samples from their script."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.bits import whole
from engine.data.generated import (
    DIGIT_LABELS,
    SIGN_LABELS,
    draw_digit,
    draw_sign,
    generated_digits,
    generated_signs,
    samples,
)
from engine.data.generated import __main__ as script
from engine.data.generated.canvas import INKS, Canvas
from engine.data.generated.faces import FACES, face
from engine.data.generated.geometry import arc, arrow_head, path, place, points
from engine.data.generated.photo import INK_COLOURS, Pose, blurred, reduced
from engine.data.generated.scenes import draw_scene
from engine.errors import GibbonError

SHIPPED = Path(__file__).parents[2] / "resources" / "samples"


@pytest.mark.parametrize("size", [16, 32, 64])
def test_every_sign_is_drawn_at_every_size(size: int) -> None:
    for label in range(len(SIGN_LABELS)):
        picture = draw_sign(label, 5, size)
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 2


def test_large_signs_are_drawn() -> None:
    assert draw_sign(14, 0, 256).shape == (256, 256, 3)
    assert draw_sign(14, 0, 400).shape == (400, 400, 3)


def test_the_same_seed_gives_the_same_bits() -> None:
    for label in (0, 14, 42):
        np.testing.assert_array_equal(draw_sign(label, 9), draw_sign(label, 9))
        assert (draw_sign(label, 9) != draw_sign(label, 10)).any()
    np.testing.assert_array_equal(draw_digit(3, 9), draw_digit(3, 9))
    assert (draw_digit(3, 9) != draw_digit(3, 10)).any()


def test_faces_differ_between_all_classes() -> None:
    assert len(FACES) == len(SIGN_LABELS) == 43
    pictures = []
    for label in range(43):
        inks, shares = face(label, 64)
        colours = np.array([INK_COLOURS[ink] for ink in inks])
        pictures.append(np.einsum("khw,kc->hwc", shares / 255.0, colours))
    for a in range(43):
        for b in range(a):
            assert np.abs(pictures[a] - pictures[b]).max() > 0.2, (SIGN_LABELS[a], SIGN_LABELS[b])


def test_mirrored_signs_are_mirrored() -> None:
    for right, left in ((33, 34), (36, 37), (38, 39), (20, 19)):
        difference = np.abs(face(right, 128)[1][:, :, ::-1].astype(int) - face(left, 128)[1].astype(int))
        assert difference.mean() < 2


def test_a_face_covers_each_pixel_at_most_once() -> None:
    for label in range(43):
        assert face(label, 64)[1].astype(int).sum(axis=0).max() <= 255 + len(INKS)


def test_sets_take_the_classes_in_turn() -> None:
    images, labels = whole(generated_signs(45, 7))
    assert images.shape == (45, 32, 32, 3)
    assert labels.dtype == np.int64
    assert labels.tolist() == [*range(43), 0, 1]
    np.testing.assert_array_equal(images[:3], whole(generated_signs(3, 7))[0])
    assert (images[0] != images[43]).any()
    assert (images[0] != whole(generated_signs(1, 8))[0][0]).any()
    digits, labels = whole(generated_digits(12, 7))
    assert digits.shape == (12, 28, 28)
    assert labels.tolist() == [*range(10), 0, 1]
    assert whole(generated_digits(0, 0))[0].shape == (0, 28, 28)


def test_digits_are_framed_as_mnist() -> None:
    at = np.arange(28) - 13.5
    for label in range(len(DIGIT_LABELS)):
        picture = draw_digit(label, 2).astype(float)
        rows, columns = np.where(picture > 100)
        assert 15 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
        assert abs((picture.sum(axis=0) * at).sum() / picture.sum()) < 1
        assert abs((picture.sum(axis=1) * at).sum() / picture.sum()) < 1
        assert picture.max() > 240
        assert picture[0].max() == 0


@pytest.mark.parametrize(("label", "seed", "size"), [(43, 0, 32), (-1, 0, 32), (0, -1, 32), (0, 0, 4), (0, 0, 5000)])
def test_what_cannot_be_drawn_is_said(label: int, seed: int, size: int) -> None:
    with pytest.raises(GibbonError):
        draw_sign(label, seed, size)
    with pytest.raises(GibbonError):
        draw_digit(label, seed, size)


def test_a_negative_number_is_said() -> None:
    with pytest.raises(GibbonError, match="not negative"):
        whole(generated_signs(-1, 0))


@pytest.mark.parametrize(
    ("draw_set", "draw", "classes", "sizes"),
    [(generated_digits, draw_digit, 10, (28, 20)), (generated_signs, draw_sign, 43, (32, 20))],
    ids=["digits", "signs"],
)
def test_a_set_that_is_drawn_again_is_the_same_in_memory_of_its_own(draw_set: Any, draw: Any, classes: int, sizes: tuple[int, int]) -> None:
    for size in sizes:
        first, _ = whole(draw_set(classes + 2, 3, size))
        first[:] = 0
        again, _ = whole(draw_set(classes + 2, 3, size))
        for row in (0, 1, classes + 1):
            np.testing.assert_array_equal(again[row], draw(row % classes, (3 << 20) + row // classes, size))


@pytest.mark.slow
def test_the_script_makes_the_shipped_samples_again(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    made = subprocess.run([sys.executable, "-m", "engine.data.generated", str(tmp_path)], capture_output=True, text=True, cwd=root)
    assert made.returncode == 0, made.stderr
    entries = json.loads((SHIPPED / samples.INDEX).read_text())
    again = json.loads((tmp_path / samples.INDEX).read_text())
    assert [entry["file"] for entry in again] == [entry["file"] for entry in entries]
    for entry, new in zip(entries, again, strict=True):
        shipped, picture = (np.asarray(Image.open(folder / entry["file"])) for folder in (SHIPPED, tmp_path))
        assert samples.pixels_sha256(shipped) == entry["sha256"]
        assert samples.pixels_sha256(picture) == new["sha256"]
        if platform.machine() in ("x86_64", "AMD64"):
            assert new == entry
        # elsewhere compilers fuse multiplications with additions, which may round a few pixels the other way
        assert np.abs(picture.astype(int) - shipped).max() <= 2
        assert (picture != shipped).mean() < 0.001


def test_the_samples_are_listed_and_nothing_else() -> None:
    entries = json.loads((SHIPPED / samples.INDEX).read_text())
    assert {entry["file"] for entry in entries} == {file.name for file in SHIPPED.glob("*.png")}
    assert {entry["size"] for entry in entries if entry["model"] == "signs"} == {32, 256}
    assert [entry["label"] for entry in entries if entry["model"] == "digits"] == list(range(10))
    for entry in entries:
        assert entry["label_name"] == (SIGN_LABELS if entry["model"] == "signs" else DIGIT_LABELS)[entry["label"]]


def test_the_script_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for arguments in ([], ["--help"], [str(file)]):
        assert script.main(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_scene_holds_its_sign_where_it_says() -> None:
    picture, (x, y, width, height) = draw_scene(14, 4, 128)
    assert picture.shape == (128, 128, 3)
    assert 0 <= x <= x + width <= 128
    assert 0 <= y <= y + height <= 128
    assert width == height
    red = (picture[..., 0] > 1.8 * picture[..., 1].astype(float)) & (picture[..., 0] > 80)
    rows, columns = np.where(red)
    assert red.mean() > 0.1
    assert x <= np.percentile(columns, 2)
    assert np.percentile(columns, 98) < x + width
    assert y <= np.percentile(rows, 2)
    assert np.percentile(rows, 98) < y + height


def test_paths_are_read() -> None:
    first, second = path("M 0 0 L 1 0 1 1 Z M 5 5 C 5 6 6 7 8 8")
    np.testing.assert_array_equal(first, [[0, 0], [1, 0], [1, 1], [0, 0]])
    np.testing.assert_array_equal(second[0], [5, 5])
    np.testing.assert_allclose(second[-1], [8, 8])
    t = 0.5  # the middle of the curve by its formula
    middle = (1 - t) ** 3 * 5 + 3 * t * (1 - t) ** 2 * 5 + 3 * t**2 * (1 - t) * 6 + t**3 * 8
    assert second[8, 0] == pytest.approx(middle)  # 16 pieces to a curve


def test_shapes_are_placed() -> None:
    np.testing.assert_allclose(place(points([1, 0]), 2, 10, 20, 90), [[10, 22]], atol=1e-12)
    np.testing.assert_allclose(arrow_head((3, 4), 90, 5, 2, 1)[0], [3, 4])


def test_a_disc_covers_its_area() -> None:
    canvas = Canvas(100)
    canvas.disc("red", 0, 0, 52)
    inks, shares = canvas.coverage()
    assert inks == ("red",)
    assert shares.sum() / 255.0 == pytest.approx(np.pi * 25**2, rel=0.01)
    canvas.fill("clear", arc(0, 0, 60, 0, 360))
    canvas.disc("white", 0, 0, 10)
    assert canvas.coverage()[0] == ("white",)


def test_an_upright_pose_maps_corners_to_corners() -> None:
    a, b, c, d, e, f, g, h = Pose(0.5, 0.5, 0.25, 0.25, 0.0, 0.0, 0.0).to_sign(64, 128, 100.0)
    for x, u in ((16.0, 0.0), (32.0, 64.0), (48.0, 128.0)):
        assert (a * x + b * x + c) / (g * x + h * x + 1) == pytest.approx(u, abs=1e-9)
        assert (d * x + e * x + f) / (g * x + h * x + 1) == pytest.approx(u, abs=1e-9)


def test_blur_and_reduction_keep_the_mean() -> None:
    image = np.random.default_rng(0).random((12, 12, 3), dtype=np.float32)
    np.testing.assert_allclose(reduced(image, 3), image.reshape(4, 3, 4, 3, 3).mean(axis=(1, 3)), atol=1e-6)
    np.testing.assert_allclose(blurred(np.ones_like(image), 1.3, 0.7), 1.0, atol=1e-6)
    assert blurred(image, 1.0, 1.0).std() < image.std()
