"""Files that the window is given: a file of a kind that it cannot open is said first, with a display and without one."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import engine
import main as entry
from engine import attacks, images, study
from engine.kinds import check, kind_of
from tests.engine.study_scenes import load

NEWER = '{"format": "gibbon-study", "version": 99}'


@pytest.fixture
def without_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the program is called, on a system without a display."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can lack a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_study(path: Path) -> Path:
    classifier = load()
    return study.write(study.Study.of(engine.run(attacks.FGSM(), classifier, torch.rand(1, *classifier.input_shape))), path)


def make(name: str) -> None:
    """Make the file of a name in the present folder."""
    path = Path(name)
    match name:
        case "a folder.png" | "attack.d":
            path.mkdir()
        case "empty.png" | "empty.gibbon" | "empty":
            path.touch()
        case "README.md" | "text.png" | "text" | "words.pth" | "words.json" | "words.gibbon":
            path.write_text("# Words\n")
        case "cut.gibbon":
            whole = a_study(Path("whole.gibbon")).read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        case "newer.gibbon":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("study.json", NEWER)
        case "another.zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("words.txt", "words")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "README.md",
            "“README.md” is not an image that can be read: it is text. Choose another file, or save it again as PNG. Gibbon opens ",
        ),
        ("text", "“text” is not an image that can be read: it is text."),
        ("text.png", "“text.png” is not an image that can be read: it is text."),
        ("a folder.png", "“a folder.png” is a folder. Choose an image, a study, a record or a network's weights in it."),
        ("attack.d", "“attack.d” is a folder."),
        ("empty.png", "“empty.png” is empty (0 bytes). Choose another file."),
        ("empty.gibbon", "“empty.gibbon” is empty (0 bytes)."),
        ("empty", "“empty” is empty (0 bytes)."),
        ("cut.gibbon", "“cut.gibbon” is cut short or damaged."),
        ("newer.gibbon", "“newer.gibbon” is a study of the format version 99"),
        ("words.gibbon", "“words.gibbon” is no study of Gibbon's."),
        ("words.json", "“words.json” is not JSON, so it is no record."),
        ("words.pth", "“words.pth” holds no network's weights, whatever its name says."),
        ("another.zip", "“another.zip” is not an image that can be read"),
        ("gone.png", "There is no image or study “gone.png” that the window could open."),
    ],
)
def test_what_is_wrong_with_the_file_is_said_first(
    name: str, said: str, without_display: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(name)
    monkeypatch.setattr(sys, "argv", ["gibbon", name])
    assert entry.main() == 2
    out, err = capsys.readouterr()
    assert err.startswith(said), err
    assert err.count("\n") == 1
    assert "display" not in out + err


@pytest.mark.parametrize("name", ["gone.png", "empty.png", "a folder.png"])
def test_the_command_for_the_window_says_the_same(
    name: str, without_display: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(name)
    monkeypatch.setattr(sys, "argv", ["gibbon", "gui", name])
    assert entry.main() == 2
    assert name in capsys.readouterr().err


def test_a_file_that_the_window_would_open_is_told_that_there_is_no_display(
    without_display: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images.write_png("image.png", torch.rand(3, 8, 8))
    a_study(Path("mine.gibbon"))
    save_file({"weight": torch.zeros(2)}, "weights.safetensors")
    for name in ("image.png", "mine.gibbon", "weights.safetensors"):
        monkeypatch.setattr(sys, "argv", ["gibbon", name])
        assert entry.main() == 2
        out, err = capsys.readouterr()
        assert out.startswith("There is no display here"), name
        assert err == ""
        check(Path(name))
    assert [kind_of(Path(name)) for name in ("image.png", "mine.gibbon", "weights.safetensors")] == ["image", "study", "weights"]


def test_a_file_of_a_command_s_name_does_not_hide_the_command(
    without_display: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("attack").write_text("words")
    monkeypatch.setattr(sys, "argv", ["gibbon", "attack"])
    assert entry.main() == 2
    assert capsys.readouterr().err == "Which image? Give it with --image FILE.\n"
    monkeypatch.setattr(sys, "argv", ["gibbon", "./attack"])
    assert entry.main() == 2
    assert "it is text" in capsys.readouterr().err


def test_the_record_of_a_training_is_a_kind_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.training.json"
    path.write_text('{"format": "gibbon-training", "version": 1}')
    assert kind_of(path) == "training"
    with pytest.raises(engine.GibbonError, match=r"“mine.training.json” is a damaged record"):
        check(path)
    path.write_text('{"format": "gibbon-training", "version": 2}')
    with pytest.raises(engine.GibbonError, match="Install a newer one"):
        check(path)
