"""Classes are matched by name, never by count; nothing is tested on what it was trained on."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import engine
from engine.class_matching import class_numbers
from engine.data import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS, DataSet, held_out, load, train_and_test
from engine.defenses import Train, accuracy
from engine.errors import GibbonError


@pytest.mark.parametrize(
    ("labels", "known", "expected"),
    [
        (("dog", "cat"), ("cat", "dog"), (1, 0)),
        (("Traffic_Light", "stop-sign"), ("stop sign", "traffic light"), (1, 0)),
        (("0", "1", "2"), ("a", "b", "c"), (0, 1, 2)),
        (("00002", "00000"), ("a", "b", "c"), (2, 0)),
        (("2", "7"), ("a", "b", "c"), (2, None)),
        (("3", "7"), DIGIT_LABELS, (3, 7)),
        (("03", "7"), DIGIT_LABELS, (3, 7)),
        (("0", "1", "2"), ("10", "20", "30"), (None, None, None)),
        (("ant", "bee"), ("cat", "dog"), (None, None)),
        (("crane", "dog"), ("crane", "dog", "crane"), (None, 1)),
        (("zero", "1"), ("zero", "one"), (0, None)),
        ((), ("a",), ()),
    ],
)
def test_a_class_is_the_one_of_its_name(labels: tuple[str, ...], known: tuple[str, ...], expected: tuple[int | None, ...]) -> None:
    assert class_numbers(labels, known) == expected


def folders(root: Path, names: list[str], each: int = 1, side: int = 32, **fixed: int) -> Path:
    draw = np.random.default_rng(0)
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(each):
            Image.fromarray(draw.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(root / name / f"{number}.png")
    return root


def test_folders_of_numbers_are_class_numbers(tmp_path: Path) -> None:
    data, signs = load(f"folder:{folders(tmp_path, [str(n) for n in range(43)])}"), engine.models.load("signs", device="cpu")
    assert data.labels == tuple(str(number) for number in range(43))  # 2 before 10
    assert int(data.targets[data.labels.index("14")]) == 14
    assert data.targets_for(signs.labels).tolist() == list(range(43))


def test_other_names_are_no_classes_of_the_model(tmp_path: Path) -> None:
    names = ["ant", "bee", "cow", "eel", "fox", "gnu", "hen", "owl", "pig", "yak"]
    data, objects = load(f"folder:{folders(tmp_path, names)}"), engine.models.load("objects", device="cpu")
    with pytest.raises(GibbonError, match="“objects” has no class “ant”, “bee”, “cow”, “eel”, “fox” and 5 more"):
        accuracy(objects, data)
    with pytest.raises(GibbonError, match="no class"):
        engine.run(Train(epochs=1), objects, data=data)


def test_training_and_accuracy_take_classes_by_name(tmp_path: Path) -> None:
    """The folders in another order than the model's classes: what is trained, and what is counted, is the class of that name."""
    objects = engine.models.load("objects", device="cpu")
    shuffled = DataSet(
        "turned", tuple(reversed(CIFAR10_LABELS)), torch.zeros(10, 3, 32, 32, dtype=torch.uint8), torch.arange(10), "made up"
    )
    assert shuffled.targets_for(objects.labels).tolist() == list(range(9, -1, -1))
    predicted = objects.predict(shuffled.batch(slice(None))[0])
    expected = float((predicted == torch.arange(9, -1, -1)).float().mean())
    assert accuracy(objects, shuffled) == pytest.approx(expected)


def test_an_experiment_refuses_classes_of_other_names() -> None:
    from engine.reproduce.experiment import check_fit

    objects = engine.models.load("objects", device="cpu")
    renamed = DataSet("x", tuple("abcdefghij"), torch.zeros(10, 3, 32, 32, dtype=torch.uint8), torch.arange(10), "made up")
    with pytest.raises(GibbonError, match="classes of their own names"):
        check_fit(objects, renamed)


# ------------------------------------------------------------------ splits


def test_held_out_images_are_of_every_class_and_no_other_s(tmp_path: Path) -> None:
    data = load(f"folder:{folders(tmp_path, ['a', 'b', 'c'], each=10, side=4)}")
    train, test = held_out(data, seed=3)
    assert (len(train), len(test)) == (24, 6)
    assert test.targets.bincount().tolist() == [2, 2, 2]
    pixels = {image.numpy().tobytes() for image in train.images}
    assert not pixels & {image.numpy().tobytes() for image in test.images}
    again = held_out(data, seed=3)[1]
    assert torch.equal(test.images, again.images)
    assert not torch.equal(test.images, held_out(data, seed=4)[1].images)
    with pytest.raises(GibbonError, match="none can be held out"):
        held_out(data.subset([0, 10, 20]))


@pytest.mark.parametrize("name", ["generated:digits", "generated:signs"])
def test_a_drawn_set_is_drawn_anew_for_the_test(name: str) -> None:
    train, test = (one.images for one in (load(name, count=43, seed=0), load(name, count=43, seed=1)))
    assert not torch.equal(train, test)
    with pytest.raises(GibbonError, match="without a “test” part"):
        load(name, "test")
    with pytest.raises(GibbonError, match="without a “train” part"):
        load(name, "train")


def test_folders_named_train_and_test_are_the_splits(tmp_path: Path) -> None:
    folders(tmp_path / "train", ["a", "b"], each=3, side=4)
    folders(tmp_path / "test", ["a", "b"], each=2, side=4)
    name = f"folder:{tmp_path}"
    train, test = train_and_test(name)
    assert (len(train), len(test)) == (6, 4)
    assert (train.name, test.name) == (f"{name}:train", f"{name}:test")
    assert len(load(name)) == 4


def test_training_on_a_folder_is_tested_on_other_images(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Pure noise: whoever tests on the training images reports 100 %."""
    folder = folders(tmp_path / "noise", [f"c{number}" for number in range(10)], each=5)
    flags = ("--epochs", "12", "--batch-size", "10", "--augment", "none")
    code, said, complained = run("train", "objects", "--data-set", f"folder:{folder}", *flags, "--out", tmp_path / "out")
    assert code == 0, complained
    assert "10 of 50 images held out by seed 0" in said
    assert float(said.split(": ")[1].split(" %")[0]) < 60
    card = (tmp_path / "out/objects.json").read_text()
    assert "held out" in card
    assert '"c0"' in card  # a new network takes over the data set's class names


# ------------------------------------------------------------------ damaged and hostile sets


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": None}, "no name of a data set"),
        ({"name": "generated:signs", "count": 1.5}, "whole number"),
        ({"name": "generated:signs", "count": "many"}, "whole number"),
        ({"name": "generated:signs", "count": True}, "whole number"),
        ({"name": "generated:signs", "count": 1_000_000}, "1,000,000 drawn images"),
        ({"name": "generated:signs", "count": 5, "size": (32, 48)}, "square"),
        ({"name": "generated:signs", "count": 5, "size": "large"}, "no size"),
        ({"name": "generated:signs", "count": 5, "seed": "x"}, "no seed"),
        ({"name": "mnist", "split": "validation"}, "no split"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_at_once(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence):
        load(**arguments)


def idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes() + values.astype(np.uint8).tobytes()


def test_mnist_with_damage_is_refused(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    (raw / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((2, 28, 28))))
    (raw / "t10k-labels-idx1-ubyte").write_bytes(idx(np.array([3, 12])))
    with pytest.raises(GibbonError, match="a label 12, but digits end at 9"):
        load("mnist", root=tmp_path)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(idx(np.array([3, 2]))[:9])
    with pytest.raises(GibbonError, match="cut short"):
        load("mnist", root=tmp_path)
    (raw / "t10k-images-idx3-ubyte").unlink()
    packed = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (2, 28, 28))))
    for damaged in (packed[:200], packed[:5], packed[:20] + b"\xff" * 40 + packed[60:], b"not gzip"):
        (raw / "t10k-images-idx3-ubyte.gz").write_bytes(damaged)
        with pytest.raises(GibbonError, match="fetch it again"):
            load("mnist", root=tmp_path)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("Filename;ClassId\n../../../../secret.ppm;3\n", "lies outside"),
        ("Filename;ClassId\n/etc/hostname;3\n", "lies outside"),
        ("Filename;ClassId\n0.ppm;stop\n", "cannot be read as the list"),
        ("Filename;ClassId\n0.ppm;-1\n", "has a class -1"),
        ("Filename;ClassId\n0.ppm;43\n", "has a class 43"),
        ("Filename;Class\n0.ppm;3\n", "no column"),
        ("Filename;ClassId\n0.ppm\n", "cannot be read as the list"),
    ],
)
def test_a_table_of_test_images_is_not_trusted(table: str, sentence: str, tmp_path: Path) -> None:
    inside = tmp_path / "gtsrb/GTSRB/Final_Test/Images"
    inside.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(inside / "0.ppm")
    Image.new("RGB", (32, 32)).save(tmp_path / "secret.ppm")
    (tmp_path / "gtsrb/GT-final_test.csv").write_text(table)
    with pytest.raises(GibbonError, match=sentence):
        load("gtsrb", "test", tmp_path)


def test_the_official_sets_keep_their_numbers(tmp_path: Path) -> None:
    folders(tmp_path / "cifar10/test", sorted(CIFAR10_LABELS))
    assert load("cifar10", root=tmp_path).targets.tolist() == list(range(10))
    (tmp_path / "cifar10/test/aardvark").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "cifar10/test/aardvark/0.png")
    with pytest.raises(GibbonError, match="“aardvark” stands among the classes"):
        load("cifar10", root=tmp_path)
    folders(tmp_path / "gtsrb/GTSRB/Training", ["00000", "00014"])
    assert [SIGN_LABELS[target] for target in load("gtsrb", "train", tmp_path).targets] == ["Speed limit 20", "Stop"]
