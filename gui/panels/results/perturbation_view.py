"""PerturbationView: a universal perturbation, which can be saved, loaded and added to the image on the canvas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from gui import theme
from gui.panels.results.content import Item
from gui.panels.results.views import View, page, signed_map
from gui.plots.pixel_maps import PixelMaps
from gui.settings import Settings
from gui.widgets.asked_file import ask_file
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.artifacts import Perturbation
    from engine.attacks.universal.saved import StoredPerturbation
    from gui.session.history import AttackRun
    from gui.session.session import Session

FILTER = "Perturbations (*.safetensors);;All files (*)"


def load_button(text: str = "Load…") -> QPushButton:
    """Return the button that loads a perturbation, for this page and for the empty dock."""
    button = QPushButton(theme.icon("mdi6.folder-open-outline"), text)
    button.setToolTip("Load a universal perturbation from a file")
    return button


class PerturbationView(View):
    """The page of a perturbation: its map and three buttons; for a step's direction only the map."""

    loadAsked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._perturbation: Perturbation | StoredPerturbation | None = None
        self._entry: AttackRun | None = None
        self._file: Path | None = None
        """The file that the perturbation was loaded from; None if a run made it."""
        self.maps, self.facts = PixelMaps(self, turns=True), Sentence(muted=True)
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
        for signal in (session.classifierChanged, session.imageChanged, session.runs.changed):
            signal.connect(self._refresh)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        self._perturbation, self._entry, self._file = item.artifact, entry, item.file
        values = item.artifact.values[0].detach().cpu().numpy()
        universal = item.universal
        shown, scale = signed_map(values, item.title, universal)
        self.maps.set_maps([shown], scale)
        self.maps.setAccessibleName(item.title)
        self.apply_button.setVisible(universal)
        self.save_button.setVisible(universal and item.file is None)
        self.load_button.setVisible(universal)
        self.facts.set_text(f"L2 {float((values**2).sum()) ** 0.5:.3g}, L∞ {abs(values).max() * 255:.3g}/255" if universal else "")
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        session = self.session
        self.apply_button.setEnabled(self._perturbation is not None and session.clean is not None and not session.runs.running)

    # ------------------------------------------------------------------ from the user

    @Slot()
    def apply(self) -> None:
        """Add the perturbation to the image: one from a file by a run, which can be replayed; one of a run directly."""
        if self._file is not None:
            from engine.attacks import SavedPerturbation

            self.session.runs.start(SavedPerturbation(file=str(self._file)))
        elif self._perturbation is not None:
            self.session.apply_perturbation(self._perturbation.values[0].detach().cpu(), self._perturbation.title)

    @Slot()
    def _on_save(self) -> None:
        settings = Settings()
        start = settings.folder("save") / "universal-perturbation.safetensors"
        path = ask_file(self, "Save perturbation", start, FILTER)
        if path is not None:
            settings.keep_folder("save", path.parent)
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Save the perturbation, in the engine thread."""
        perturbation, entry, session = self._perturbation, self._entry, self.session
        if perturbation is None:
            return

        def save() -> Path:
            from engine.artifacts import Perturbation
            from engine.attacks import save_perturbation

            return save_perturbation(
                path, Perturbation(perturbation.values, perturbation.title), **({} if entry is None else perturbation_facts(entry))
            )

        def then(written: Path) -> None:
            session.notice.emit(f"Saved as {written.name}.")

        session.ask("save", save, then, what=f"Saving {path.name}", busy=f"Saving {path.name}…", keep=True)


def perturbation_facts(entry: AttackRun) -> dict[str, Any]:
    """Return the facts about a perturbation that its file stores besides its values."""
    made, data = entry.result.provenance, entry.inputs.data
    known = {"model": made["model"], "operation": made["operation"], "seed": made["seed"], "versions": made["versions"]}
    return known if data is None else {**known, "data": data.description}
