"""StartPresenter: joins the place of the start image with the session; what it takes to read one is asked of the engine thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from gui.session.open_image import cropped
from gui.session.start_image import StartImage, start_image

if TYPE_CHECKING:
    from engine import Classifier
    from gui.panels.attack.start_field import StartField
    from gui.session.session import Session


class StartPresenter(QObject):
    """Writes ``plan.start``. What is amiss is said in the Log, and the start image stays."""

    def __init__(self, session: Session, field: StartField) -> None:
        super().__init__(field)
        self._session, self._field = session, field
        self._known: StartImage | None = None
        """The newest start image: it is made anew for another model, where that can be."""
        self._numbers = count(1)
        """Number the start images that were asked for."""
        self._newest = 0
        """The number of the one that was taken, or after which the field was cleared."""
        field.pathChosen.connect(self.open_path)
        field.canvasAsked.connect(self._on_canvas)
        field.cleared.connect(self._on_cleared)
        session.planChanged.connect(self._on_plan)
        session.classifierChanged.connect(self._on_classifier)
        session.observed.connect(self._on_observed)
        self._on_observed()

    @Slot(str)
    def open_path(self, path: str | Path) -> None:
        """Begin at an image file."""
        from engine.images import open_image

        if self._session.classifier is None:
            self._session.notice.emit("Load a model first: the image is opened at its size.")
            return
        photograph = cache(lambda: open_image(path))
        self._ask(
            lambda classifier: start_image(cropped(photograph(), classifier).clean, classifier, photograph().name, photograph()),
            f"Start image {Path(path).name}",
        )

    @Slot()
    def _on_canvas(self) -> None:
        """Begin at the adversarial image on the canvas."""
        frame, entry = self._session.frame, self._session.history.shown
        if frame is not None:
            name = entry.title if entry is not None else "canvas"
            self._ask(lambda classifier: start_image(frame.observation.adversarial_image, classifier, name), "Start image from the canvas")

    @Slot()
    def _on_cleared(self) -> None:
        self._newest, self._known = next(self._numbers), None
        self._session.change("Clear start image", start=None)

    def _ask(self, make: Callable[[Classifier], StartImage], text: str = "", number: int | None = None) -> None:
        """Take what ``make(classifier)`` gives; where the classifier was swapped meanwhile, make it again for the new one.

        ``number`` says how new the wish is: what was chosen or cleared after it stays.
        """
        classifier = self._session.classifier
        if classifier is None:
            return
        place = next(self._numbers) if number is None else number

        def then(start: StartImage) -> None:
            current = self._session.classifier
            if place < self._newest or current is None:
                return
            if current is classifier:
                self._newest, self._known = place, start
                self._session.change(text, start=start)
            elif start.photograph is not None or tuple(start.image.shape) == current.input_shape:
                self._ask(make, text, place)

        self._session.ask("start image", lambda: make(classifier), then, what="Opening the start image", keep=True)

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _on_plan(self) -> None:
        self._known = self._session.plan.start or self._known

    @Slot()
    def _on_observed(self) -> None:
        self._field.set_canvas(self._session.frame is not None)

    @Slot()
    def _on_classifier(self) -> None:
        """Make the same image for the new model: from its photograph, or as it is where it fits."""
        known, classifier = self._known, self._session.classifier
        self._on_observed()
        if known is None or classifier is None:
            return
        photograph = known.photograph
        if photograph is not None:
            self._ask(lambda new: start_image(cropped(photograph, new).clean, new, known.name, photograph), number=self._newest)
        elif tuple(known.image.shape) == classifier.input_shape:
            self._ask(lambda new: start_image(known.image, new, known.name), number=self._newest)
