"""Places of output and of data that are files or are not there: a sentence that says so, before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import GibbonError
from engine.files import check_folder_path, make_folder

Run = Callable[..., tuple[int, str, str]]
COMMANDS = {
    "train": ("train", "digits", "--data-set", "generated:digits", "--count", "64", "--device", "cpu"),
    "batch": ("batch", "--image-set", "generated:digits", "--count", "3", "--model", "digits", "--attack", "fgsm", "--device", "cpu"),
    "curve": ("evaluate", "curve", "digits", "--attack", "fgsm", "--data-set", "generated:digits", "--count", "3", "--device", "cpu"),
}


@pytest.mark.parametrize("out", ["taken", "taken/below/it"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_folder_that_is_a_file_is_refused_and_left_alone(run: Run, command: str, out: str) -> None:
    Path("taken").write_text("mine")
    code, said, err = run(*COMMANDS[command], "--out", out)
    assert (code, said, err.count("\n")) == (2, "", 1)
    assert "“taken” is a file, not a folder. Choose another --out." in err
    assert Path("taken").read_text() == "mine"


def test_folders_are_made_whole_or_refused(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b", "Choose another.")
    make_folder(tmp_path / "a/b", "Choose another.")
    assert (tmp_path / "a/b").is_dir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file/c"):
        with pytest.raises(GibbonError, match=r"file” is a file, not a folder\. Choose another\."):
            make_folder(path, "Choose another.")
    check_folder_path(tmp_path / "missing/too", "Choose another.")
    assert not (tmp_path / "missing").exists()
    for name in ("x" * 300, "a\0b"):
        with pytest.raises(GibbonError, match="cannot be made"):
            make_folder(tmp_path / name, "Choose another.")


@pytest.mark.parametrize(
    "command",
    [
        ("train", "digits", "--data-set", "mnist", "--device", "cpu"),
        ("train", "objects", "--device", "cpu"),
        ("batch", "--image-set", "gtsrb:test", "--model", "signs", "--attack", "fgsm", "--device", "cpu"),
    ],
    ids=["mnist", "cifar10", "gtsrb"],
)
def test_a_folder_of_the_data_sets_that_does_not_exist_is_said(run: Run, command: tuple[str, ...]) -> None:
    code, _, err = run(*command, "--data", "no/such", "--out", "new")
    assert (code, err.count("\n")) == (2, 1)
    assert "under no/such, a folder that does not exist" in err
    assert "--download" in err
    assert "engine." not in err
    assert "(download" not in err
    Path("taken").touch()
    assert "under taken, which is a file" in run(*command, "--data", "taken", "--out", "new")[2]
    assert not Path("new").exists()


def test_a_folder_of_images_that_does_not_exist_is_said(run: Run) -> None:
    assert "“no/such” does not exist" in run("train", "digits", "--data-set", "folder:no/such")[2]
    Path("taken").touch()
    assert "“taken” is a file, not a folder" in run("train", "digits", "--data-set", "folder:taken")[2]


@pytest.mark.parametrize(
    "arguments",
    [("--attack", "fgsm", "--aim", "seventeen"), ("--attack", "fgsm", "--defense", "jpeg +"), ("--attack", "mi-fgsm", "--mask", "no.png")],
    ids=["aim", "defense", "mask"],
)
def test_a_refused_batch_makes_no_folder(run: Run, arguments: tuple[str, ...]) -> None:
    line = ("batch", "--image-set", "generated:digits", "--count", "3", "--model", "digits", "--device", "cpu", "--out", "new/deep")
    code, _, err = run(*line, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert not Path("new").exists()
