"""Opening a file of any kind: one table from the kind, found by the content and then by the suffix, to the function that opens it.

Dialogs, drops, the clipboard, *Open recent* and the command line all call `open_file`. A new kind is one line of `KINDS`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gui.session import open_image

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell

_START = 4096
"""The bytes at the beginning of a file that tell its kind."""


@dataclass(frozen=True)
class Kind:
    """A kind of file that the window opens."""

    title: str
    suffixes: tuple[str, ...]
    """The suffixes of such files: one that is no image is opened as this kind, which says what is wrong with it."""
    fits: Callable[[Path, bytes], bool]
    """``fits(path, start)``: whether a file is of this kind, by its first bytes. Called in the engine thread."""
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
    """Return the kind of a file: by its content, else by its suffix, else an image, whose opening says what else it is."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_START) if path.is_file() else b""
    except OSError:
        start = b""  # whoever opens it says why it cannot be read
    fitting = (kind for kind in KINDS if start and kind.fits(path, start))
    named = (kind for kind in KINDS if path.suffix.lower() in kind.suffixes and not _is_image(path))
    return next(fitting, None) or next(named, None) or IMAGE


def record_filter() -> str:
    """Return the filter of the dialog that opens records: the files that may carry one, or all."""
    return "Records and files that carry one (*.json *.png *.pdf *.svg);;All files (*)"


# ---------------------------------------------------------------------- images


def _is_image(path: Path) -> bool:
    from engine.errors import GibbonError
    from engine.images import open_image as opened

    try:
        opened(path)
    except GibbonError:
        return False
    return True


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


def _is_record(path: Path, start: bytes) -> bool:
    """Whether a file is a record, or a figure that carries one; an adversarial image with a record is an image."""
    from engine.errors import GibbonError
    from engine.record import carried, carries, is_figure

    if not carries(path):
        return b'"gibbon-record"' in start
    try:
        content = carried(path)
    except GibbonError:
        return True  # a figure whose sidecar is missing: opening it says so
    return content is not None and content.get("format") == "gibbon-record" and is_figure(content)


def open_record(shell: Shell, path: Path) -> None:
    """Replay the record in a file, or the one that a figure or an adversarial image carries."""
    shell.settings.keep_folder("records", path.parent)
    shell.settings.add_recent("records", path)
    shell.session.replays.open(path)


# ---------------------------------------------------------------------- weights


def _is_weights(path: Path, start: bytes) -> bool:
    """Whether a file holds a network's weights: safetensors, torch's zip of a pickle, or an old pickle."""
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**32:
        return True
    if start.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith("/data.pkl") for name in archive.namelist())
        except (OSError, zipfile.BadZipFile):
            return path.suffix.lower() in (".pth", ".pt")
    return start.startswith(b"\x80\x02") and path.suffix.lower() in (".pth", ".pt", ".bin", ".pkl")


def _open_weights(shell: Shell, path: Path) -> None:
    """Show the Model dock with the question which network the weights belong to."""
    shell.bring_up("model")
    shell.panels["model"].load_checkpoint(path)


# ---------------------------------------------------------------------- studies


def _is_study(path: Path, _start: bytes) -> bool:
    """Whether a file is a study, by its content or, of a damaged one, its suffix."""
    from engine.files import is_study

    return is_study(path)


def _open_study(shell: Shell, path: Path) -> None:
    """Open a study instead of the present one, which is saved first."""
    shell.settings.keep_folder("studies", path.parent)
    shell.session.studies.open(path)


IMAGE = Kind("Images", (), lambda _path, _start: True, _open_image)
KINDS: tuple[Kind, ...] = (
    Kind("Studies", (".gibbon",), _is_study, _open_study),
    Kind("Records and figures that carry one", (".json",), _is_record, open_record),
    Kind("Weights", (".pth", ".pt", ".safetensors"), _is_weights, _open_weights),
)
"""The kinds beside images, in the order in which they are tried."""
