"""Opening a file of any kind: one table from the kind, found by the content and then by the suffix, to the function that opens it.

Dialogs, drops, the clipboard, *Open recent* and the command line all call `open_file`. A new kind is one line of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gui.session import open_image

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell


@dataclass(frozen=True)
class Kind:
    """A kind of file that the window opens."""

    title: str
    open: Callable[[Shell, Path], None]


def open_file(shell: Shell, path: Path | str) -> None:
    """Open a file of any kind. Its kind is found in the engine thread, since a drive may be slow."""
    path = Path(path)
    if not path.exists() and shell.settings.is_recent(path):
        shell.settings.forget_recent(path)
        shell.session.log("warning", f"“{path}” is no longer there. It was taken off the recent files.")
        return
    shell.session.ask("kind", lambda: kind_of(path), lambda kind: kind.open(shell, path), what=f"Opening {path.name}", keep=True)


def kind_of(path: Path) -> Kind:
    """Return the kind of a file. Called in the engine thread."""
    from engine.kinds import kind_of as name_of

    return KINDS[name_of(path)]


def record_filter() -> str:
    """Return the filter of the dialog that opens records: the files that may carry one, or all."""
    return "Records and files that carry one (*.json *.png *.pdf *.svg);;All files (*)"


# ---------------------------------------------------------------------- images


def _open_image(shell: Shell, path: Path) -> None:
    """Open an image; if it carries the record of a run, offer to replay that."""
    shell.settings.keep_folder("images", path.parent)
    open_image.open_path(shell.session, path)
    if path.suffix.lower() == ".png":
        shell.session.ask("carried", lambda: _carries_record(path), lambda yes: _offer(shell, path) if yes else None, what="", quiet=True)


def _carries_record(path: Path) -> bool:
    from engine.errors import GibbonError
    from engine.record import carried

    try:
        content = carried(path)
    except GibbonError:
        return False
    return content is not None and content.get("format") == "gibbon-record"


def _offer(shell: Shell, path: Path) -> None:
    replays = shell.session.replays
    shell.session.log(
        "info", f"“{path.name}” carries the record of the run that made it.", offer=("Open its record", lambda: replays.open(path))
    )


# ---------------------------------------------------------------------- records


def open_record(shell: Shell, path: Path) -> None:
    """Replay the record in a file, or the one that a figure or an adversarial image carries."""
    shell.settings.keep_folder("records", path.parent)
    shell.settings.add_recent("records", path)
    shell.session.replays.open(path)


def _open_training(shell: Shell, path: Path) -> None:
    """Set the training of a record up in the Defend workspace; Train makes it again, and says whether every bit is the same."""
    from engine.record import TrainingRecord

    def then(record: TrainingRecord) -> None:
        shell.settings.keep_folder("records", path.parent)
        shell.settings.add_recent("records", path)
        shell.bring_up("training")
        shell.panels["training"].show_record(record, path)

    shell.session.ask("training record", lambda: TrainingRecord.read(path), then, what=f"Opening {path.name}", keep=True)


# ---------------------------------------------------------------------- weights


def _open_weights(shell: Shell, path: Path) -> None:
    """Show the Model dock with the question which network the weights belong to."""
    shell.bring_up("model")
    shell.panels["model"].load_checkpoint(path)


# ---------------------------------------------------------------------- patches


def _open_patch(shell: Shell, path: Path) -> None:
    """Add a ready patch to the image as a sticker."""
    from gui.panels.stickers.files import add_ready_patch

    add_ready_patch(shell.session, path, shell.window())


# ---------------------------------------------------------------------- studies


def _open_study(shell: Shell, path: Path) -> None:
    """Open a study instead of the present one, which is saved first."""
    shell.settings.keep_folder("studies", path.parent)
    shell.session.studies.open(path)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "image": Kind("Images", _open_image),
        "study": Kind("Studies", _open_study),
        "record": Kind("Records and figures that carry one", open_record),
        "training": Kind("Records of trainings", _open_training),
        "weights": Kind("Weights", _open_weights),
        "patch": Kind("Ready patches", _open_patch),
    }
)
"""The kinds by their names in `engine.kinds`."""
