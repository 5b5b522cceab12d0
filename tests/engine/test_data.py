"""Data sets: read in the forms in which they lie on disks, spread, drawn from a seed; refusals name the cure."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.data import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS, DataSet, available, default_root, load
from engine.errors import GibbonError


def _idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes() + values.astype(np.uint8).tobytes()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three data sets in small: MNIST's files (the test images packed), GTSRB's folders, CIFAR-10's folders."""
    draw = np.random.default_rng(0)
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for stem, count in (("train", 12), ("t10k", 6)):
        images = draw.integers(0, 256, (count, 28, 28))
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(_idx(np.arange(count) % 10))
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(_idx(images))
    plain = raw / "t10k-images-idx3-ubyte"
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for index, sign in enumerate((14, 3)):
        _picture(tmp_path / f"gtsrb/GTSRB/Final_Test/Images/0000{index}.ppm", (32, 32), 40 + sign)
        lines.append(f"0000{index}.ppm;32;32;5;5;27;27;{sign}")
    (tmp_path / "gtsrb/GT-final_test.csv").write_text("\n".join(lines))
    for sign in range(3):
        _picture(tmp_path / f"gtsrb/GTSRB/Training/0000{sign}/00000_00000.ppm", (50, 40), sign)
    for label in reversed(CIFAR10_LABELS):
        _picture(tmp_path / f"cifar10/test/{label}/0001.png", (32, 32), len(label))
    return tmp_path


def _picture(path: Path, size: tuple[int, int], value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 2 * value, 255 - value)).save(path)


def test_mnist_in_plain_and_packed_form(root: Path) -> None:
    train, test = load("mnist", "train", root), load("mnist", "test", root)
    assert (len(train), len(test), test.shape, test.labels) == (12, 6, (1, 28, 28), DIGIT_LABELS)
    expected = np.random.default_rng(0).integers(0, 256, (12, 28, 28))
    assert np.array_equal(train.images[:, 0].numpy(), expected.astype(np.uint8))
    assert test.targets.tolist() == [0, 1, 2, 3, 4, 5]


def test_gtsrb_reads_the_official_list_and_scales_what_is_larger(root: Path) -> None:
    test, train = load("gtsrb", "test", root), load("gtsrb", "train", root)
    assert (test.targets.tolist(), train.targets.tolist()) == ([14, 3], [0, 1, 2])
    assert test.images[:, :, 0, 0].tolist() == [[54, 108, 201], [43, 86, 212]]
    assert train.shape == (3, 32, 32)
    assert test.labels[14] == "Stop"


def test_cifar10_folders_keep_the_official_order_of_classes(root: Path) -> None:
    test = load("cifar10", "test", root)
    assert test.images[:, 0, 0, 0].tolist() == [len(label) for label in CIFAR10_LABELS]
    assert test.targets.tolist() == list(range(10))


def test_available_lists_what_is_there(root: Path, tmp_path: Path) -> None:
    found = {entry.name: entry.splits for entry in available(root)}
    assert found["mnist"] == ("test", "train")
    assert found["cifar10"] == ("test",)
    nothing = [entry.name for entry in available(tmp_path / "nowhere")]
    assert nothing == ["generated:signs", "generated:digits"]


def test_count_is_spread_over_the_set(root: Path) -> None:
    assert load("mnist", "train", root, count=4).targets.tolist() == [0, 3, 6, 9]
    assert len(load("mnist", "train", root, count=99)) == 12


def test_root_comes_from_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBBON_DATA", str(root))
    assert default_root() == root
    assert len(load("mnist")) == 6


def test_folders_with_and_without_classes(tmp_path: Path) -> None:
    for label in ("cat", "ape"):
        _picture(tmp_path / f"set/{label}/one.png", (20, 10), len(label))
    data = load(f"folder:{tmp_path / 'set'}")
    assert (data.labels, data.targets.tolist(), data.shape) == (("ape", "cat"), [0, 1], (3, 10, 20))
    assert load(f"folder:{tmp_path / 'set'}", size=(8, 8)).shape == (3, 8, 8)
    flat = load(f"folder:{tmp_path / 'set/cat'}")
    assert (flat.labels, len(flat)) == (("cat",), 1)


@pytest.mark.parametrize(
    ("name", "split", "sentence"),
    [
        ("mnist", "test", "was not found under .*GIBBON_DATA"),
        (f"folder:{__file__}", "test", "is a file, not a folder"),
        ("imagenet", "test", "Use one of mnist"),
        ("mnist", "validation", "train"),
        ("generated:cats", "test", "Use one of generated:signs, generated:digits"),
        ("folder:/nowhere/at/all", "test", "“/nowhere/at/all” does not exist"),
    ],
)
def test_what_is_not_there_is_said_with_its_cure(tmp_path: Path, name: str, split: str, sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence):
        load(name, split, tmp_path)  # type: ignore[arg-type]


def test_damaged_files_are_named(root: Path) -> None:
    images = root / "MNIST/raw/train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-5])
    with pytest.raises(GibbonError, match="cut short"):
        load("mnist", "train", root)
    images.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(GibbonError, match="not one of MNIST"):
        load("mnist", "train", root)
    (root / "gtsrb/GTSRB/Final_Test/Images/00001.ppm").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(GibbonError, match=r"“00001\.ppm” is not an image"):
        load("gtsrb", "test", root)


def test_batches_and_thumbnails() -> None:
    images = torch.arange(2 * 12, dtype=torch.uint8).view(2, 1, 3, 4) * 10
    data = DataSet("made", ("a", "b"), images, torch.tensor([1, 0]), "made up")
    batch, targets = data.batch([1])
    assert torch.equal(batch[0, 0], images[1, 0] / 255)
    assert targets.tolist() == [0]
    assert data.images is images
    assert torch.equal(data.images, torch.arange(2 * 12, dtype=torch.uint8).view(2, 1, 3, 4) * 10)
    thumbnail = data.thumbnail(0)
    assert thumbnail.shape == (3, 4, 3)
    assert (thumbnail == images[0, 0].numpy()[..., None]).all()


@pytest.mark.parametrize(("name", "labels", "shape"), [("signs", SIGN_LABELS, (3, 32, 32)), ("digits", DIGIT_LABELS, (1, 28, 28))])
def test_drawn_sets_follow_their_seed(name: str, labels: tuple[str, ...], shape: tuple[int, int, int]) -> None:
    first, again, other = (load(f"generated:{name}", count=len(labels), seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    assert (first.shape, first.labels) == (shape, labels)
    assert sorted(first.targets.tolist()) == list(range(len(labels)))
    assert "drawn by this project" in first.source
