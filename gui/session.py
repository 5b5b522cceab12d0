"""Session: the one observable state. Panels call its methods and listen to its signals; they never meet each other.

    wishes (classifier, image, stickers, perturbation, bounds) -> Scene -> engine thread -> Frame -> ``observed``

Every change makes a new scene and asks the engine thread for a frame of it; while one is being made only the newest scene waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from gui.attack_run import Region, completed, make_run, parameters, preview_of, summary, use_threads
from gui.engine_thread import EngineThread, Job, Outcome
from gui.history import Entry, History, stickers_after
from gui.questions import Questions
from gui.scene import Frame, Scene, look

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack, AttackResult, Classifier
    from engine.images import Photograph
    from engine.stickers import Content, Sticker

LogKind = Literal["run", "info", "warning", "error"]
PREVIEW_MS = 33
PATIENCE_MS = 150


@dataclass(frozen=True)
class LogEntry:
    """A line of the Log."""

    kind: LogKind
    text: str
    details: str = ""
    at: datetime = field(default_factory=datetime.now)


class _ReplaceStickers(QUndoCommand):
    """The one undo command: a tuple of frozen stickers for another."""

    def __init__(self, session: Session, before: tuple[Sticker, ...], after: tuple[Sticker, ...], text: str) -> None:
        super().__init__(text)
        self._session, self._before, self._after = session, before, after

    def undo(self) -> None:
        self._session._set_stickers(self._before)

    def redo(self) -> None:
        self._session._set_stickers(self._after)


class Session(QObject):
    """What is open, what is wished for, and what came of it."""

    engineReady = Signal()
    """The engine is loaded; attacks, models and data can be named."""
    classifierChanged = Signal()
    imageChanged = Signal()
    """The clean image."""
    photographChanged = Signal()
    """Another photograph, which the clean image is a crop of."""
    labelChanged = Signal()
    """The true label or the target."""
    stickersChanged = Signal()
    """Committed or dragged; read ``stickers``."""
    selectionChanged = Signal()
    boundsChanged = Signal()
    threadsChanged = Signal()
    observed = Signal()
    """``frame`` is new: paint from it."""
    runChanged = Signal()
    """A run began, went on, paused or ended; read ``job``."""
    historyChanged = Signal()
    logged = Signal(object)
    """A `LogEntry`."""
    notice = Signal(str)
    """A sentence for the status bar."""
    busyChanged = Signal(str)
    """What is being loaded, or nothing."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.classifier: Classifier | None = None
        self.clean: Tensor | None = None
        self.image: dict[str, Any] = {}
        """Where the clean image came from: name, path, sha256, crop, notes."""
        self.photograph: Photograph | None = None
        """What the clean image was cropped from; see ``gui.opening``."""
        self.threads = 1
        """CPU threads of the engine thread, measured for the classifier."""
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
        self.bounds: dict[str, float] = {}
        self.saliency = False
        self.live = True
        """Whether a run's iterates are shown; without, it is faster."""
        self.frame: Frame | None = None
        self.job: Job | None = None
        self.job_attack: Attack | None = None
        self.shown: int | None = None
        """Number of the history entry on the canvas, while nothing has changed since."""
        self.history = History()
        self.undo_stack = QUndoStack(self)
        self.ready = False
        self.lane = EngineThread("interactive", self)
        self.lane.done.connect(self._on_done)
        self._questions = Questions(self.lane, self)
        self._questions.failed.connect(self._on_failed)
        self._questions.busyChanged.connect(self.busyChanged)
        self._left: Job | None = None
        """A cancelled run whose last step is still being made."""
        self._before: Scene | None = None
        self._region: Region = "image"
        self._started_at = 0.0
        self._dragging = False
        self._resume_after_drag = False
        self._timer = QTimer(self)
        self._timer.setInterval(PREVIEW_MS)
        self._timer.timeout.connect(self._on_tick)

    # ------------------------------------------------------------------ asking the engine

    def ask(self, key: str, question: Callable[[], Any], then: Callable[[Any], None], *, busy: str = "", stream: bool = False) -> None:
        """Ask the engine thread; ``then`` gets the answer here. A waiting question of the same key is dropped.

        An error becomes a log entry and a notice; ``then`` is not called. ``busy`` is shown while it lasts. ``stream`` also takes the
        answer to a question that was already under way when a newer one came: else a steady stream of questions would never be answered.
        """
        self._questions.ask(key, question, then, busy=busy, stream=stream)

    def waiting(self, key: str) -> bool:
        """Whether a question of that key has no answer yet."""
        return self._questions.waiting(key)

    @Slot(str, str)
    def _on_failed(self, sentence: str, details: str) -> None:
        self.log("error", sentence, details)

    def log(self, kind: LogKind, text: str, details: str = "") -> None:
        """Add a line to the Log; errors and warnings also go to the status bar."""
        self.logged.emit(LogEntry(kind, text, details))
        if kind in ("error", "warning"):
            self.notice.emit(text)

    # ------------------------------------------------------------------ the state

    @property
    def scene(self) -> Scene | None:
        """What is on the canvas; None until there are a classifier and an image."""
        if self.classifier is None or self.clean is None:
            return None
        return Scene(self.classifier, self.clean, self.stickers, self.delta, dict(self.bounds), self.saliency)

    def refresh(self) -> None:
        """Ask for a frame of the scene as it is now."""
        scene = self.scene
        if scene is not None:
            asked = time.perf_counter()
            self.ask("frame", lambda: look(scene, asked_at=asked), self._show, stream=True)

    def _show(self, frame: Frame) -> None:
        if frame.scene.classifier is not self.classifier or frame.scene.clean is not self.clean:
            return  # of another image or model
        self.frame = frame
        self.observed.emit()

    def set_classifier(
        self, classifier: Classifier, clean: Tensor | None = None, image: Mapping[str, Any] | None = None, label: int | None = None
    ) -> None:
        """Swap the classifier, together with an image that fits it where the one shown does not."""
        self.cancel()
        fits = self.clean is not None and tuple(self.clean.shape) == classifier.input_shape
        same_labels = self.classifier is not None and self.classifier.labels == classifier.labels
        self.classifier = classifier
        self._measure_threads(classifier)
        self.bounds = {}
        if not same_labels:
            self.label, self.target = None, None
        if clean is None and not fits:
            self.clean, self.image, self.frame = None, {}, None
        self._forget_perturbation()
        self.classifierChanged.emit()
        self.boundsChanged.emit()
        if clean is not None:
            self.set_image(clean, image or {}, label)
        else:
            self.imageChanged.emit()
            self.labelChanged.emit()
            self.refresh()

    def _measure_threads(self, classifier: Classifier) -> None:
        """Give the engine thread the number of CPU threads at which this classifier is fastest."""

        def then(threads: int) -> None:
            self.threads = threads
            self.threadsChanged.emit()

        self.ask("threads", lambda: use_threads(classifier), then)

    def set_image(self, clean: Tensor, image: Mapping[str, Any], label: int | None = None, *, keep_stickers: bool = False) -> None:
        """Put an image on the canvas. ``image`` says where it came from; stickers go unless they are kept."""
        self.cancel()
        self.clean, self.image = clean, dict(image)
        self._forget_perturbation()
        if not keep_stickers:
            self.undo_stack.clear()
            self.stickers, self.selected = (), None
            self.region = "image"
        self.label = label
        self.imageChanged.emit()
        self.labelChanged.emit()
        self.stickersChanged.emit()
        self.selectionChanged.emit()
        self.refresh()

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

    def _forget_perturbation(self) -> None:
        self.delta = None
        if self.shown is not None:
            self.shown = None
            self.historyChanged.emit()

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
        before = self.stickers if before is None else before
        if after != before:
            self.undo_stack.push(_ReplaceStickers(self, before, after, text))

    def drag_stickers(self, stickers: tuple[Sticker, ...]) -> None:
        """Show stickers that are still under the mouse; nothing to undo yet."""
        self._set_stickers(stickers)

    def _set_stickers(self, stickers: tuple[Sticker, ...]) -> None:
        self.stickers = stickers
        if self.selected not in {sticker.id for sticker in stickers}:
            self.select(None)
        shown = self._entry_on_canvas()
        if shown != self.shown:
            self.shown = shown
            self.historyChanged.emit()
        self.stickersChanged.emit()
        self.refresh()

    def _entry_on_canvas(self) -> int | None:
        """The newest run whose outcome is exactly what is on the canvas: after an edit none, after its undo the same again."""
        for entry in reversed(self.history.entries):
            scene = entry.scene
            same = scene.classifier is self.classifier and scene.clean is self.clean and scene.delta is self.delta
            if same and scene.stickers == self.stickers:
                return entry.number
        return None

    def begin_drag(self) -> None:
        """A sticker attack waits while a sticker is under the mouse."""
        self._dragging = True
        if self.job is not None and self._paints_stickers() and not self.job.paused:
            self.pause(True)
            self._resume_after_drag = True

    def end_drag(self) -> None:
        """The sticker was let go: a waiting sticker attack goes on at the new place, from the content it had."""
        self._dragging = False
        if self._resume_after_drag and self.job is not None and self.job_attack is not None:
            attack = self.job_attack
            left = max(1, (self.job.total or attack.steps) - max(0, self.job.index))  # type: ignore[attr-defined]
            self.start_attack(attack.model_copy(update={"begin": "current", "steps": left}))
        self._resume_after_drag = False

    def _paints_stickers(self) -> bool:
        return self.job_attack is not None and "stickers" in self.job_attack.uses

    # ------------------------------------------------------------------ attacks

    def start_attack(self, attack: Attack, *, seed: int = 0) -> None:
        """Run an attack on the image with its stickers; what is amiss is said in the Log and nothing changes."""
        scene = self.scene
        if scene is None:
            self.notice.emit("Open an image first: there is nothing to attack.")
            return
        before = replace(scene, delta=None)
        label, target, region = self.label, self.target, self.region
        self._before, self._region, self.job_attack, self._started_at = before, region, attack, time.perf_counter()
        preview = preview_of(before, lambda: (self.bounds, self.saliency))
        job = Job("attack", lambda: make_run(attack, before, region, label, target, seed), preview, completed)
        self.job = self.lane.submit(job)
        if self.live:
            job.want_preview()
        self._timer.start()
        self.runChanged.emit()

    def pause(self, paused: bool) -> None:
        """Hold the attack, or let it go on."""
        if self.job is not None:
            self.lane.pause(self.job, paused)
            self.runChanged.emit()

    def cancel(self) -> None:
        """End the attack; its best so far is kept.

        The window is free after `PATIENCE_MS` even where a step takes longer; what that step brings is adopted when it comes.
        """
        job = self.job
        if job is not None and not job.cancelled:
            self.lane.cancel(job)
            self.runChanged.emit()
            QTimer.singleShot(PATIENCE_MS, self, lambda: self._leave(job))

    def _leave(self, job: Job) -> None:
        if job is self.job:
            self.job, self._left = None, job
            self._timer.stop()
            self.runChanged.emit()

    @property
    def running(self) -> bool:
        """Whether an attack is under way, paused or not."""
        return self.job is not None

    @property
    def seconds(self) -> float:
        """Since the attack began."""
        return time.perf_counter() - self._started_at

    @Slot()
    def _on_tick(self) -> None:
        job = self.job
        if job is None:
            self._timer.stop()
            return
        frame = job.take_preview()
        if frame is not None and not self._dragging and not job.cancelled:
            self._show(frame)
        if self.live:
            job.want_preview()
        self.runChanged.emit()

    @Slot(object)
    def _on_done(self, outcome: Outcome) -> None:
        if outcome.job is not self.job and (outcome.job is not self._left or self.job is not None):
            return  # replaced by a newer run
        before, self.job, self._left = self._before, None, None
        self._timer.stop()
        same = before is not None and self.classifier is before.classifier and self.clean is before.clean
        if outcome.status == "failed":
            self.log("error", outcome.error, outcome.details)  # and what is on the canvas stays as it was
        elif outcome.result is None:
            self.log("info", "The attack was cancelled before its first step.")
        elif before is not None and same:
            self._adopt(outcome.result, before)
        self.job_attack = None
        self.runChanged.emit()
        self.refresh()

    def _adopt(self, result: AttackResult, before: Scene) -> None:
        """Put what came out on the canvas and into the history."""
        self.log("run", summary(result, before.classifier.labels), parameters(result))
        if self._paints_stickers():
            after = replace(before, stickers=stickers_after(before.stickers, result))
            self.delta = None  # the attack began without it
            # Content only: a sticker that was moved meanwhile stays where it is.
            contents = {sticker.id: sticker.content for sticker in after.stickers}
            self.commit_stickers(
                tuple(replace(sticker, content=contents.get(sticker.id, sticker.content)) for sticker in self.stickers),
                "Optimise sticker content",
            )
        else:
            self.delta = (result.adversarial - result.clean)[0].detach().cpu()
            after = replace(before, delta=self.delta)
        entry = Entry(result, after, before, dict(self.image), self._region)
        for gone in self.history.add(entry):
            self.log("info", f"{gone.title} was forgotten: the memory for finished runs is full.")
        self.shown = entry.number
        self.historyChanged.emit()

    # ------------------------------------------------------------------ history

    def show_entry(self, number: int) -> None:
        """Put a finished run back on the canvas, with its classifier, image and stickers."""
        entry = self.history.find(number)
        if entry is None:
            return
        self.cancel()
        scene = entry.scene
        swapped = scene.classifier is not self.classifier
        self.classifier, self.clean, self.image = scene.classifier, scene.clean, dict(entry.image)
        self.delta = scene.delta
        result = entry.result
        self.label = None if result.labels_assumed else int(result.labels[0])
        self.target = None if result.targets is None else int(result.targets[0])
        if swapped:
            self._measure_threads(scene.classifier)
            self.bounds = {}
            self.classifierChanged.emit()
            self.boundsChanged.emit()
        self.imageChanged.emit()
        self.labelChanged.emit()
        self.commit_stickers(scene.stickers, f"Show {entry.title}")
        self.shown = number
        self.historyChanged.emit()
        self.refresh()

    def remove_entry(self, number: int) -> None:
        """Forget a finished run."""
        self.history.remove(number)
        if self.shown == number:
            self.shown = None
        self.historyChanged.emit()

    # ------------------------------------------------------------------ the end

    def shut_down(self) -> bool:
        """Stop timer and thread; whether the thread has ended. May be called more than once."""
        self._timer.stop()
        self.undo_stack.blockSignals(True)  # its destructor clears it, and would call those who are half gone by then
        return self.lane.stop()
