"""A data set that an attack works on is loaded bit by bit: said, cancelled, and in nobody's way. With real clicks on the whole window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import PIL.Image
import pytest

from engine.bits import whole
from gui.session.data_choice import Choice
from gui.session.data_sources import DataSources
from tests.gui.attack_dock import attack_dock
from tests.gui.driving import choose_attack, click, press_keys, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.session.session import Session

MANY = 100_000
"""Drawn signs: several minutes of them."""


@pytest.fixture
def loading(bench: Workbench) -> Iterator[Workbench]:
    """A universal perturbation whose signs are being drawn."""
    choose_attack(bench, "Universal perturbation")
    goal = attack_dock(bench)
    goal.data.choose("generated:signs")
    goal.data.count.setValue(MANY)
    press_keys(bench.window, "F5")
    until(lambda: "loading drawn signs" in shown(bench), "word of the loading")
    yield bench
    bench.session.runs.cancel()
    until(lambda: not (bench.session.runs.running or bench.session.runs.abandoned), "the end of the loading")


def shown(bench: Workbench) -> str:
    """What the spine says of the run."""
    return bench.window.spine.shown.chip.second.whole


def test_loading_says_how_far_it_is(loading: Workbench) -> None:
    first = shown(loading)
    assert first.endswith(f" of {MANY:,}")
    until(lambda: shown(loading) != first, "more images")


def test_cancel_ends_the_loading(loading: Workbench) -> None:
    session = loading.session
    job = session.runs.job
    assert job is not None
    click(loading.window.spine.run.cancel)
    until(lambda: session.runs.job is None and not session.runs.abandoned, "the end of the loading")
    assert "loading drawn signs" in job.news, "it was not loaded to its end"
    assert not session.history.entries


def test_requests_are_answered_while_it_loads(loading: Workbench) -> None:
    answers: list[int] = []
    loading.session.ask("moved", lambda: 1, answers.append, what="Answering")
    until(lambda: answers, "the answer")
    assert "loading drawn signs" in shown(loading)


def test_closing_does_not_wait_for_a_data_set(session: Session) -> None:
    """Neither for one that an attack works on nor for one that is being opened to be looked at."""
    sources, begun = session.data_sources, []

    def watched(sources: DataSources) -> object:
        begun.append(1)
        return sources.load(Choice("generated:signs", "", MANY))

    session.ask("data", lambda: watched(sources), lambda _: None, what="Loading", background=True)
    until(lambda: begun, "the request")
    assert session.shut_down(), "the lanes have ended within the seconds that closing allows"


def test_two_that_load_one_set_at_once_share_it(session: Session) -> None:
    sources, choice = session.data_sources, Choice("generated:signs", "", 20)
    slow = sources.loading(choice)
    next(slow)
    first = sources.load(choice)
    assert whole(slow) is first
    assert sources.load(choice) is first


def test_dialogs_offer_every_file_that_is_decoded() -> None:
    from engine.files import IMAGE_SUFFIXES
    from gui.session.open_image import file_filter

    assert all(f"*{suffix}" in file_filter() for suffix in IMAGE_SUFFIXES)


def test_an_image_of_a_folder_has_the_class_of_its_name(tmp_path: Path) -> None:
    """Folders that are numbers are class numbers; other names that the model does not know are no class of it, whatever their count."""
    import engine
    from gui.panels.image.data_sets import open_sample

    for name in range(43):
        (tmp_path / f"numbers/{name}").mkdir(parents=True)
        PIL.Image.new("RGB", (32, 32)).save(tmp_path / f"numbers/{name}/1.png")
    for name in ["ant", "bee", "cow", "eel", "fox", "gnu", "hen", "owl", "pig", "yak"]:
        (tmp_path / f"animals/{name}").mkdir(parents=True)
        PIL.Image.new("RGB", (32, 32)).save(tmp_path / f"animals/{name}/1.png")
    signs, objects = (engine.models.load(name, device="cpu") for name in ("signs", "objects"))
    numbers, animals = (engine.data.load(f"folder:{tmp_path / name}") for name in ("numbers", "animals"))
    number = open_sample(numbers, numbers.labels.index("14"), signs)[1]
    assert number is not None
    assert signs.labels[number] == "Stop"
    assert open_sample(animals, 3, objects)[1] is None


def test_previews_round_as_files_do() -> None:
    import numpy as np
    import torch

    from engine.images import levels
    from gui.session.scene import to_pixels

    halves = ((torch.arange(255) + 0.5) / 255).reshape(1, 15, 17)
    assert np.array_equal(to_pixels(halves)[:, :, 0], levels(halves)[0].byte().numpy())
