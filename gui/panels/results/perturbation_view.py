"""A perturbation that belongs to no single image: looked at, saved, loaded, put on the image of the canvas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton

from gui import theme
from gui.panels.results.content import Item
from gui.panels.results.views import View, page, signed_map
from gui.plots.pixel_maps import PixelMaps
from gui.plots.text import Sentence
from gui.settings import Settings

if TYPE_CHECKING:
    from engine.artifacts import Perturbation
    from gui.history import Entry
    from gui.session import Session

FILTER = "Perturbations (*.safetensors);;All files (*)"


def load_button(text: str = "Load…") -> QPushButton:
    """For this page and for the empty dock."""
    button = QPushButton(theme.icon("mdi6.folder-open-outline"), text)
    button.setToolTip("Load a universal perturbation from a file")
    return button


class PerturbationView(View):
    """Its map and three buttons; a step's direction has the map alone."""

    loadAsked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._perturbation: Perturbation | None = None
        self.maps, self.facts = PixelMaps(self), Sentence(muted=True)
        self.apply_button = QPushButton(theme.icon("mdi6.layers-plus"), "Apply to image", self)
        self.apply_button.setToolTip("Add it to the image on the canvas, in the place of the perturbation there")
        self.save_button = QPushButton(theme.icon("mdi6.content-save-outline"), "Save…", self)
        self.save_button.setToolTip("Save it as a file, for other images and other sessions")
        self.load_button = load_button()
        self.apply_button.clicked.connect(self.apply)
        self.save_button.clicked.connect(self._on_save)
        self.load_button.clicked.connect(self.loadAsked)
        foot = QHBoxLayout()
        foot.addWidget(self.facts, 1)
        for button in (self.apply_button, self.save_button, self.load_button):
            foot.addWidget(button)
        page(self, self.maps, foot)
        for signal in (session.classifierChanged, session.imageChanged, session.runChanged):
            signal.connect(self._refresh)

    def fill(self, entry: Entry | None, item: Item) -> None:
        self._perturbation = item.artifact
        values = item.artifact.values[0].detach().cpu().numpy()
        universal = entry is None or "data" in entry.result.operation.uses
        shown, scale = signed_map(values, item.title, universal)
        self.maps.set_maps([shown], scale)
        self.maps.setAccessibleName(item.title)
        for button in (self.apply_button, self.save_button, self.load_button):
            button.setVisible(universal)
        self.facts.set_text(f"L2 {float((values**2).sum()) ** 0.5:.3g}, L∞ {abs(values).max() * 255:.3g}/255" if universal else "")
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        session = self.session
        self.apply_button.setEnabled(self._perturbation is not None and session.clean is not None and not session.running)

    # ------------------------------------------------------------------ hands

    @Slot()
    def apply(self) -> None:
        """Put it on the canvas; what does not fit is said."""
        if self._perturbation is not None:
            self.session.apply_perturbation(self._perturbation.values[0].detach().cpu(), self._perturbation.title)

    @Slot()
    def _on_save(self) -> None:
        settings = Settings()
        start = settings.folder("save") / "universal-perturbation.safetensors"
        path, _ = QFileDialog.getSaveFileName(self, "Save perturbation", str(start), FILTER)
        if path:
            settings.keep_folder("save", Path(path).parent)
            self.save_to(Path(path))

    def save_to(self, path: Path) -> None:
        """Save it, in the engine thread."""
        perturbation, session = self._perturbation, self.session
        if perturbation is None:
            return

        def save() -> Path:
            from engine.attacks.universal import save_perturbation

            return Path(save_perturbation(perturbation, path) or path)

        session.ask("save", save, lambda written: session.notice.emit(f"Saved as {written.name}."), busy=f"Saving {path.name}…")
