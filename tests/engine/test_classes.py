"""Classes are matched by name, never by count; nothing is tested on what it was trained on."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import engine
from engine import data as data_sets
from engine.class_matching import class_numbers
from engine.cli import main
from engine.data import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS, DataSet, held_out, load, train_and_test
from engine.defenses import Train, accuracy
from engine.errors import GibbonError
from engine.models import ARCHITECTURES

DIGITS = load("generated:digits", count=4)


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


def folders(root: Path, names: list[str], each: int = 1, side: int = 32, seed: int = 0) -> Path:
    draw = np.random.default_rng(seed)
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


@pytest.mark.parametrize(("source", "name"), [("signs", "generated:digits"), ("objects", "generated:digits:3")])
def test_digits_are_no_numbers_of_other_classes(source: str, name: str) -> None:
    """The names of digits say what is seen; as numbers of signs they would be nonsense."""
    classifier, digits = engine.models.load(source, device="cpu"), replace(load("generated:digits", count=20), name=name)
    assert set(digits.numbers_in(classifier.labels)) == {None}
    with pytest.raises(GibbonError, match=f"“{source}” has no class “0”, .* Choose another data set or another network"):
        digits.targets_for(classifier.labels, source)
    with pytest.raises(GibbonError, match="10 classes, but “signs” is a network for 43"):
        ARCHITECTURES["signs"].labels_for(digits)
    numbered = replace(digits, name="folder:mine")
    assert numbered.numbers_in(classifier.labels) == tuple(range(10))


def test_a_network_for_digits_takes_no_ten_signs_out_of_all() -> None:
    signs, digits = load("generated:signs", count=86), engine.models.load("digits", device="cpu")
    assert signs.among(digits.labels) is signs
    with pytest.raises(GibbonError, match="“digits” has no class"):
        signs.targets_for(digits.labels, "digits")
    with pytest.raises(GibbonError, match="has no class “0”"):
        signs.of_classes(digits.labels)
    assert set(load("generated:digits", count=20).among(("3", "7")).labels) == {"3", "7"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("--from", "digits", "--data-set", "generated:signs"), "“digits” has no class"),
        (("signs", "--data-set", "generated:digits"), "10 classes, but “signs” is a network for 43"),
        (("--from", "signs", "--data-set", "generated:digits"), "“signs” has no class “0”"),
    ],
)
def test_a_training_on_other_classes_is_refused_before_it_begins(
    given: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["train", *given, "--count", "86", "--epochs", "1", "--out", str(out)]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("**/*.safetensors"))


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
    folders(tmp_path / "test", ["a", "b"], each=2, side=4, seed=1)
    name = f"folder:{tmp_path}"
    train, test = train_and_test(name)
    assert (len(train), len(test)) == (6, 4)
    assert (train.name, test.name) == (f"{name}:train", f"{name}:test")
    assert len(load(name)) == 4


def contents(data: DataSet) -> set[bytes]:
    return {image.numpy().tobytes() for image in data.images}


@pytest.mark.parametrize("seed", range(6))
def test_copies_of_one_image_are_not_tested_where_one_is_trained_on(seed: int, tmp_path: Path) -> None:
    folder = folders(tmp_path, ["a", "b"], each=5, side=4)
    for path in [*folder.glob("a/*.png"), *folder.glob("b/*.png")]:
        shutil.copy(path, path.with_name(f"copy of {path.name}"))
    shutil.copy(next(folder.glob("a/*.png")), folder / "b/strayed.png")  # even under another class
    data = load(f"folder:{folder}")
    train, test = held_out(data, seed)
    assert len(train) + len(test) == len(data) == 21
    assert len(test) >= 2
    assert not contents(train) & contents(test)


def test_copies_alone_cannot_be_split(tmp_path: Path) -> None:
    folder = folders(tmp_path, ["a"], each=1, side=4)
    for number in range(4):
        shutil.copy(next(folder.glob("a/*.png")), folder / f"a/copy{number}.png")
    with pytest.raises(GibbonError, match="none can be held out"):
        held_out(load(f"folder:{folder}"))


def test_a_test_folder_is_tested_without_the_images_that_are_trained_on(tmp_path: Path) -> None:
    folders(tmp_path / "train", ["a", "b"], each=3, side=4)
    shutil.copytree(tmp_path / "train", tmp_path / "test")
    with pytest.raises(GibbonError, match="nothing would be tested"):
        train_and_test(f"folder:{tmp_path}")
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "test/b/new.png")
    train, test = train_and_test(f"folder:{tmp_path}")
    assert (len(train), len(test)) == (6, 1)
    assert test.images[0, :, 0, 0].tolist() == [1, 2, 3]
    assert "6 of 7 images left out, which are trained on" in test.name
    assert "since they are trained on." in test.notes[-1]


def test_a_test_of_strange_classes_is_refused_before_the_training(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(10)]
    folders(tmp_path / "set/train", names, each=2)
    folders(tmp_path / "set/test", ["c0", "strange"], each=3, seed=1)
    out = tmp_path / "out"
    code, _, complained = run("train", "objects", "--data-set", f"folder:{tmp_path / 'set'}", "--epochs", "1000", "--out", out)
    assert code == 2
    assert "has no class “strange”" in complained
    assert not out.exists()


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
        ({"name": "generated:signs", "count": [3]}, "count is a list"),
        ({"name": "mnist", "root": 3}, "no folder of data sets"),
        ({"name": "folder:"}, "names no folder"),
        ({"name": "folder:a\0b"}, "names no folder"),
        ({"name": "folder:~nobody at all/x"}, "is not a folder"),
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
        ("Filename;ClassId\n0.ppm;stop\n", "line 2, has “stop” for a class"),
        ("Filename;ClassId\n0.ppm;-1\n", "has “-1” for a class"),
        ("Filename;ClassId\n0.ppm;43\n", "has a class 43"),
        ("Filename;Class\n0.ppm;3\n", "has nothing under ClassId"),
        ("Filename;ClassId\n0.ppm\n", "has nothing under ClassId"),
        ("Filename;ClassId\n0.ppm;1_0\n", "has “1_0” for a class"),
        ("Filename;ClassId\n;3\n", "has nothing under Filename"),
        ("Filename;ClassId\nlink.ppm;3\n", "lies outside"),
        ("Filename;ClassId\n", "holds no images"),
    ],
)
def test_a_table_of_test_images_is_not_trusted(table: str, sentence: str, tmp_path: Path) -> None:
    inside = tmp_path / "gtsrb/GTSRB/Final_Test/Images"
    inside.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(inside / "0.ppm")
    Image.new("RGB", (32, 32)).save(tmp_path / "secret.ppm")
    (inside / "link.ppm").symlink_to(tmp_path / "secret.ppm")
    listed = tmp_path / "gtsrb/GT-final_test.csv"
    listed.write_text(table)
    with pytest.raises(GibbonError, match=sentence):
        load("gtsrb", "test", tmp_path)
    listed.write_bytes(b"\xef\xbb\xbfFilename;ClassId\n0.ppm;3\n")  # as spreadsheets save it
    assert load("gtsrb", "test", tmp_path).targets.tolist() == [3]


def test_the_official_sets_keep_their_numbers(tmp_path: Path) -> None:
    folders(tmp_path / "cifar10/test", sorted(CIFAR10_LABELS))
    assert load("cifar10", root=tmp_path).targets.tolist() == list(range(10))
    (tmp_path / "cifar10/test/aardvark").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "cifar10/test/aardvark/0.png")
    with pytest.raises(GibbonError, match="“aardvark” is among the classes"):
        load("cifar10", root=tmp_path)
    folders(tmp_path / "gtsrb/GTSRB/Training", ["00000", "00014"])
    assert [SIGN_LABELS[target] for target in load("gtsrb", "train", tmp_path).targets] == ["Speed limit 20", "Stop"]


def test_numpy_numbers_are_whole_numbers() -> None:
    assert len(load("generated:digits", count=np.int64(3), seed=np.int32(1))) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: data_sets.shape_of(None), "no name of a data set"),  # type: ignore[arg-type]
        (lambda: data_sets.splits_of(3), "no name of a data set"),  # type: ignore[arg-type]
        (lambda: data_sets.available(3), "no folder of data sets"),  # type: ignore[arg-type]
        (lambda: train_and_test(None), "no name of a data set"),  # type: ignore[arg-type]
        (lambda: DataSet("x", ("a",), None, None, ""), "a tensor is needed"),  # type: ignore[arg-type]
        (lambda: DataSet("x", ("a",), torch.zeros(2, 3, 4, 4), torch.zeros(2), ""), "uint8"),
        (lambda: DataSet("x", ("a",), torch.zeros(1, 3, 4, 4).byte(), torch.tensor([1]), ""), "there are 1 labels"),
        (lambda: DataSet("x", ("a",), torch.zeros(1, 3, 4, 4).byte(), torch.tensor([-1]), ""), "from -1"),
        (lambda: DIGITS.batch([9]), "has 4 images"),
        (lambda: DIGITS.batch("x"), "names no images"),  # type: ignore[arg-type]
        (lambda: DIGITS.batch([1.5]), "whole numbers"),  # type: ignore[list-item]
        (lambda: DIGITS.subset(None), "names no images"),  # type: ignore[arg-type]
        (lambda: DIGITS.subset([-5]), "has 4 images"),
        (lambda: DIGITS.thumbnail(4), "has 4 images"),
        (lambda: DIGITS.thumbnail("x"), "names no images"),  # type: ignore[arg-type]
    ],
)
def test_a_data_set_refuses_in_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence) as caught:
        call()
    assert str(caught.value).endswith(".")


def test_a_stray_folder_among_published_classes_is_the_one_that_is_named(tmp_path: Path) -> None:
    folders(tmp_path / "gtsrb/GTSRB/Training", ["00000", "00014", "notes"], each=1)
    with pytest.raises(GibbonError, match="A folder “notes” is among the classes"):
        load("gtsrb", "train", tmp_path)
    shutil.rmtree(tmp_path / "gtsrb/GTSRB/Training/notes")
    assert load("gtsrb", "train", tmp_path).targets.tolist() == [0, 14]


def test_the_shape_is_that_of_the_images_that_are_loaded(tmp_path: Path) -> None:
    """The first image that can be read decides, in the order of the classes, whichever images are asked for."""
    for name, side in (("10", 5), ("2", 7)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(b"no image")
        Image.new("RGB", (side, 4)).save(tmp_path / name / "1.png")
    for count in (None, 3, 4):
        assert load(f"folder:{tmp_path}", count=count).shape == (3, 4, 7) == data_sets.shape_of(f"folder:{tmp_path}")


def test_an_attack_that_learns_from_a_folder_says_which_files_were_left_out(tmp_path: Path) -> None:
    """Broken files are counted and named wherever the data set is used, not only where it is loaded."""
    folder = folders(tmp_path, ["14", "1"], each=3)
    (folder / "1/broken.png").write_bytes(b"no image")
    signs, data = engine.models.load("signs", device="cpu"), load(f"folder:{folder}")
    result = engine.run(engine.attacks.Universal(eps=0.1, steps=2), signs, data.batch([0])[0], torch.tensor([1]), data=data, seed=0)
    assert any(remark.startswith("One file was left out. “broken.png”") for remark in result.remarks)
