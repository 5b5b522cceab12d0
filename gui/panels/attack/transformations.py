"""The preview of an attack's transformations: the pictures that its first step looks at, before the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.session.scene import Scene, to_pixels
from gui.widgets.message import Message
from gui.widgets.text import Sentence
from gui.widgets.thumbnails import Thumbnail, Thumbnails

if TYPE_CHECKING:
    from gui.session.session import Session

_SIDE = 80
_TIP = (
    "Show the pictures that the first step looks at: the image with its stickers under transformations that are drawn with the run's seed"
)
_NO_IMAGE = "Open an image and draw a sticker to see its transformations."


@dataclass(frozen=True, eq=False)
class Drawn:
    """The pictures of the first step, with what is read in each."""

    thumbnails: tuple[Thumbnail, ...]
    sentence: str


def draw_pictures(attack: Any, scene: Scene, seed: int, goal: tuple[int | None, int | None]) -> Drawn:
    """Return the pictures of an attack's first step on a scene. Called in the engine thread.

    ``goal`` is the true label and the target, each None where it is not set.

    Raises
    ------
    GibbonError
        No sticker is to be optimised.
    """
    from engine.errors import GibbonError
    from engine.stickers import compose
    from engine.text.formatting import format_probability

    composition = compose(scene.clean, scene.stickers)
    if composition.mask is None:
        raise GibbonError("There is no sticker whose content is to be optimised. Draw one, and set its content to “optimised”.")
    begin = None if composition.content is None else composition.content[None]
    pictures = attack.preview(composition.base[None], composition.mask, begin, seed=seed)[:, 0]
    shares, classes = scene.classifier.score(pictures).softmax(1).max(1)
    labels, (label, target) = scene.classifier.labels, goal
    label = int(scene.classifier.predict(scene.clean[None])[0]) if label is None else label
    reached = classes == target if target is not None else classes != label
    thumbnails = tuple(
        Thumbnail(to_pixels(picture), f"{labels[int(best)]} {format_probability(float(share))}")
        for picture, best, share in zip(pictures, classes, shares, strict=True)
    )
    count = len(pictures)
    return Drawn(
        thumbnails, f"Before the first step {int(reached.sum())} of {count} transformations succeed. The run draws new ones in every step."
    )


class PreviewButton(QPushButton):
    """The button below the form, visible for attacks that transform the image. It opens the preview, which follows the form."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(theme.icon("mdi6.image-multiple-outline"), "Preview transformations", parent)
        self._session = session
        self.dialog: TransformationsDialog | None = None
        """The preview, once it was opened."""
        self.setToolTip(_TIP)
        self.clicked.connect(self._on_clicked)
        session.planChanged.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Be visible for attacks that can be previewed."""
        slug, known = self._session.plan.slug, False
        if slug and self._session.ready:
            from engine.attacks import CATALOGUE

            known = hasattr(CATALOGUE.get(slug), "preview")
        self.setVisible(known)

    @Slot()
    def _on_clicked(self) -> None:
        if self.dialog is None:
            self.dialog = TransformationsDialog(self._session, self)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.refresh()


class TransformationsDialog(QDialog):
    """The pictures in a grid. It stays open beside the window, and follows form, stickers and image."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Transformations of the first step")
        self.setModal(False)
        self.resize(640, 480)
        self.message, self.words, self.grid = Message(self), Sentence(2, muted=True, snug=True, parent=self), Thumbnails(_SIDE, self)
        self.grid.setAccessibleName("Pictures under the transformations")
        self.grid.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(self)
        column.setSpacing(theme.GRID)
        for widget in (self.words, self.message):
            column.addWidget(widget)
        column.addWidget(self.grid, 1)
        for signal in (session.planChanged, session.observed, session.labelChanged):
            signal.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Ask for the pictures, if the dialog is open."""
        if not self.isVisible() or self._session.runs.running:
            return
        scene, state = self._session.scene, self._session.state
        attack, refused = state.plan.built
        if scene is None or attack is None or not hasattr(attack, "preview"):
            self._refuse(refused or _NO_IMAGE)
            return
        goal = state.label, state.target
        self._session.ask(
            "transformations",
            lambda: draw_pictures(attack, scene, state.plan.seed, goal),
            self._show,
            what="Drawing the transformations",
            failed=self._refuse,
            quiet=True,
        )

    def _show(self, drawn: Drawn) -> None:
        self.message.say("")
        self.words.set_text(drawn.sentence)
        self.grid.show_thumbnails(drawn.thumbnails)

    def _refuse(self, sentence: str) -> None:
        self.message.say(sentence)
        self.words.set_text("")
        self.grid.show_thumbnails(())
