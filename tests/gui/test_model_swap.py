"""Another model on the canvas: what becomes of the image and the stickers, and the sentence that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.stickers import Colour, Optimised, Sticker
from gui.session.swap_model import ClassifierWithImage, show_classifier
from tests.gui.driving import click, frame_is_newest, press_keys, settle, until
from tests.gui.panel_scenes import small

if TYPE_CHECKING:
    from gui.app import Workbench


def load(bench: Workbench, title: str) -> None:
    """Choose a model in the spine with a double click, and wait for its frame."""
    session, chip = bench.session, bench.window.spine.model
    click(chip)
    settle()
    (item,) = chip.list.tree.findItems(title, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    chip.list.tree.scrollToItem(item)
    place = chip.list.tree.visualItemRect(item).center()
    click(chip.list.tree.viewport(), place)
    QTest.mouseDClick(chip.list.tree.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    until(lambda: session.classifier is not None and session.classifier.name == title, f"the model {title}")
    until(lambda: session.frame is not None and frame_is_newest(session), "its frame")
    settle()


def said(bench: Workbench) -> str:
    text: str = bench.window.statusBar().message.text()
    return text


@pytest.mark.parametrize("content", [Colour((1.0, 1.0, 0.0)), Optimised(torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1)))])
def test_an_image_that_does_not_suit_the_new_model_is_replaced_aloud(bench: Workbench, content: object) -> None:
    session = bench.session
    session.commit_stickers((Sticker(1, 8, 8, 8, 8, content=content),), "Draw", ())  # type: ignore[arg-type]
    until(lambda: frame_is_newest(session), "the frame with the sticker")
    before, classifier = session.clean, session.classifier
    load(bench, "digits")
    assert said(bench) == (
        f"“sign-stop-32.png” does not suit “digits”, so “{session.image['name']}” took its place, with its 1 sticker in proportion. "
        "Undo (Ctrl+Z) brings model and image back."
    )
    (sticker,) = session.stickers
    assert (sticker.x, sticker.y, sticker.width, sticker.height) == (7, 7, 7, 7)
    assert session.frame.observation.failures == {}
    press_keys(bench.window, "Ctrl+Z")
    assert session.clean is before
    assert session.classifier is classifier
    assert (session.stickers[0].x, session.stickers[0].width) == (8, 8)


def test_a_model_of_the_same_size_says_nothing(bench: Workbench) -> None:
    before, heard = bench.session.clean, []
    connection = bench.session.notice.connect(heard.append)
    load(bench, "signs-bounded")
    bench.session.notice.disconnect(connection)
    assert not heard
    assert bench.session.clean is before
    press_keys(bench.window, "Ctrl+Z")


def test_a_photograph_that_is_cropped_to_another_size_is_said_too(bench: Workbench) -> None:
    from gui.session.swap_model import with_image

    session = bench.session
    assert session.classifier is not None
    larger = session.classifier.derive(name="large", size=(64, 48))
    session.commit_stickers((Sticker(1, 8, 8, 8, 8),), "Draw", ())
    show_classifier(session, with_image(larger, session.photograph, session.classifier, session.label))
    settle()
    assert said(bench) == (
        "“sign-stop-32.png” is shown in 48 × 64 pixels in place of 32 × 32 pixels, as “large” takes it, with its 1 sticker in proportion. "
        "Undo (Ctrl+Z) brings model and image back."
    )
    (sticker,) = session.stickers
    assert (sticker.x, sticker.y, sticker.width, sticker.height) == (12, 16, 12, 16)
    press_keys(bench.window, "Ctrl+Z")


def test_an_image_without_a_substitute_is_closed_aloud_and_the_stickers_wait_in_proportion(bench: Workbench) -> None:
    session = bench.session
    session.commit_stickers((Sticker(1, 8, 8, 8, 8),), "Draw", ())
    show_classifier(session, ClassifierWithImage(small()))
    settle()
    assert said(bench) == (
        "“sign-stop-32.png”, 32 × 32 pixels, was closed, since “small” takes 16 × 16 pixels: open another image. "
        "Undo (Ctrl+Z) brings model and image back."
    )
    (sticker,) = session.stickers
    assert (sticker.x, sticker.width) == (4, 4)
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: session.frame is not None, "the frame of the image before")
