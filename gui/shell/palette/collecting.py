"""The palette's entries, collected from the tables that menus, docks and catalogues are made from. Nothing is listed twice by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from gui.session.open_image import cropped, open_for
from gui.session.presets import with_preset
from gui.session.swap_model import label_of, samples_for
from gui.shell.actions.file import open_path
from gui.shell.actions.shell import Shell
from gui.shell.docks import DOCKS
from gui.shell.palette import sources
from gui.shell.palette.entries import Entry
from gui.shell.palette.popup import CommandPalette

if TYPE_CHECKING:
    from engine import Attack
    from engine.images import Sample

_NATIVE = QKeySequence.SequenceFormat.NativeText
_HELP = "Help"
_RECENT = "palette/recent"
_MOST_RECENT = 12


class Host(Shell, Protocol):
    """The part of the main window that the palette needs."""

    def menuBar(self) -> QMenuBar: ...
    def open_experiment(self, slug: str) -> None:
        """Show an experiment of the lectures."""
        ...


def open_palette(host: Host) -> None:
    """Open the palette over the window, with the entries that were used last in front."""
    recent = [id for id in host.settings.text(_RECENT).split("\n") if id]

    def used(id: str) -> None:
        host.settings.keep_text(_RECENT, "\n".join([id, *(other for other in recent if other != id)][:_MOST_RECENT]))

    palette = CommandPalette(partial(collect, host), recent, used, host.window())
    palette.search.textEdited.connect(lambda _text: _list_networks(host))
    host.session.models.changed.connect(palette.collect_again)
    palette.open()


def _list_networks(host: Host) -> None:
    """List torchvision's networks once something is searched, since that takes seconds; the palette shows them when they are there."""
    models = host.session.models
    if host.session.ready and models.torchvision is None and not models.listing:
        models.list_torchvision()


def collect(host: Host) -> list[Entry]:
    """Return all entries as they are at the moment."""
    entries = [*_commands(host), *_panels(host), *_recent(host)]
    if host.session.ready:
        entries += [*_attacks(host), *sources.models(host), *_samples(host), *sources.data_sets(host), *_experiments(host)]
    return entries


# ---------------------------------------------------------------------- commands


def _commands(host: Host) -> list[Entry]:
    """Return the commands of all menus, but for those that show docks: a panel's entry does that."""
    found = []
    for top in host.menuBar().actions():
        menu = top.menu()
        if isinstance(menu, QMenu):
            found += [_command(action, path) for action, path in _leaves(menu, (_plain(menu.title()),)) if not _shows_dock(action)]
    return list({entry.id: entry for entry in found}.values())


def _leaves(menu: QMenu, path: tuple[str, ...]) -> list[tuple[QAction, tuple[str, ...]]]:
    """Return the commands of a menu and of its submenus. Commands without an object name are lists made when the menu opens."""
    found: list[tuple[QAction, tuple[str, ...]]] = []
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            found += _leaves(inner, (*path, _plain(inner.title())))
        elif action.objectName() and not action.isSeparator():
            found.append((action, path))
    return found


def _command(action: QAction, path: tuple[str, ...]) -> Entry:
    title = _plain(action.text())
    if len(path) > 1:
        title = f"{path[-1]}: {title}"
    kind = "Workspace" if action.objectName().startswith("action.workspace") else _HELP if path[0] == _HELP else "Command"
    return Entry(
        id=action.objectName(),
        title=title,
        kind=kind,
        do=action.trigger,
        keys=action.shortcut().toString(_NATIVE),
        words=f"{' '.join(path)} {action.toolTip()}",
        enabled=action.isEnabled(),
    )


def _plain(text: str) -> str:
    """Return a menu's text without the marks of its keys."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def _shows_dock(action: QAction) -> bool:
    return action.objectName().startswith("action.dock.")


def _panels(host: Host) -> list[Entry]:
    """Return every dock, which its entry shows; a menu's command would close one that is in front."""
    return [
        Entry(
            id=f"panel.{spec.name}",
            title=spec.title,
            kind="Panel",
            do=partial(host.bring_up, spec.name),
            keys=QKeySequence(spec.keys).toString(_NATIVE),
            words=f"dock {spec.words}",
        )
        for spec in DOCKS
    ]


# ---------------------------------------------------------------------- what the engine knows


def _attacks(host: Host) -> list[Entry]:
    """Return every attack of the catalogue and each of its published settings."""
    from engine.attacks import CATALOGUE

    entries = []
    for slug, kind in CATALOGUE.items():
        words = " ".join((slug, *kind.also, kind.family, kind.paper))
        entries.append(Entry(f"attack.{slug}", kind.title, "Attack", partial(_choose, host, kind), words=words))
        for preset in kind.presets:
            id, title = f"preset.{slug}.{preset.title}", f"{kind.title}: {preset.title}"
            entries.append(Entry(id, title, "Preset", partial(_use_preset, host, kind, preset.title), words=words))
    return entries


def _choose(host: Host, attack: type[Attack]) -> None:
    host.session.change(f"Choose {attack.title}", key="attack", **host.session.plan.choosing(attack.slug))
    host.bring_up("attack")


def _use_preset(host: Host, attack: type[Attack], title: str) -> None:
    host.session.change(f"Preset {title}", **with_preset(host.session.plan, attack, title))
    host.bring_up("attack")


def _samples(host: Host) -> list[Entry]:
    """Return the bundled images that suit the model."""
    classifier = host.session.classifier
    samples = [] if classifier is None else samples_for(classifier)
    return [
        Entry(f"sample.{sample.title}", sample.title, "Sample", partial(_open_sample, host, sample), words="image photograph open")
        for sample in samples
    ]


def _open_sample(host: Host, sample: Sample) -> None:
    open_for(host.session, lambda classifier: (cropped(sample.open(), classifier, sample.crop), label_of(sample, classifier)))


def _recent(host: Host) -> list[Entry]:
    """Return the files that were opened last."""
    ready = host.session.ready
    return [
        Entry(f"recent.{path}", path.name, "Recent", partial(open_path, host, path), words=str(path), enabled=ready)
        for path in host.settings.recent_images
    ]


def _experiments(host: Host) -> list[Entry]:
    """Return the experiments of the lectures."""
    from engine.reproduce import CATALOGUE

    return [
        Entry(
            f"experiment.{slug}",
            kind.title,
            "Experiment",
            partial(host.open_experiment, slug),
            words=f"reproduce lecture {kind.source} {kind.paper}",
        )
        for slug, kind in CATALOGUE.items()
    ]
