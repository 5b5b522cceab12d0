"""The models that were loaded before: kept in the settings, listed in groups, whatever the settings hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gui.choosers.models import TORCHVISION, ModelList
from gui.session.recent_models import MOST, RecentModel, forget_model, keep_model, recent_models

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.session.session import Session
    from gui.settings import Settings


def test_the_newest_stands_first_and_each_once(settings: Settings) -> None:
    for number in range(MOST + 3):
        keep_model(settings, RecentModel(f"torchvision:net{number}", f"net{number}", "70.0 %"))
    keep_model(settings, RecentModel("torchvision:net5", "net5", "71.0 %", {"head": "log"}))
    kept = recent_models(settings)
    assert len(kept) == MOST
    assert kept[0] == RecentModel("torchvision:net5", "net5", "71.0 %", {"head": "log"})
    assert [model.title for model in kept].count("net5") == 1
    forget_model(settings, "torchvision:net5")
    assert all(model.title != "net5" for model in recent_models(settings))


@pytest.mark.parametrize("kept", ["", "{", "3", '{"source": "a"}', '[1, {"source": 4}, {"source": ""}, {"title": "x"}]'])
def test_what_cannot_be_read_is_left_out(settings: Settings, kept: str) -> None:
    settings.keep_text("recent/models", kept)
    assert recent_models(settings) == ()
    keep_model(settings, RecentModel("signs", "signs"))
    assert [model.source for model in recent_models(settings)] == ["signs"]
    assert json.loads(settings.text("recent/models"))[0]["source"] == "signs"


def test_they_stand_in_their_groups(qtbot: QtBot, session: Session, settings: Settings, tmp_path: Path) -> None:
    keep_model(settings, RecentModel(str(tmp_path / "best.pt"), "best", "", {"architecture": "signs"}))
    keep_model(settings, RecentModel(f"{tmp_path / 'mine.py'}:make", "mine"))
    keep_model(settings, RecentModel("torchvision:resnet18", "resnet18", "69.8 % on ImageNet"))
    session.change(ready=True)
    models = ModelList(session.models)
    qtbot.addWidget(models)
    qtbot.waitUntil(lambda: "signs" in models.shown)
    groups = {}
    for place in range(models.tree.topLevelItemCount()):
        heading = models.tree.topLevelItem(place)
        assert heading is not None
        groups[heading.text(0)] = [heading.child(row).text(0) for row in range(heading.childCount())]
    assert list(groups) == ["Recent", "Own files", "Shipped", TORCHVISION]
    assert groups["Recent"] == ["resnet18"]
    assert groups["Own files"] == ["mine", "best"]
    asked: list[str] = []
    session.models.codeAsked.connect(asked.append)
    session.models.choose(f"{tmp_path / 'mine.py'}:make")
    assert asked == [f"{tmp_path / 'mine.py'}:make"]  # code runs only after the question
