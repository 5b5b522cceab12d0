"""StartPresenter: connects the start image's field with the session. Start images are made in the engine thread."""

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
    """Writes ``plan.start``. If an image cannot be opened, the error goes to the messages and the start image stays."""

    def __init__(self, session: Session, field: StartField) -> None:
        super().__init__(field)
        self._session, self._field = session, field
        self._known: StartImage | None = None
        """The newest start image, kept to make it again for another model if possible."""
        self._numbers = count(1)
        """Numbers the requests for a start image."""
        self._newest = 0
        """The number of the newest request that took effect, or of the last one before the field was cleared."""
        field.pathChosen.connect(self.open_path)
        field.canvasAsked.connect(self._on_canvas)
        field.cleared.connect(self._on_cleared)
        session.planChanged.connect(self._on_plan)
        session.classifierChanged.connect(self._on_classifier)
        session.observed.connect(self._on_observed)
        self._on_observed()

    @Slot(str)
    def open_path(self, path: str | Path) -> None:
        """Use an image file as the start image."""
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
        """Use the adversarial image on the canvas as the start image."""
        frame, entry = self._session.frame, self._session.iterates.run
        if frame is not None:
            name = entry.title if entry is not None else "canvas"
            self._ask(lambda classifier: start_image(frame.observation.adversarial_image, classifier, name), "Start image from the canvas")

    @Slot()
    def _on_cleared(self) -> None:
        self._newest, self._known = next(self._numbers), None
        self._session.change("Clear start image", start=None)

    def _ask(self, make: Callable[[Classifier], StartImage], text: str = "", number: int | None = None) -> None:
        """Request ``make(classifier)`` and use its result; if the classifier was swapped meanwhile, make it again for the new one.

        ``number`` is the request's number: a later choice or clearing is not overwritten.
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
        """Make the start image again for the new model: from its photograph, or unchanged if its shape fits."""
        known, classifier = self._known, self._session.classifier
        self._on_observed()
        if known is None or classifier is None:
            return
        photograph = known.photograph
        if photograph is not None:
            self._ask(lambda new: start_image(cropped(photograph, new).clean, new, known.name, photograph), number=self._newest)
        elif tuple(known.image.shape) == classifier.input_shape:
            self._ask(lambda new: start_image(known.image, new, known.name), number=self._newest)
