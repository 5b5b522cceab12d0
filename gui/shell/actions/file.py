"""The File menu: opening, saving, exporting and quitting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from gui.clipboard import local_files, pixels_of
from gui.session import open_image as images
from gui.shell import opening
from gui.shell.actions.conditions import has_frame, has_model, has_timeline, ready
from gui.shell.actions.spec import ActionSpec
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

    from engine.images import Photograph
    from gui.session.history import AttackRun
    from gui.session.session import Session
    from gui.shell.actions.shell import Shell


def open_image(shell: Shell) -> None:
    """Ask for an image file, and open it."""
    folder = shell.settings.folder("images")
    path, _ = QFileDialog.getOpenFileName(shell.window(), "Open image", str(folder), images.file_filter())
    if path:
        open_path(shell, Path(path))


def open_record(shell: Shell) -> None:
    """Ask for a record, or a file that carries one, and replay it."""
    folder = shell.settings.folder("records")
    path, _ = QFileDialog.getOpenFileName(shell.window(), "Open record", str(folder), opening.record_filter())
    if path:
        opening.open_record(shell, Path(path))


def open_path(shell: Shell, path: Path) -> None:
    """Open a file of any kind."""
    opening.open_file(shell, path)


def open_files(shell: Shell, paths: list[str]) -> None:
    """Open the first of the files that were dropped or pasted."""
    if paths:
        open_path(shell, Path(paths[0]))
    if len(paths) > 1:
        shell.session.notice.emit(f"{len(paths)} files came at once; “{Path(paths[0]).name}” was opened.")


def paste_image(shell: Shell) -> None:
    """Open the image on the clipboard, or add the stickers that were copied."""
    if open_mime(shell, QGuiApplication.clipboard().mimeData(), "pasted image"):
        return
    if shell.canvas.can_paste():
        shell.canvas.paste()
    else:
        shell.session.notice.emit("There is no image on the clipboard, and no sticker.")


def open_mime(shell: Shell, mime: QMimeData, name: str) -> bool:
    """Open pasted or dropped content, files before pixels; return whether it held an image."""
    if files := local_files(mime):
        open_files(shell, files)
        return True
    pixels = pixels_of(mime)
    if pixels is not None:
        images.open_array(shell.session, pixels, name)
    return pixels is not None


def choose_model(shell: Shell) -> None:
    """Open the list of models."""
    shell.spine.model.open()


def choose_image(shell: Shell) -> None:
    """Open the list of recent images and samples."""
    shell.spine.image.open()


def save_image(shell: Shell) -> None:
    """Ask for a file name, and save the adversarial image there."""
    name = f"{Path(str(shell.session.image.get('name', 'image'))).stem}-adversarial.png"
    start = shell.settings.folder("save") / name
    path = ask_file(shell.window(), "Save adversarial image", start, "PNG image (*.png)")
    if path is not None:
        shell.settings.keep_folder("save", path.parent)
        save_to(shell.session, path)


def save_to(session: Session, path: Path) -> None:
    """Save what is on the canvas; the verdict goes to the messages and the status bar."""
    from gui.export.saving import save_entry, save_frame

    entry, frame, label = _shown_entry(session), session.frame, session.label
    if entry is None and frame is None:
        return

    def save() -> str:
        return save_entry(entry, path) if entry is not None else save_frame(frame, label, path)  # type: ignore[arg-type]

    def then(sentence: str) -> None:
        session.log("info", sentence)
        session.notice.emit(sentence)

    session.ask("save", save, then, what=f"Saving {path.name}", busy=f"Saving {path.name}…", keep=True)


def _shown_entry(session: Session) -> AttackRun | None:
    return None if session.runs.running else session.iterates.run


def export_figure(shell: Shell) -> None:
    """Open the dialog that exports a figure of the shown run or the canvas."""
    from gui.export.figure_dialog import FigureDialog

    FigureDialog(shell.session, shell.settings, shell.window()).open()


def export_animation(shell: Shell) -> None:
    """Open the dialog that writes an animation of the shown run, or of the run that the shown iterate is of."""
    from gui.export.animation_dialog import AnimationDialog

    session = shell.session
    timed = session.moments.source
    if timed is None or timed.timeline is None:
        session.notice.emit("The shown run has kept no iterates, so there is nothing to animate. Run the attack again.")
        return
    AnimationDialog(session, shell.settings, timed, shell.window()).open()


def print_stickers(shell: Shell) -> None:
    """Open the dialog that prints the stickers on the canvas at their true size."""
    from gui.export.print_dialog import PrintDialog
    from gui.export.print_source import source_of

    source = source_of(shell.session)
    if source is None:
        shell.session.notice.emit("There is no sticker on the canvas to print. Draw one first, with R or E.")
        return
    PrintDialog(shell.session, shell.settings, source, shell.window()).open()


def photo_of_print(shell: Shell) -> None:
    """Ask for a photograph of a print, and open the dialog that reads it."""
    folder = shell.settings.folder("photographs")
    path, _ = QFileDialog.getOpenFileName(shell.window(), "Photograph of a print", str(folder), images.file_filter())
    if path:
        open_photo(shell, Path(path))


def open_photo(shell: Shell, path: Path) -> None:
    """Open the dialog that reads a photograph of a print."""
    from gui.export.photo_dialog import PhotoDialog
    from gui.export.photo_source import source_of

    shell.settings.keep_folder("photographs", path.parent)

    def decode() -> Photograph:
        from engine.images import open_image

        return open_image(path)

    def then(photograph: Photograph) -> None:
        source = source_of(shell.session, photograph)
        if source is not None:
            PhotoDialog(shell.session, shell.settings, source, shell.window()).open()

    shell.session.ask("photo-file", decode, then, what=f"Opening {path.name}", busy=f"Opening {path.name}…", keep=True)


def quit(shell: Shell) -> None:
    """Leave Gibbon."""
    shell.close()


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "open_image", "Open image…", open_image, "Open a photograph or drawing", ("Ctrl+O",), "mdi6.folder-open-outline", enabled=ready
    ),
    ActionSpec(
        "open_record",
        "Open record…",
        open_record,
        "Run a recorded attack again, from its JSON file or from the figure or image that carries it, and compare every bit",
        icon="mdi6.history",
        enabled=ready,
    ),
    ActionSpec(
        "paste_image", "Paste image", paste_image, "Open the picture on the clipboard", ("Ctrl+V",), "mdi6.content-paste", enabled=ready
    ),
    ActionSpec(
        "choose_image",
        "Choose image…",
        choose_image,
        "Open the list of recent images and samples",
        ("Ctrl+I",),
        "mdi6.image-outline",
        enabled=has_model,
    ),
    ActionSpec("choose_model", "Choose model…", choose_model, "Open the list of models", ("Ctrl+M",), "mdi6.brain", enabled=ready),
    ActionSpec(
        "save_image",
        "Save adversarial image…",
        save_image,
        "Save the adversarial image as PNG, read it again, and say whether it is still adversarial",
        ("Ctrl+S",),
        "mdi6.content-save-outline",
        enabled=has_frame,
        rule=True,
    ),
    ActionSpec(
        "export_figure",
        "Export figure…",
        export_figure,
        "Compose a figure for a paper",
        ("Ctrl+E",),
        "mdi6.file-export-outline",
        enabled=has_frame,
    ),
    ActionSpec(
        "export_animation",
        "Export animation…",
        export_animation,
        "Write the attack step by step as a GIF, an APNG, a WebP or an MP4, with the figure's own panels",
        icon="mdi6.movie-open-outline",
        enabled=has_timeline,
    ),
    ActionSpec(
        "print_stickers",
        "Print stickers…",
        print_stickers,
        "Write the stickers at their true size as a PDF to be cut out, with a colour chart",
        icon="mdi6.printer-outline",
        enabled=has_frame,
    ),
    ActionSpec(
        "photo_of_print",
        "Photograph of a print…",
        photo_of_print,
        "See what the model says of the printed stickers in a photograph, and measure the colour shift on the chart",
        icon="mdi6.camera-outline",
        enabled=has_frame,
    ),
    ActionSpec("quit", "Quit", quit, "Leave Gibbon", ("Ctrl+Q",), "mdi6.exit-to-app", rule=True),
)
