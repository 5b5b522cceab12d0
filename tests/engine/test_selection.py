"""Selections: how many images, of which classes, spread evenly or drawn by a seed; each image knows its number in the whole set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.data import Selection, load
from engine.errors import GibbonError
from tests.engine.test_data import _picture, root

__all__ = ["root"]


def test_without_a_seed_the_images_are_spread_evenly() -> None:
    assert Selection(4).places([0] * 10).tolist() == [0, 2, 5, 7]
    assert Selection().places([0] * 3).tolist() == [0, 1, 2]
    assert Selection(99).places([0] * 3).tolist() == [0, 1, 2]


def test_a_seed_draws_without_repetition_the_same_images_each_time() -> None:
    targets = list(range(100))
    one, again, other = (Selection(20, seed=seed).places(targets).tolist() for seed in (3, 3, 4))
    assert one == again != other
    assert len(set(one)) == 20
    assert one == sorted(one)


def test_drawn_images_come_from_the_whole_set_alike() -> None:
    hits = torch.zeros(10)
    for seed in range(400):
        hits[Selection(3, seed=seed).places([0] * 10)] += 1
    assert int(hits.sum()) == 1200
    # The expected count is 120, its standard deviation 9.2.
    assert float(hits.min()) > 120 - 4 * 9.2
    assert float(hits.max()) < 120 + 4 * 9.2


@pytest.mark.parametrize("seed", [None, 5])
def test_classes_are_chosen_before_the_count(seed: int | None) -> None:
    targets = torch.tensor([0, 1, 2] * 10)
    places = Selection(5, (2, 0), seed).places(targets)
    assert len(places) == 5
    assert set(targets[places].tolist()) <= {0, 2}


def test_each_image_of_mnist_has_its_number_in_the_whole_set(root: Path) -> None:
    whole = load("mnist", "train", root)
    assert whole.places == tuple(range(12))
    for some in (load("mnist", "train", root, count=5, draw=7), load("mnist", "train", root, classes=[0, 1], count=3)):
        assert torch.equal(some.images, whole.images[list(some.places)])
        assert torch.equal(some.targets, whole.targets[list(some.places)])
    assert load("mnist", "train", root, classes=[0, 1]).fitting == 4  # 12 images, the classes in turn: two of 0 and two of 1
    assert load("mnist", "train", root, count=5, draw=7).fitting == 12


def test_files_that_are_not_chosen_are_not_read(root: Path) -> None:
    (root / "cifar10/test/cat/0001.png").write_bytes(b"not an image")
    chosen = load("cifar10", "test", root, classes=[0, 9])
    assert [chosen.labels[target] for target in chosen.targets] == ["airplane", "truck"]
    assert chosen.places == (0, 9)
    with pytest.raises(GibbonError, match="damaged"):
        load("cifar10", "test", root)


def test_a_folder_keeps_the_numbers_of_the_files_that_could_be_read(tmp_path: Path) -> None:
    for number in range(4):
        _picture(tmp_path / f"set/{number}.png", (8, 8), number)
    (tmp_path / "set/1.png").write_bytes(b"broken")
    data = load(f"folder:{tmp_path / 'set'}")
    assert data.places == (0, 2, 3)
    assert data.subset([2, 0]).places == (3, 0)


@pytest.mark.parametrize(("name", "classes"), [("generated:digits", (3, 8)), ("generated:signs", (14,))])
def test_drawn_images_of_some_classes_are_those_of_the_whole_set(name: str, classes: tuple[int, ...]) -> None:
    some = load(name, count=4, classes=classes, seed=2)
    whole = load(name, count=max(some.places) + 1, seed=2)
    assert set(some.targets.tolist()) == set(classes)
    assert torch.equal(some.images, whole.images[list(some.places)])


def test_a_class_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(GibbonError, match="There is no class 10"):
        load("mnist", "test", root, classes=[10])
    with pytest.raises(GibbonError, match="There is no class 10"):
        load("generated:digits", classes=[10])
    with pytest.raises(GibbonError, match="names no classes"):
        load("mnist", "test", root, classes="3")
    with pytest.raises(GibbonError, match="No image of the data set"):
        load("mnist", "test", root, classes=[9])  # the test set in small ends at 5
    with pytest.raises(GibbonError, match="no seed"):
        load("mnist", "test", root, draw=1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("selection", "taken", "of", "sentence"),
    [
        (Selection(200), 200, 10_000, "200 of 10,000 images, spread evenly"),
        (Selection(200, seed=3), 200, 10_000, "200 of 10,000 images, drawn by seed 3"),
        (Selection(200), 10, 10, "all 10 images"),
        (Selection(), 1, 1, "1 image"),
        (Selection(5, (7,)), 5, 1000, "5 of 1,000 images of class 7, spread evenly"),
        (Selection(5, (7, 8)), 5, 5, "all 5 images of the classes 7, 8"),
        (Selection(5, (1, 2, 3, 4)), 5, 50, "5 of 50 images of 4 classes, spread evenly"),
        (Selection(20), 20, None, "20 images, in their order"),
    ],
)
def test_the_selection_says_itself(selection: Selection, taken: int, of: int | None, sentence: str) -> None:
    assert selection.words(taken, of, [str(number) for number in range(10)]) == sentence


def test_numbers_of_numpy_are_classes_too(root: Path) -> None:
    assert len(load("mnist", "train", root, classes=np.arange(2).tolist())) == 4
