"""The palette's entries for models and data sets, from the lists that the spine and the Image dock show."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.text.cards import data_name
from gui.shell.actions.shell import Shell
from gui.shell.palette.entries import Entry

if TYPE_CHECKING:
    from engine.models import ModelEntry
    from gui.session.data_choice import DataSource


def models(shell: Shell) -> list[Entry]:
    """Return the models that can be loaded by name, each source once: of this session, recent, shipped, and torchvision's once listed."""
    known = shell.session.models
    found = [
        _model(shell, source, model.name, f"session trained changed {model.source or ''}") for source, model in known.of_session.items()
    ]
    found += [_model(shell, model.source, model.title, f"recent {model.source}") for model in known.recent]
    found += [_listed(shell, entry) for entry in (*known.shipped, *(known.torchvision or ()))]
    return list({entry.id: entry for entry in reversed(found)}.values())[::-1]


def _listed(shell: Shell, entry: ModelEntry) -> Entry:
    return _model(shell, entry.source, entry.title, f"{entry.kind} {entry.source} {data_name(entry.data_set)} {entry.training}")


def _model(shell: Shell, source: str, title: str, words: str) -> Entry:
    return Entry(f"model.{source}", title, "Model", partial(shell.session.models.choose, source), words=f"classifier network load {words}")


def data_sets(shell: Shell) -> list[Entry]:
    """Return the data sets that are found; an entry shows the images of one in the Image dock."""
    words = "images folder browse"
    return [
        Entry(f"data.{source.name}", source.title, "Data set", partial(_browse, shell, source), words=f"{words} {source.name}")
        for source in shell.session.data_sources.sources
    ]


def _browse(shell: Shell, source: DataSource) -> None:
    shell.bring_up("image", "Data set")
    shell.panels["image"].show_data_set(source.name)
