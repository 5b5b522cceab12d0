"""Session: the one observable state. Panels call its methods and listen to its signals; they never meet each other.

    wishes (classifier, image, stickers, perturbation, bounds) -> Scene -> engine thread -> Frame -> ``observed``

Every change makes a new scene and asks the engine thread for a frame of it; while one is being made only the newest scene waits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from gui.lanes.engine_thread import EngineThread, stop
from gui.lanes.requests import Requests
from gui.session.attack_inputs import Region
from gui.session.attack_runner import AttackRunner
from gui.session.data_sources import DataSources
from gui.session.eps_mover import EpsMover
from gui.session.history import History
from gui.session.loaded_models import LoadedModels
from gui.session.scene import Frame, Scene, look

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from engine.stickers import Content, Sticker

LogKind = Literal["run", "info", "warning", "error"]


@dataclass(frozen=True)
class LogEntry:
    """A line of the Log."""

    kind: LogKind
    text: str
    details: str = ""
    short: str = ""
    """What the status bar says of it, where that is not the text itself."""
    at: datetime = field(default_factory=datetime.now)


class _ReplaceStickers(QUndoCommand):
    """The one undo command: a tuple of frozen stickers for another."""

    def __init__(self, session: Session, before: tuple[Sticker, ...], after: tuple[Sticker, ...], text: str) -> None:
        super().__init__(text)
        self._session, self._before, self._after = session, before, after

    def undo(self) -> None:
        self._session.put_stickers(self._before)

    def redo(self) -> None:
        self._session.put_stickers(self._after)


class Session(QObject):
    """What is open, what is wished for, and what came of it."""

    engineReady = Signal()
    """The engine is loaded; attacks, models and data can be named."""
    classifierChanged = Signal()
    imageChanging = Signal()
    """Another clean image is about to come: let go of what is under the mouse."""
    imageChanged = Signal()
    """The clean image."""
    photographChanged = Signal()
    """Another photograph, which the clean image is a crop of."""
    labelChanged = Signal()
    """The true label or the target."""
    stickersChanged = Signal()
    """Committed or dragged; read ``stickers``."""
    selectionChanged = Signal()
    pixelChosen = Signal(object)
    """``(column, row)`` to be marked on the canvas; None: no pixel."""
    boundsChanged = Signal()
    threadsChanged = Signal()
    observed = Signal()
    """``frame`` is new: paint from it; None: it could not be made."""
    logged = Signal(object)
    """A `LogEntry`."""
    notice = Signal(str)
    """A sentence for the status bar."""
    withdrawn = Signal(str)
    """A sentence that was said there holds no longer."""
    busyChanged = Signal(str)
    """What is being loaded, or nothing."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.classifier: Classifier | None = None
        self.clean: Tensor | None = None
        self.image: dict[str, Any] = {}
        """Where the clean image came from: name, path, sha256, crop, notes."""
        self.photograph: Photograph | None = None
        """What the clean image was cropped from; see ``gui.session.open_image``."""
        self.opened = 0
        """The number of the newest image that was opened and shown; see `gui.session.open_image.open_for`."""
        self.threads = 1
        """CPU threads of each lane, measured for the classifier."""
        self.label: int | None = None
        """The true label; None: unknown, attacks take the prediction."""
        self.target: int | None = None
        """The class an attack is to reach; None: any other."""
        self.region: Region = "image"
        self.stickers: tuple[Sticker, ...] = ()
        self.selected: int | None = None
        self.new_content: Literal["optimised", "colour"] = "optimised"
        """What a sticker is drawn with: content that an attack is to paint, or ``new_colour``."""
        self.new_colour: tuple[float, float, float] = (1.0, 0.85, 0.0)
        self.delta: Tensor | None = None
        self.grown = False
        """Whether what is on the canvas was grown from noise; see `Scene`."""
        self.bounds: dict[str, float] = {}
        self.saliency = False
        self.live = True
        """Whether a run's iterates are shown; without, it is faster."""
        self._frame: Frame | None = None
        self.history = History(self)
        self.loaded = LoadedModels(self)
        self.data_sources = DataSources(self)
        self.undo_stack = QUndoStack(self)
        self.ready = False
        self.lane = EngineThread("interactive", self)
        """Everything about the image on the canvas."""
        self.background = EngineThread("background", self, behind=self.lane)
        """What takes minutes and has nothing to do with that image."""
        self._requests = Requests(self.lane, self.background, self)
        self._requests.failed.connect(self._on_failed)
        self._requests.busyChanged.connect(self.busyChanged)
        self.ask, self.waiting = self._requests.ask, self._requests.waiting
        self.runs = AttackRunner(self)
        self.eps = EpsMover(self)

    # ------------------------------------------------------------------ what is said

    @Slot(str, str, str)
    def _on_failed(self, key: str, sentence: str, details: str) -> None:
        self.log("error", sentence, details)
        if key == "frame" and self.frame is None:
            self.observed.emit()  # nothing to show: what is on the screen belongs to another image or model

    def log(self, kind: LogKind, text: str, details: str = "", *, short: str = "") -> None:
        """Add a line to the Log; errors and warnings also go to the status bar, in ``short`` where the text is said elsewhere, too."""
        self.logged.emit(LogEntry(kind, text, details, short))
        if kind in ("error", "warning"):
            self.notice.emit(short or text)

    # ------------------------------------------------------------------ the state

    @property
    def scene(self) -> Scene | None:
        """What is on the canvas; None until there are a classifier and an image."""
        if self.classifier is None or self.clean is None:
            return None
        return Scene(self.classifier, self.clean, self.stickers, self.delta, dict(self.bounds), self.saliency, self.grown)

    @property
    def frame(self) -> Frame | None:
        """The newest frame of this image under this classifier; None while there is none yet: nobody sees another one's numbers."""
        return self._frame if self._frame is not None and self.is_current(self._frame.scene) else None

    def is_current(self, scene: Scene) -> bool:
        """Whether a scene is of this image under this classifier."""
        return scene.classifier is self.classifier and scene.clean is self.clean

    def refresh(self) -> None:
        """Ask for a frame of the scene as it is now; while an attack is under way, of where it has got to."""
        scene = self.scene
        if scene is None:
            return
        asked, seen = time.perf_counter(), self.frame
        iterate = step = None
        if self.runs.running and seen is not None and seen.step is not None and self.runs.shows_stickers(seen):
            iterate, step = seen.observation.adversarial_image, seen.step
        what = "Showing the image to the model"
        self.ask("frame", lambda: look(scene, iterate, asked_at=asked, step=step), self.show, what=what, stream=True)

    def show(self, frame: Frame) -> None:
        """Let everybody paint this frame, if it is of what is open."""
        if self.is_current(frame.scene):
            self._frame = frame
            self.observed.emit()

    def set_classifier(
        self, classifier: Classifier, clean: Tensor | None = None, image: Mapping[str, Any] | None = None, label: int | None = None
    ) -> None:
        """Swap the classifier, together with an image that fits it where the one shown does not."""
        self.runs.cancel()
        fits = self.clean is not None and tuple(self.clean.shape) == classifier.input_shape
        same_labels = self.classifier is not None and self.classifier.labels == classifier.labels
        self.classifier = classifier
        self._measure_threads(classifier)
        self.loaded.add(classifier)
        self.bounds = {}
        if not same_labels:
            self.label, self.target = None, None
        if clean is not None:
            self._put_image(clean, image or {}, label)
        elif not fits:
            self.clean, self.image = None, {}
        self._forget_perturbation()
        # All of it is in place before anybody hears of it.
        self.refresh()
        self.classifierChanged.emit()
        self.boundsChanged.emit()
        self._tell_of_image()

    def _measure_threads(self, classifier: Classifier) -> None:
        """Give both lanes the number of CPU threads at which this classifier is fastest."""

        def measure() -> int:
            threads = classifier.threads()
            for lane in (self.lane, self.background):
                lane.use_threads(threads)
            return threads

        def then(threads: int) -> None:
            self.threads = threads
            self.threadsChanged.emit()

        self.ask("threads", measure, then, what="Measuring the model's speed")

    def set_image(self, clean: Tensor, image: Mapping[str, Any], label: int | None = None, *, keep_stickers: bool = False) -> None:
        """Put an image on the canvas. ``image`` says where it came from; stickers go unless they are kept."""
        self.runs.cancel()
        self._put_image(clean, image, label, keep_stickers)
        self._forget_perturbation()
        self.refresh()
        self._tell_of_image()

    def _put_image(self, clean: Tensor, image: Mapping[str, Any], label: int | None, keep_stickers: bool = False) -> None:
        self.imageChanging.emit()
        self.clean, self.image, self.label = clean, dict(image), label
        if not keep_stickers:
            self.undo_stack.clear()
            self.stickers, self.selected = (), None
            self.region = "image"

    def _tell_of_image(self) -> None:
        for signal in (self.imageChanged, self.labelChanged, self.stickersChanged, self.selectionChanged):
            signal.emit()

    def set_label(self, label: int | None) -> None:
        """Name the true label."""
        self.label = label
        self.labelChanged.emit()

    def set_target(self, target: int | None) -> None:
        """Name the class an attack is to reach; None: any other."""
        self.target = target
        self.labelChanged.emit()

    def set_bounds(self, bounds: Mapping[str, float]) -> None:
        """Clamp the activations of sites (by name) from above; empty: no bound."""
        self.bounds = dict(bounds)
        self.boundsChanged.emit()
        self.refresh()

    def set_saliency(self, wanted: bool) -> None:
        """Whether frames hold saliency maps."""
        if wanted != self.saliency:
            self.saliency = wanted
            self.refresh()

    def clear_perturbation(self) -> None:
        """Back to the clean image with its stickers."""
        self._forget_perturbation()
        self.refresh()

    def apply_perturbation(self, delta: Tensor, title: str) -> None:
        """Add a perturbation ``(C, H, W)`` that no run made for this image; what does not fit is said in the Log."""
        if self.clean is None or self.runs.running:
            return
        if delta.shape != self.clean.shape:
            sizes = (" × ".join(map(str, tuple(tensor.shape))) for tensor in (delta, self.clean))
            self.log("warning", "“{}” is {}, but the image is {}. Open a model that takes images of its size.".format(title, *sizes))
            return
        self._forget_perturbation()
        self.delta = delta
        self.refresh()
        self.log("info", f"“{title}” was added to the image. Edit, Clear perturbation takes it away.")

    def put_delta(self, scene: Scene) -> None:
        """Take over a scene's perturbation."""
        self.delta, self.grown = scene.delta, scene.grown

    def _forget_perturbation(self) -> None:
        self.delta, self.grown = None, False
        if self.history.shown is not None:
            self.history.shown = None
            self.history.changed.emit()

    # ------------------------------------------------------------------ stickers

    def select(self, sticker: int | None) -> None:
        """Select the sticker of that id."""
        if sticker != self.selected:
            self.selected = sticker
            self.selectionChanged.emit()

    def content_for_new(self) -> Content:
        """The content of a sticker that is drawn now."""
        from engine.stickers import Colour, Optimised

        return Optimised() if self.new_content == "optimised" else Colour(self.new_colour)

    def commit_stickers(self, after: tuple[Sticker, ...], text: str, before: tuple[Sticker, ...] | None = None) -> None:
        """Replace the stickers as one undoable step. ``before`` is what it began with, where a drag lies between."""
        before = self.stickers if before is None else self.runs.filled(before)
        after = self.runs.filled(after)
        if after != before:
            self.undo_stack.push(_ReplaceStickers(self, before, after, text))

    def drag_stickers(self, stickers: tuple[Sticker, ...]) -> None:
        """Show stickers that are still under the mouse; nothing to undo yet."""
        self.put_stickers(self.runs.filled(stickers))

    def put_stickers(self, stickers: tuple[Sticker, ...]) -> None:
        """Show these stickers, without a step to undo."""
        self.stickers = stickers
        if self.selected not in {sticker.id for sticker in stickers}:
            self.select(None)
        self.history.look()
        self.stickersChanged.emit()
        self.refresh()
        self.runs.follow_stickers()

    # ------------------------------------------------------------------ a finished run

    def show_entry(self, number: int) -> None:
        """Put a finished run back on the canvas, with its classifier, image and stickers."""
        entry = self.history.find(number)
        if entry is None:
            return
        self.runs.cancel()
        self.imageChanging.emit()
        scene, result = entry.scene, entry.result
        swapped, elsewhere = scene.classifier is not self.classifier, not self.is_current(scene)
        self.classifier, self.clean, self.image = scene.classifier, scene.clean, dict(entry.image)
        self.photograph = entry.photograph
        self.put_delta(scene)
        self.label = None if result.labels_assumed else int(result.labels[0])
        self.target = None if result.targets is None else int(result.targets[0])
        if swapped:
            self._measure_threads(scene.classifier)
            self.bounds = {}
        if elsewhere:  # undoing must not bring another image's stickers to this one
            self.undo_stack.clear()
            self.stickers, self.selected = scene.stickers, None
        else:
            self.commit_stickers(scene.stickers, f"Show {entry.title}")
        self.history.shown = entry
        self.refresh()
        if swapped:
            self.classifierChanged.emit()
            self.boundsChanged.emit()
        self._tell_of_image()
        self.history.changed.emit()

    # ------------------------------------------------------------------ the end

    def shut_down(self) -> bool:
        """Stop timer and threads; whether the threads have ended. May be called more than once."""
        self.runs.stop()
        self.data_sources.close()
        self.undo_stack.blockSignals(True)  # its destructor clears it, and would call those who are half gone by then
        ended = stop((self.background, self.lane))
        for sentence in self._requests.close():
            print(f"gibbon: {sentence}", file=sys.stderr, flush=True)  # the window, which would say it, is gone
        return ended
