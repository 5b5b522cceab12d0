"""Images with their true boxes: the JSON of boxes, drawn scenes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.data.generated.boxed_scenes import SCENE_LABELS, SIZES, draw_boxed_scene
from engine.errors import GibbonError
from engine.images import write_png
from engine.object_detection.pictures import check_drawn, drawn_pictures, read_pictures

LABELS = ["cat", "dog"]


def written(folder: Path, images: Any, **more: Any) -> Path:
    path = folder / "boxes.json"
    path.write_text(json.dumps({"format": "gibbon-boxes", "images": images, **more}), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_png(tmp_path / "a.png", torch.rand(3, 20, 30))
    write_png(tmp_path / "b.png", torch.rand(3, 20, 30))
    write_png(tmp_path / "large.png", torch.rand(1, 40, 30))
    return tmp_path


def test_boxes_are_read_for_the_images_that_are_named_or_for_all(folder: Path) -> None:
    entries = [
        {"file": "a.png", "boxes": [{"box": [1, 2, 10.5, 12], "label": "Dog"}, {"box": [0, 0, 30, 20], "label": 0}]},
        {"file": "b.png", "boxes": []},
    ]
    path = written(folder, entries)
    every = read_pictures([], path, LABELS)
    assert every.names == ("a.png", "b.png")
    assert every.truths is not None
    assert every.truths[0].xyxy.tolist() == [[1, 2, 10.5, 12], [0, 0, 30, 20]]
    assert every.truths[0].labels.tolist() == [1, 0]
    assert len(every.truths[1]) == 0
    assert every.batch().shape == (2, 3, 20, 30)
    one = read_pictures([folder / "b.png"], path, LABELS)
    assert one.truths is not None
    assert one.names == ("b.png",)
    assert read_pictures([folder / "a.png"], None, LABELS).truths is None
    assert read_pictures([folder], None, LABELS).names == ("a.png", "b.png", "large.png")
    assert read_pictures([folder / "large.png"], None, LABELS, 1).images[0].shape == (1, 40, 30)


BOX = {"box": [1, 2, 3, 4], "label": "dog"}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "is no file of boxes"),
        ([{"file": "a.png"}], "Image 0 in “boxes.json” has no file or no list of boxes"),
        ([{"file": "a.png", "boxes": [{"box": [1, 2, 3], "label": "dog"}]}], "A box of “a.png”"),
        ([{"file": "a.png", "boxes": [{**BOX, "box": [1, 2, True, 4]}]}], "A box of “a.png”"),
        ([{"file": "a.png", "boxes": [{"box": [1, 2, 3, 4]}]}], "A box of “a.png”"),
        ([{"file": "a.png", "boxes": [{**BOX, "label": "dgo"}]}], "Did you mean “dog”"),
        ([{"file": "a.png", "boxes": [{**BOX, "label": 2}]}], "2 is no class"),
        ([{"file": "a.png", "boxes": [{**BOX, "box": [5, 2, 3, 4]}]}], "right before its left"),
        ([{"file": "b.png", "boxes": [BOX]}], "has no entry for a.png"),
    ],
)
def test_files_of_boxes_that_are_none_are_refused(folder: Path, entries: Any, said: str) -> None:
    with pytest.raises(GibbonError, match=said):
        read_pictures([folder / "a.png"], written(folder, entries), LABELS)


def test_other_files_and_images_of_several_sizes_are_refused(folder: Path) -> None:
    (folder / "no.json").write_text("no", encoding="utf-8")
    with pytest.raises(GibbonError, match="is not JSON"):
        read_pictures([], folder / "no.json", LABELS)
    with pytest.raises(GibbonError, match="There is no file"):
        read_pictures([], folder / "gone.json", LABELS)
    (folder / "empty").mkdir()
    with pytest.raises(GibbonError, match="holds no image"):
        read_pictures([folder / "empty"], None, LABELS)
    with pytest.raises(GibbonError, match="There is no image"):
        read_pictures([], None, LABELS)
    with pytest.raises(GibbonError, match=r"“large.png” has 30 × 40 pixels and “a.png” 30 × 20"):
        read_pictures([folder / "a.png", folder / "large.png"], None, LABELS).batch()
    with pytest.raises(GibbonError, match="are not the classes of “mine”"):
        check_drawn(LABELS, "mine")
    with pytest.raises(GibbonError, match="0 scenes"):
        drawn_pictures(0, 0)


def test_drawn_scenes_repeat_themselves_and_their_boxes_lie_apart_around_signs() -> None:
    drawn = drawn_pictures(30, 3)
    again = drawn_pictures(10, 3, first=20)
    assert torch.equal(drawn.batch()[20:], again.batch())
    assert not torch.equal(drawn.images[0], drawn_pictures(1, 4).images[0])
    assert drawn.truths is not None
    counts = {len(boxes) for boxes in drawn.truths}
    assert counts == {1, 2, 3}
    for boxes in drawn.truths:
        sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
        assert float(sides.max()) <= SIZES[1]
        assert float(sides.min()) >= 0.6 * SIZES[0]
        assert float(boxes.xyxy.min()) >= 0
        assert float(boxes.xyxy.max()) <= 96
        assert int(boxes.labels.max()) < len(SCENE_LABELS)
        for first in range(len(boxes)):
            for other in range(first):
                a, b = boxes.xyxy[first], boxes.xyxy[other]
                assert bool(((a[:2] >= b[2:] + 2) | (b[:2] >= a[2:] + 2)).any())
        cells = {tuple(cell) for cell in ((boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 32).long().tolist()}
        assert len(cells) == len(boxes)  # so the toy's grid can hold all of them
    scene = draw_boxed_scene(0, 0)
    assert scene.pixels.dtype == np.uint8
    with pytest.raises(GibbonError, match="not negative"):
        draw_boxed_scene(0, -1)
