"""Commands: the functions of the actions, one method for each id of the table in ``gui.shell.actions``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QMimeData, QObject, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from gui.clipboard import copy_pixels, local_files, pixels_of
from gui.session import open_image

if TYPE_CHECKING:
    from gui.canvas import ImageCanvas
    from gui.reproduce.window import ReproduceWindow
    from gui.session.history import AttackRun
    from gui.session.session import Session
    from gui.settings import Settings
    from gui.theme import Theme


class Runs(Protocol):
    """The part of the Attack panel that the commands need."""

    def run(self) -> None: ...


class Shell(Protocol):
    """The part of the main window that the commands need."""

    @property
    def session(self) -> Session: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def theme(self) -> Theme: ...
    @property
    def canvas(self) -> ImageCanvas: ...
    @property
    def attack_panel(self) -> Runs: ...
    def bring_up(self, name: str, control: str = "") -> None: ...
    def reset_layout(self) -> None: ...
    def show_figure_dialog(self) -> None: ...
    def show_keyboard_help(self) -> None: ...
    def close(self) -> bool: ...


class Commands(QObject):
    """All commands of the menus, for a window and its session."""

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        """``parent`` is the parent of the dialogs."""
        super().__init__(parent)
        self._window, self._parent = shell, parent
        self._session = shell.session
        self._settings = shell.settings
        self._experiments: ReproduceWindow | None = None

    # ------------------------------------------------------------------ the lectures' experiments

    def reproduce(self, slug: str) -> None:
        """Open the Reproduce window with an experiment of the lectures."""
        from gui.reproduce.window import ReproduceWindow

        if self._experiments is None:
            self._experiments = ReproduceWindow(self._session, self._settings, self._parent)
        self._experiments.choose(slug)
        self._experiments.show()
        self._experiments.raise_()

    # ------------------------------------------------------------------ images and models

    @Slot()
    def open_image(self) -> None:
        folder = self._settings.folder("images")
        path, _ = QFileDialog.getOpenFileName(self._parent, "Open image", str(folder), open_image.file_filter())
        if path:
            self.open_path(Path(path))

    def open_path(self, path: Path) -> None:
        """Open an image file; one that is missing is removed from the recent images."""
        if not path.exists() and path in self._settings.recent_images:
            self._settings.remove_recent_image(path)
            self._session.log("warning", f"“{path}” is no longer there. It was taken off the recent images.")
            return
        self._settings.keep_folder("images", path.parent)
        open_image.open_path(self._session, path)

    def open_files(self, paths: list[str]) -> None:
        """Open the first of the files that were dropped or pasted."""
        if paths:
            self.open_path(Path(paths[0]))
        if len(paths) > 1:
            self._session.notice.emit(f"{len(paths)} files came at once; “{Path(paths[0]).name}” was opened.")

    @Slot()
    def paste_image(self) -> None:
        if not self.open_mime(QGuiApplication.clipboard().mimeData(), "pasted image"):
            self._session.notice.emit("There is no image on the clipboard.")

    def open_mime(self, mime: QMimeData, name: str) -> bool:
        """Open pasted or dropped content, files before pixels; return whether it held an image."""
        if files := local_files(mime):
            self.open_files(files)
            return True
        pixels = pixels_of(mime)
        if pixels is not None:
            open_image.open_array(self._session, pixels, name)
        return pixels is not None

    @Slot()
    def open_model(self) -> None:
        self._window.bring_up("model", "Search models")

    @Slot()
    def choose_label(self) -> None:
        self._window.bring_up("image", "True label")

    @Slot()
    def save_image(self) -> None:
        name = f"{Path(str(self._session.image.get('name', 'image'))).stem}-adversarial.png"
        start = self._settings.folder("save") / name
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save adversarial image", str(start), "PNG image (*.png)")
        if path:
            self._settings.keep_folder("save", Path(path).parent)
            self.save_to(Path(path))

    def save_to(self, path: Path) -> None:
        """Save what is on the canvas; the verdict goes to the Log and the status bar."""
        from gui.export.saving import save_entry, save_frame

        session = self._session
        entry, frame, label = self._shown_entry(), session.frame, session.label
        if entry is None and frame is None:
            return

        def save() -> str:
            return save_entry(entry, path) if entry is not None else save_frame(frame, label, path)  # type: ignore[arg-type]

        def then(sentence: str) -> None:
            session.log("info", sentence)
            session.notice.emit(sentence)

        session.ask("save", save, then, what=f"Saving {path.name}", busy=f"Saving {path.name}…", keep=True)

    def _shown_entry(self) -> AttackRun | None:
        session = self._session
        return None if session.runs.running else session.history.shown

    @Slot()
    def export_figure(self) -> None:
        self._window.show_figure_dialog()

    @Slot()
    def quit(self) -> None:
        self._window.close()

    # ------------------------------------------------------------------ editing

    @Slot()
    def undo(self) -> None:
        self._session.undo_stack.undo()

    @Slot()
    def redo(self) -> None:
        self._session.undo_stack.redo()

    @Slot()
    def copy_adversarial(self) -> None:
        if self._session.frame is not None:
            copy_pixels(self._session.frame.adversarial_pixels)
            self._session.notice.emit("The adversarial image is on the clipboard, rounded to 8 bits.")

    @Slot()
    def copy_clean(self) -> None:
        if self._session.frame is not None:
            copy_pixels(self._session.frame.clean_pixels)
            self._session.notice.emit("The clean image is on the clipboard.")

    @Slot()
    def clear_perturbation(self) -> None:
        self._session.clear_perturbation()

    @Slot()
    def select_tool(self) -> None:
        self._window.canvas.set_tool("select")

    @Slot()
    def rectangle_tool(self) -> None:
        self._window.canvas.set_tool("rectangle")

    @Slot()
    def ellipse_tool(self) -> None:
        self._window.canvas.set_tool("ellipse")

    @Slot()
    def pan_tool(self) -> None:
        self._window.canvas.set_tool("pan")

    # ------------------------------------------------------------------ attacks

    @Slot()
    def run(self) -> None:
        self._window.attack_panel.run()

    @Slot()
    def pause(self) -> None:
        job = self._session.runs.job
        if job is not None:
            self._session.runs.pause(not job.paused)

    @Slot()
    def cancel(self) -> None:
        self._session.runs.cancel()

    @Slot()
    def previous_run(self) -> None:
        self._show_run(-1)

    @Slot()
    def next_run(self) -> None:
        self._show_run(1)

    def _show_run(self, by: int) -> None:
        history = self._session.history
        if not history.attacks:
            return
        place = len(history.attacks) - 1 if history.shown is None else history.attacks.index(history.shown) + by
        if 0 <= place < len(history.attacks):
            self._session.show_entry(history.attacks[place].number)
        else:
            self._session.notice.emit("This is the newest run." if by > 0 else "This is the oldest run that is kept.")

    # ------------------------------------------------------------------ the view

    @Slot()
    def zoom_in(self) -> None:
        self._window.canvas.zoom_in()

    @Slot()
    def zoom_out(self) -> None:
        self._window.canvas.zoom_out()

    @Slot()
    def fit(self) -> None:
        self._window.canvas.fit()

    @Slot()
    def actual_size(self) -> None:
        canvas = self._window.canvas
        canvas.zoom_by(1 / canvas.viewpoint.scale)

    @Slot()
    def theme_system(self) -> None:
        self._window.theme.choose("system")

    @Slot()
    def theme_light(self) -> None:
        self._window.theme.choose("light")

    @Slot()
    def theme_dark(self) -> None:
        self._window.theme.choose("dark")

    @Slot()
    def reset_layout(self) -> None:
        self._window.reset_layout()

    # ------------------------------------------------------------------ help

    @Slot()
    def keyboard_help(self) -> None:
        self._window.show_keyboard_help()

    @Slot()
    def about(self) -> None:
        from gui.shell.help_page import about

        about(self._parent)
