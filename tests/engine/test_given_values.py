"""Images and stickers refuse values of another type in one sentence, and take NumPy's numbers for numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import images as i
from engine import stickers as s
from engine.errors import GibbonError

IMAGE = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
STICKER = s.Sticker(1, 0, 0, 3, 3)
PAINTED = s.Sticker(1, 0, 0, 3, 3, s.Optimised())
PHOTOGRAPH = i.from_array(np.zeros((50, 60, 3), np.uint8), "black")


def sticker(**other: Any) -> s.Sticker:
    return s.Sticker(**{"id": 1, "x": 0, "y": 0, "width": 3, "height": 3, **other})


def check(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence) as caught:
        call()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sticker(id=None), "id is nothing"),
        (lambda: sticker(id=1.5), "id is 1.5"),
        (lambda: sticker(x=10**30), "beyond every image"),
        (lambda: sticker(name=3), "name is 3"),
        (lambda: sticker(opacity=True), "opacity is yes"),
        (lambda: s.Colour((0.1, True, 0.2)), "no colour"),  # type: ignore[arg-type]
        (lambda: s.Pixels(None), "picture of a sticker is nothing"),  # type: ignore[arg-type]
        (lambda: s.Pixels(np.zeros((3, 4, 4))), "ndarray"),  # type: ignore[arg-type]
        (lambda: s.Pixels(IMAGE * 255), "Divide 8-bit levels by 255"),
        (lambda: s.Pixels(IMAGE * torch.nan), "nan"),
        (lambda: s.Pixels(IMAGE[:, :0]), "shape"),
        (lambda: s.Optimised(IMAGE[0]), "shape"),
        (lambda: s.Optimised(IMAGE.byte()), "uint8"),
        (lambda: s.contains(None, 1, 1), "is no sticker"),  # type: ignore[arg-type]
        (lambda: s.contains(STICKER, "a", 1), "no place on an image"),  # type: ignore[arg-type]
        (lambda: s.between(1, (float("nan"), 0), (1, 1)), "nan is no place"),
        (lambda: s.between(1, None, (1, 1)), "no corner"),  # type: ignore[arg-type]
        (lambda: s.between(1, (0, 0), (1e30, 1)), "beyond every image"),
        (lambda: s.moved(STICKER, float("inf"), 0), "no place"),
        (lambda: s.resized(STICKER, "q", 1, 1), "no handle"),  # type: ignore[arg-type]
        (lambda: s.resized(STICKER, None, 1, 1), "no handle"),  # type: ignore[arg-type]
        (lambda: s.resized(STICKER, "e", float("nan"), 1), "no place"),
        (lambda: s.handle_position(STICKER, "q"), "no handle"),  # type: ignore[arg-type]
        (lambda: s.kept_on_image(STICKER, 0, 8), "height of the image is 0"),
        (lambda: s.scaled(STICKER, (0, 8), (8, 8)), "height before is 0"),
        (lambda: s.scaled(STICKER, (8, 8), 9), "size after is 9"),  # type: ignore[arg-type]
        (lambda: s.next_id([1, 2]), "is no sticker"),  # type: ignore[list-item]
        (lambda: s.reordered([STICKER], 9, 1), "no sticker 9. There are: 1"),
        (lambda: s.reordered([STICKER], 1, 1.5), "places is 1.5"),  # type: ignore[arg-type]
        (lambda: s.find_hit(None, 1, 1, 1), "no sequence of stickers"),  # type: ignore[arg-type]
        (lambda: s.coverage(STICKER, -1, 5), "height of the image is -1"),
        (lambda: s.content_of(STICKER, 0), "number of channels is 0"),
        (lambda: s.content_of(sticker(width=10**5, height=10**5, content=s.Pixels(IMAGE)), 3), "100 megapixels"),
        (lambda: s.paint(None, [STICKER]), "image is nothing"),  # type: ignore[arg-type]
        (lambda: s.paint(IMAGE[None], [STICKER]), "shape"),
        (lambda: s.paint((IMAGE * 255).byte(), [STICKER]), "uint8"),
        (lambda: s.paint(IMAGE, STICKER), "no sequence of stickers"),  # type: ignore[arg-type]
        (lambda: s.compose(IMAGE, [None]), "is no sticker"),  # type: ignore[list-item]
        (lambda: s.with_content([PAINTED], IMAGE[0]), "shape"),
        (lambda: s.with_content([sticker(width=10**5, height=10**5, content=s.Optimised())], IMAGE), "100 megapixels"),
    ],
)
def test_what_is_no_sticker_or_no_place_for_one_is_refused(call: Callable[[], object], sentence: str) -> None:
    check(call, sentence)


def test_numbers_of_numpy_are_numbers() -> None:
    found = sticker(x=np.int64(2), width=np.uint8(4), opacity=np.float32(0.5), content=s.Colour([np.float32(1), 0, 0.5]))  # type: ignore[arg-type]
    assert (found.x, found.width, found.opacity) == (2, 4, 0.5)
    assert [type(value) for value in (found.x, found.width, found.opacity)] == [int, int, float]  # so that a record can hold them
    assert found.content == s.Colour((1.0, 0.0, 0.5))


def test_a_large_sticker_of_one_colour_takes_no_memory() -> None:
    for content in (s.Colour(), s.Optimised()):
        assert s.paint(IMAGE, [sticker(x=-(10**8), width=10**9, height=10**9, content=content)]).shape == IMAGE.shape


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: i.lattice(None), "images are nothing"),  # type: ignore[arg-type]
        (lambda: i.levels(IMAGE.byte()), "uint8"),
        (lambda: i.Photograph(None, "x", ""), "not 8-bit pixels"),  # type: ignore[arg-type]
        (lambda: i.Photograph(np.zeros((3, 3)), "x", ""), "from_array"),  # type: ignore[arg-type]
        (lambda: i.Photograph(np.zeros((3, 3, 4), np.uint8), "x", ""), "from_array"),
        (lambda: PHOTOGRAPH.default_crop(None), "is no classifier"),  # type: ignore[arg-type]
        (lambda: PHOTOGRAPH.crop_to(3), "is no classifier"),  # type: ignore[arg-type]
        (lambda: i.published_crop(PHOTOGRAPH, None), "is no classifier"),  # type: ignore[arg-type]
        (lambda: i.read(None, None), "names no file"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_image_or_no_classifier_is_refused(call: Callable[[], object], sentence: str) -> None:
    check(call, sentence)


@pytest.mark.parametrize("crop", [5, "abcd", (1, 2, 3), ("a", 0, 1, 1), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1)])
def test_what_is_no_crop_is_refused(crop: Any, small: Any) -> None:
    check(lambda: PHOTOGRAPH.crop_to(small, crop), "is no crop")


@pytest.mark.parametrize("path", [None, 3, "", ".", "a\0.png", "/dev/full", b"a.png"])
def test_what_names_no_png_is_refused(path: Any) -> None:
    check(lambda: i.write_png(path, IMAGE), "names no file|no ordinary file|is a folder")


def test_a_folder_is_not_written_beside(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    check(lambda: i.write_png(tmp_path / "name", IMAGE), "is a folder")
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


@pytest.mark.parametrize("text", [["a"], {"a": 3}, {None: "a"}, {"": "a"}, {"k" * 80: "a"}, {"клю": "a"}, {"a": "\ud800"}])
def test_texts_that_a_png_cannot_hold_are_refused_and_nothing_is_written(text: Any, tmp_path: Path) -> None:
    check(lambda: i.write_png(tmp_path / "a.png", IMAGE, text), "PNG")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"labels": ["Stop"]}, r"labels are \['Stop'\].*classifier\.labels\.index"),
        ({"labels": "Stop"}, "class numbers are needed"),
        ({"targets": [None]}, "targets are .*class numbers are needed"),
        ({"seed": "a"}, "'a' is no seed"),
        ({"seed": 1.5}, "no seed"),
        ({"seed": None}, "no seed"),
        ({"seed": True}, "no seed"),
    ],
)
def test_a_run_is_given_class_numbers_and_a_whole_seed(small: engine.Classifier, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence):
        engine.run(engine.attacks.FGSM(), small, torch.rand(1, 3, 8, 8), **given)


def test_a_seed_may_be_numpy_s(small: engine.Classifier) -> None:
    images = torch.rand(1, 3, 8, 8)
    one, other = (engine.run(engine.attacks.Noise(), small, images, seed=seed) for seed in (3, np.int64(3)))
    assert torch.equal(one.adversarial, other.adversarial)
    assert type(other.provenance["seed"]) is int
