"""Opening files of every kind by drop, dialog, menu and command line: records replay and say whether they are the same bit for bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtWidgets import QApplication, QFileDialog

from engine.attacks import PGD
from engine.images import open_image, write_png
from engine.record import Record, StickerEntry
from engine.stickers import Colour
from gui.export.recording import record_of_entry
from gui.session.attack_job import parameter_lines
from gui.session.history import AttackRun
from gui.session.state import AttackSettings
from gui.shell.actions.file import open_path, save_to
from gui.shell.opening import KINDS, kind_of
from gui.widgets.question import Question
from tests.gui.driving import Hold, action, choose_attack, draw, run_attack, settle, until, wait_written
from tests.gui.panel_scenes import drop
from tests.gui.seen import filled_menu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui.app import Workbench
    from gui.session.log_entry import LogEntry

IMAGE, RECORD, WEIGHTS = (KINDS[name] for name in ("image", "record", "weights"))


@pytest.fixture
def attacked(bench: Workbench) -> AttackRun:
    """A run of PGD on the stop sign."""
    choose_attack(bench, "PGD")
    bench.session.change(settings=AttackSettings({"steps": 10}))
    run_attack(bench)
    run = bench.session.history.attacks[-1]
    assert run.replayed is None
    return run


def record(run: AttackRun, folder: Path) -> Path:
    return record_of_entry(run, folder).write(folder / "run.json")


def exported(bench: Workbench, path: Path) -> Path:
    """Export a figure of the shown run by the dialog; return the figure without its sidecar, in a folder of its own."""
    action(bench, "export_figure").trigger()
    from gui.export.figure_dialog import FigureDialog

    dialog = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, FigureDialog) and widget.isVisible())
    dialog.export_to(path)
    wait_written(bench.session)
    alone = path.parent / "alone"
    alone.mkdir()
    return Path(shutil.copy(path, alone / path.name))


def replayed(bench: Workbench, after: int) -> AttackRun:
    """Wait for the run of a record that was opened when there were ``after`` runs."""
    until(lambda: len(bench.session.history.attacks) > after and not bench.session.replays.runner.running, "the replay")
    run = bench.session.history.attacks[-1]
    assert run.replayed is not None
    return run


def test_a_dropped_record_replays_to_the_same_bits_and_is_shown(
    bench: Workbench, attacked: AttackRun, tmp_path: Path, said: list[str], logged: list[LogEntry]
) -> None:
    path = record(attacked, tmp_path)
    bench.session.clear_perturbation()
    bench.session.change(**bench.session.plan.choosing("fgsm"), seed=8)
    drop(bench.window, path)
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert (run.replayed.file, run.replayed.same) == ("run.json", True)
    assert run.replayed.sentence == "The same bits again."
    assert torch.equal(run.result.adversarial, attacked.result.adversarial)
    until(lambda: bench.session.history.shown is run, "the run on the canvas")
    assert run.before.classifier is bench.session.classifier is attacked.before.classifier  # the model in memory was used
    assert said[-1] == f"“run.json” was replayed as {run.title}. The same bits again."
    assert [entry.text for entry in logged if entry.kind == "run"] == [said[-1]]
    assert parameter_lines(run.result) == parameter_lines(attacked.result)
    assert bench.session.staleness.differences == ()  # the Attack dock is set up as the record says
    assert (bench.session.plan.slug, bench.session.plan.seed) == ("pgd", attacked.inputs.seed)
    assert bench.session.undo_stack.undoText() == "Open run.json"
    assert run.image == attacked.image
    assert run.timeline is not None
    assert attacked.timeline is not None
    assert [step.index for step in run.timeline.steps] == [step.index for step in attacked.timeline.steps]
    bench.session.undo_stack.undo()
    assert (bench.session.delta, bench.session.plan.slug, bench.session.plan.seed) == (None, "fgsm", 8)
    assert run in bench.session.history.attacks


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_a_figure_alone_is_enough(bench: Workbench, attacked: AttackRun, tmp_path: Path, suffix: str) -> None:
    drop(bench.window, exported(bench, tmp_path / f"figure{suffix}"))
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert run.replayed.same
    assert torch.equal(run.result.adversarial, attacked.result.adversarial)


@pytest.mark.parametrize("title", ["PGD", "Sticker content"])
def test_stickers_come_back_with_the_record(bench: Workbench, tmp_path: Path, title: str) -> None:
    draw(bench)
    if title == "PGD":
        bench.session.change(stickers=tuple(replace(sticker, content=Colour((1.0, 0.0, 0.0))) for sticker in bench.session.stickers))
    choose_attack(bench, title)
    run_attack(bench)
    before = bench.session.history.attacks[-1]
    path = record(before, tmp_path)
    assert Record.read(path).image.path is not None  # no pixels: the image's file and the sticker give what was attacked
    bench.session.change(stickers=(), delta=None)
    drop(bench.window, path)
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert run.replayed.same
    assert list(map(StickerEntry.of, run.before.stickers)) == list(map(StickerEntry.of, before.before.stickers))
    assert torch.equal(run.scene.adversarial(), before.scene.adversarial())
    until(lambda: bench.session.history.shown is run, "the run on the canvas")
    again = record_of_entry(run, tmp_path)
    assert again.outcome.adversarial_sha256 == Record.read(path).outcome.adversarial_sha256
    assert again.mask == Record.read(path).mask


def test_a_mask_that_no_sticker_gives_again_stays_with_the_run(bench: Workbench, tmp_path: Path) -> None:
    draw(bench)
    bench.session.change(region="stickers")
    choose_attack(bench, "PGD")
    run_attack(bench)
    before = bench.session.history.attacks[-1]
    path = record(before, tmp_path)
    bench.session.change(stickers=(), delta=None, region="image")
    drop(bench.window, path)
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert run.replayed.same
    assert run.inputs.region == "stickers"
    again = record_of_entry(run, tmp_path)
    assert (again.mask, again.image.bits) == (Record.read(path).mask, Record.read(path).image.bits)
    assert again.mask is not None


def test_content_that_an_earlier_attack_made_is_recorded_with_its_sticker(bench: Workbench, tmp_path: Path) -> None:
    draw(bench)
    choose_attack(bench, "Sticker content")
    run_attack(bench)
    choose_attack(bench, "PGD")
    run_attack(bench)
    before = bench.session.history.attacks[-1]
    path = record(before, tmp_path)
    (sticker,) = Record.read(path).stickers
    assert sticker.content == "pixels"  # under an attack on pixels it was fixed
    drop(bench.window, path)
    run = replayed(bench, 2)
    assert run.replayed is not None
    assert run.replayed.same
    assert torch.equal(run.scene.adversarial(), before.scene.adversarial())


def test_the_menu_opens_a_record_and_remembers_it(
    bench: Workbench, attacked: AttackRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(attacked, tmp_path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    action(bench, "open_record").trigger()
    replayed(bench, 1)
    assert bench.window.settings.recent("records") == [path]
    entries = {item.text(): item for item in filled_menu(bench.window, "Open recent").actions()}
    entries["run.json"].trigger()
    replayed(bench, 2)
    path.unlink()
    open_path(bench.window, path)
    assert bench.window.settings.recent("records") == []


def test_a_saved_adversarial_image_opens_as_an_image_and_offers_its_record(
    bench: Workbench, attacked: AttackRun, tmp_path: Path, logged: list[LogEntry]
) -> None:
    path = tmp_path / "attacked.png"
    save_to(bench.session, path)
    wait_written(bench.session)
    open_path(bench.window, path)
    until(lambda: bench.session.image.get("name") == "attacked.png", "the image")
    until(lambda: any(entry.offer for entry in logged), "the offer")
    entry = next(entry for entry in logged if entry.offer)
    assert entry.text == "“attacked.png” carries the record of the run that made it."
    assert entry.offer is not None
    assert entry.offer[0] == "Open its record"
    entry.offer[1]()
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert run.replayed.same
    assert torch.equal(run.result.adversarial, attacked.result.adversarial)


# ---------------------------------------------------------------------- what differs, and what is gone


def test_a_record_made_elsewhere_says_what_differs(
    bench: Workbench, attacked: AttackRun, tmp_path: Path, said: list[str], logged: list[LogEntry]
) -> None:
    path = record(attacked, tmp_path)
    content = json.loads(path.read_text("utf-8"))
    content |= {"device": "cuda:7", "device_name": "a GPU"}
    content["outcome"]["adversarial_sha256"] = "0" * 64
    path.write_text(json.dumps(content), "utf-8")
    open_path(bench.window, path)
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert not run.replayed.same
    assert run.replayed.sentence == "Other bits: the record was made on cuda:7, this on cpu."
    assert [entry.kind for entry in logged if "run.json" in entry.text] == ["warning"]
    assert said[-1].endswith(run.replayed.sentence)


def changed_image(path: Path) -> None:
    write_png(path.parent / "clean.png", torch.rand(3, 32, 32))


def missing_image(path: Path) -> None:
    (path.parent / "clean.png").unlink()


def other_weights(path: Path) -> None:
    content = json.loads(path.read_text("utf-8"))
    content["model"]["fingerprint"] = "0" * 8
    path.write_text(json.dumps(content), "utf-8")


def missing_model(path: Path) -> None:
    content = json.loads(path.read_text("utf-8"))
    content["model"] |= {"fingerprint": "0" * 8, "source": "gone.safetensors"}
    path.write_text(json.dumps(content), "utf-8")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


def newer(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace('"version": 3', '"version": 99'), "utf-8")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (changed_image, "“.*clean.png” is not the image that was recorded: its SHA-256 differs."),
        (missing_image, "The record's image “clean.png” is not there. Put it back or beside the record"),
        (other_weights, "“signs” is another model than the recorded one"),
        (missing_model, "gone.safetensors"),
        (truncated, "is not JSON, so it is no record"),
        (newer, "has the format version 99"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_be_replayed_gets_one_sentence_and_nothing_is_lost(
    bench: Workbench, tmp_path: Path, logged: list[LogEntry], damage: object, reason: str
) -> None:
    import re

    write_png(tmp_path / "clean.png", open_image(bench.session.photograph.path).crop_to(bench.session.classifier))  # type: ignore[union-attr, arg-type]
    open_path(bench.window, tmp_path / "clean.png")
    until(lambda: bench.session.image.get("name") == "clean.png" and bench.session.frame is not None, "the image")
    bench.session.runs.start(PGD(steps=3))
    until(lambda: bool(bench.session.history.attacks) and not bench.session.runs.running, "the run")
    path = record(bench.session.history.attacks[-1], tmp_path)
    before = bench.session.state
    damage(path)  # type: ignore[operator]
    bench.session.change(photograph=None)
    logged.clear()
    open_path(bench.window, path)
    until(lambda: any(entry.kind == "error" for entry in logged), "the error")
    (entry,) = [entry for entry in logged if entry.kind == "error"]
    assert entry.text.startswith("“run.json” was not replayed. ")
    assert re.search(reason, entry.text), entry.text
    assert (bench.session.clean, bench.session.delta, len(bench.session.history.attacks)) == (before.clean, before.delta, 1)


def test_an_image_that_moved_is_taken_from_the_canvas(bench: Workbench, tmp_path: Path) -> None:
    write_png(tmp_path / "clean.png", torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1)))
    open_path(bench.window, tmp_path / "clean.png")
    until(lambda: bench.session.image.get("name") == "clean.png" and bench.session.frame is not None, "the image")
    bench.session.runs.start(PGD(steps=3))
    until(lambda: bool(bench.session.history.attacks) and not bench.session.runs.running, "the run")
    path = record(bench.session.history.attacks[-1], tmp_path)
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "clean.png").rename(tmp_path / "elsewhere" / "moved.png")
    open_path(bench.window, moved)
    until(lambda: bench.session.image.get("name") == "moved.png", "the image")
    open_path(bench.window, path)
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert run.replayed.same


# ---------------------------------------------------------------------- while something else happens


def test_a_replay_is_cancelled_and_the_next_in_the_queue_begins(
    bench: Workbench, attacked: AttackRun, tmp_path: Path, logged: list[LogEntry]
) -> None:
    path, other = record(attacked, tmp_path), tmp_path / "other.json"
    shutil.copy(path, other)
    content = json.loads(path.read_text("utf-8"))
    content["operation"]["parameters"]["steps"] = 100_000
    path.write_text(json.dumps(content), "utf-8")
    open_path(bench.window, path)
    open_path(bench.window, other)
    replays = bench.session.replays
    until(lambda: replays.runner.job is not None and replays.runner.job.index > 3, "some steps")
    (work,) = bench.session.jobs.running
    assert (work.title, work.panel) == ("Replay of run.json", "runs")
    assert work.share is not None
    work.cancel()
    run = replayed(bench, 1)
    assert run.replayed is not None
    assert run.replayed.file == "other.json"
    assert any(entry.text == "The replay of “run.json” was cancelled. Nothing was changed." for entry in logged)


def test_a_replay_beside_a_running_attack_does_not_disturb_it(bench: Workbench, attacked: AttackRun, tmp_path: Path) -> None:
    path = record(attacked, tmp_path)
    bench.session.runs.start(PGD(steps=100_000))
    until(lambda: bench.session.runs.job is not None and bench.session.runs.job.index > 3, "some steps")
    open_path(bench.window, path)
    run = replayed(bench, 1)
    assert bench.session.runs.running
    assert run.replayed is not None
    assert run.replayed.same
    bench.session.runs.cancel()
    until(lambda: not bench.session.runs.running, "the end")


def test_files_are_opened_in_the_order_in_which_they_came(bench: Workbench, tmp_path: Path) -> None:
    paths = [write_png(tmp_path / f"{number}.png", torch.full((3, 32, 32), number / 10)) for number in range(3)]
    with Hold(bench.session):
        for path in paths:
            open_path(bench.window, path)
    until(lambda: bench.session.image.get("name") == "2.png", "the last image")
    settle()
    assert bench.session.image.get("name") == "2.png"


# ---------------------------------------------------------------------- kinds of files


def safetensors(path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, path)


def pth(path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, path)


def old_pth(path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, path, _use_new_zipfile_serialization=False)


def picture(path: Path) -> None:
    write_png(path.with_suffix(".png"), torch.rand(3, 4, 4)).rename(path)


def text(path: Path) -> None:
    path.write_text("hello")


def empty(path: Path) -> None:
    path.touch()


def nothing(_path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "make", "kind"),
    [
        ("a.safetensors", safetensors, WEIGHTS),
        ("a.bin", safetensors, WEIGHTS),
        ("a.pth", pth, WEIGHTS),
        ("a", pth, WEIGHTS),
        ("a.pt", old_pth, WEIGHTS),
        ("a.pth", text, WEIGHTS),  # opening it says what is wrong with it
        ("a.pth", picture, IMAGE),
        ("a.json", picture, IMAGE),
        ("a.png", picture, IMAGE),
        ("a.json", text, RECORD),
        ("a.json", empty, RECORD),
        ("a.png", text, IMAGE),
        ("a.zip", empty, IMAGE),
        ("gone.png", nothing, IMAGE),
    ],
)
def test_the_content_tells_the_kind_before_the_suffix(tmp_path: Path, name: str, make: object, kind: object) -> None:
    make(tmp_path / name)  # type: ignore[operator]
    assert kind_of(tmp_path / name) is kind


def test_a_folder_is_no_record(tmp_path: Path) -> None:
    assert kind_of(tmp_path) is IMAGE  # whose opening says that it is a folder


@pytest.fixture
def question() -> Iterator[list[Question]]:
    found: list[Question] = []
    yield found
    for dialog in found:
        dialog.close()


def test_dropped_weights_ask_for_their_architecture(bench: Workbench, tmp_path: Path, question: list[Question]) -> None:
    pth(tmp_path / "mine.pth")
    drop(bench.window, tmp_path / "mine.pth")

    def asked() -> bool:
        question[:] = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, Question) and widget.isVisible()]
        return bool(question)

    until(asked, "the dialog")
    assert len(question) == 1
