"""Session: the one observable state. Panels call its methods and listen to its signals; they never meet each other.

    change(...) -> State -> scene -> engine thread -> Frame -> ``observed``

`Session.change` is the one way in which the state changes. It emits the signals of the fields that differ, and asks the engine thread for
one frame where the scene differs; while a frame is being made only the newest scene waits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from gui.lanes.engine_thread import EngineThread, stop
from gui.lanes.requests import Requests
from gui.session import changes
from gui.session.attack_job import parameters, summary
from gui.session.attack_runner import AttackRunner
from gui.session.conclusion import Conclusion
from gui.session.data_sources import DataSources
from gui.session.eps_mover import EpsMover
from gui.session.fields import SIGNALS, Field
from gui.session.history import AttackRun, FinishedRun, History
from gui.session.loaded_models import LoadedModels
from gui.session.log_entry import LogEntry, LogKind
from gui.session.scene import Frame, Scene, look
from gui.session.state import SCENE_FIELDS, UNDOABLE, NewContent, Plan, Region, State, differences, value_of
from gui.session.undo import LIMIT, ReplaceFields

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from engine.stickers import Content, Sticker


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
    """The true label, the target, or the prediction for the clean image."""
    stickersChanged = Signal()
    """Committed or dragged; read ``stickers``."""
    selectionChanged = Signal()
    perturbationChanged = Signal()
    planChanged = Signal()
    """The attack that is set up, or the region that it may change."""
    newStickerChanged = Signal()
    """What a sticker is drawn with."""
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
    """A notice that no longer holds."""
    busyChanged = Signal(str)
    """What is being loaded, or nothing."""

    ready = Field[bool]()
    classifier = Field["Classifier | None"]()
    photograph = Field["Photograph | None"]()
    clean = Field["Tensor | None"]()
    image = Field[Mapping[str, Any]]()
    label = Field["int | None"]()
    target = Field["int | None"]()
    region = Field[Region]()
    stickers = Field["tuple[Sticker, ...]"]()
    selected = Field["int | None"]()
    new_content = Field[NewContent]()
    new_colour = Field[tuple[float, float, float]]()
    delta = Field["Tensor | None"]()
    grown = Field[bool]()
    bounds = Field[Mapping[str, float]]()
    saliency = Field[bool]()
    plan = Field[Plan]()
    scene = Field["Scene | None"]()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = State()
        self.opened = 0
        """The number of the newest image that was opened and shown; see `gui.session.open_image.open_for`."""
        self.threads = 1
        """CPU threads of each lane, measured for the classifier."""
        self._frame: Frame | None = None
        self.history = History(self)
        self.loaded = LoadedModels(self)
        self.data_sources = DataSources(self)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(LIMIT)
        self.lane = EngineThread("interactive", self)
        """Everything about the image on the canvas."""
        self.background = EngineThread("background", self, behind=self.lane)
        """What takes minutes and has nothing to do with that image."""
        self._requests = Requests(self.lane, self.background, self)
        self._requests.failed.connect(self._on_failed)
        self._requests.busyChanged.connect(self.busyChanged)
        self.ask, self.waiting = self._requests.ask, self._requests.waiting
        self.runs = AttackRunner(self.lane, self.ask, lambda: self.state, self.data_sources, self)
        self.eps = EpsMover(self.ask, lambda: self.state, lambda: None if self.runs.running else self.history.shown, self)
        self._listen()

    def _listen(self) -> None:
        """Take over what the two runners bring."""
        for runner in (self.runs, self.eps):
            runner.previewed.connect(self.show)
            runner.concluded.connect(self._on_concluded)
            runner.logged.connect(self._on_logged)
            runner.noticed.connect(self.notice)
        self.runs.painted.connect(self._on_painted)

    # ------------------------------------------------------------------ what is said

    @Slot(str, str, str)
    def _on_failed(self, key: str, sentence: str, details: str) -> None:
        self.log("error", sentence, details)
        if key == "frame" and self.frame is None:
            self.observed.emit()  # nothing to show: what is on the screen belongs to another image or model

    @Slot(str, str, str, str)
    @Slot(str, str)
    def _on_logged(self, kind: LogKind, text: str, details: str = "", short: str = "") -> None:
        self.log(kind, text, details, short=short)

    def log(self, kind: LogKind, text: str, details: str = "", *, short: str = "") -> None:
        """Add a line to the Log; errors and warnings also go to the status bar, in ``short`` where the text is said elsewhere, too."""
        self.logged.emit(LogEntry(kind, text, details, short))
        if kind in ("error", "warning"):
            self.notice.emit(short or text)

    # ------------------------------------------------------------------ the one write path

    def change(self, text: str = "", *, key: Hashable | None = None, since: Mapping[str, Any] | None = None, **fields: Any) -> bool:
        """Replace fields of the state, or of its plan; whether that asked for another frame.

        All of it is in place before anybody hears of it. With ``text`` the change is a step to undo of that name. Steps of one ``key`` that
        follow each other closely become one. ``since`` holds the values that undo brings back where they are not those of this moment:
        those from before a drag.
        """
        if differences(self.state, self.state.with_fields(**fields), ("clean",)):
            self.imageChanging.emit()
        before, after = self.state, self.state.with_fields(**fields)
        changed = differences(before, after)
        if changed:
            if changed & {"classifier", "clean"}:
                self.runs.cancel()
            self.state = after
        if text:
            self._push(text, key, before.with_fields(**since) if since else before)
        if changed:
            self._tell(changed)
        return bool(changed & SCENE_FIELDS)

    def _push(self, text: str, key: Hashable | None, before: State) -> None:
        names = differences(before, self.state, UNDOABLE)
        if names - {"run"}:  # by itself that is no change which anybody sees
            old, new = ({name: value_of(state, name) for name in names} for state in (before, self.state))
            self.undo_stack.push(ReplaceFields(self._put, old, new, text, key))

    def _put(self, fields: Mapping[str, Any]) -> None:
        self.change(**fields)

    def _tell(self, changed: frozenset[str]) -> None:
        """Let everybody know which fields are others now."""
        if "classifier" in changed and self.classifier is not None:
            self._measure_threads(self.classifier)
            self.loaded.add(self.classifier)
        if changed & SCENE_FIELDS:
            self.refresh()
        self.history.look(self.state)
        for signal, names in SIGNALS.items():
            if changed.intersection(names):
                getattr(self, signal).emit()
        if "stickers" in changed:
            self.runs.follow_stickers()

    # ------------------------------------------------------------------ frames

    @property
    def frame(self) -> Frame | None:
        """The newest frame of this image under this classifier; None while there is none yet: nobody sees another one's numbers."""
        return self._frame if self._frame is not None and self.is_current(self._frame.scene) else None

    def is_current(self, scene: Scene) -> bool:
        """Whether a scene is of this image under this classifier."""
        return self.state.is_current(scene)

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

    @Slot(object)
    def show(self, frame: Frame) -> None:
        """Let everybody paint this frame, if it is of what is open."""
        if self.is_current(frame.scene):
            self._frame = frame
            self.change(prediction=frame.observation.clean_prediction)
            self.observed.emit()

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

    # ------------------------------------------------------------------ model, image, label

    def set_classifier(
        self,
        classifier: Classifier,
        clean: Tensor | None = None,
        image: Mapping[str, Any] | None = None,
        label: int | None = None,
        photograph: Photograph | None = None,
    ) -> None:
        """Swap the classifier, together with an image that fits it where the one shown does not."""
        fields = changes.of_classifier(self.state, classifier)
        if clean is not None:
            fields |= changes.of_image(self.state, clean, image or {}, label, photograph or self.photograph)
        self.change(f"Load {classifier.name}" if self.classifier is not None else "", **fields)

    def set_image(self, clean: Tensor, image: Mapping[str, Any], label: int | None = None, photograph: Photograph | None = None) -> None:
        """Put an image on the canvas. ``image`` says where it came from; stickers stay, scaled to its size."""
        fields = changes.of_image(self.state, clean, image, label, photograph or self.photograph)
        self.change(f"Open {image.get('name', 'image')}", **fields)

    def set_crop(self, clean: Tensor, image: Mapping[str, Any]) -> None:
        """Show another rectangle of the same photograph."""
        self.change("Crop", key="crop", **changes.of_image(self.state, clean, image, self.label, self.photograph))

    def set_label(self, label: int | None) -> None:
        """Name the true label."""
        self.change("True label" if label is None else f"True label {self.state.name_of(label)}", label=label, label_text="")

    def set_target(self, target: int | None) -> None:
        """Name the class an attack is to reach; None: any other."""
        self.change("Target" if target is None else f"Target {self.state.name_of(target)}", target=target, target_text="")

    def set_bounds(self, bounds: Mapping[str, float]) -> None:
        """Clamp the activations of sites (by name) from above; empty: no bound."""
        self.change("Bound" if bounds else "Lift bound", key=("bounds", tuple(bounds)), bounds=dict(bounds))

    def clear_perturbation(self) -> None:
        """Back to the clean image with its stickers."""
        self.change("Clear perturbation", **changes.NO_PERTURBATION)

    def apply_perturbation(self, delta: Tensor, title: str) -> None:
        """Add a perturbation ``(C, H, W)`` that no run made for this image; what does not fit is said in the Log."""
        if self.clean is None or self.runs.running:
            return
        if delta.shape != self.clean.shape:
            sizes = (" × ".join(map(str, tuple(tensor.shape))) for tensor in (delta, self.clean))
            self.log("warning", "“{}” is {}, but the image is {}. Open a model that takes images of its size.".format(title, *sizes))
            return
        self.change(f"Add {title}", delta=delta, grown=False, run=None)
        self.log("info", f"“{title}” was added to the image. Edit, Clear perturbation takes it away.")

    # ------------------------------------------------------------------ stickers

    def select(self, sticker: int | None) -> None:
        """Select the sticker of that id."""
        self.change(selected=sticker)

    def content_for_new(self) -> Content:
        """The content of a sticker that is drawn now."""
        from engine.stickers import Colour, Optimised

        return Optimised() if self.new_content == "optimised" else Colour(self.new_colour)

    def commit_stickers(
        self, after: tuple[Sticker, ...], text: str, before: tuple[Sticker, ...] | None = None, key: Hashable | None = None
    ) -> None:
        """Replace the stickers as one step to undo. ``before`` is what it began with, where a drag lies between."""
        since = None if before is None else {"stickers": self.runs.filled(before)}
        self.change(text, key=key, since=since, stickers=self.runs.filled(after))

    def drag_stickers(self, stickers: tuple[Sticker, ...]) -> None:
        """Show stickers that are still under the mouse; nothing to undo yet."""
        self.change(stickers=self.runs.filled(stickers))

    # ------------------------------------------------------------------ finished runs

    def show_entry(self, number: int) -> None:
        """Put a finished attack back on the canvas, with its classifier, image and stickers. Other runs have nothing to be put there."""
        entry = self.history.find(number)
        if isinstance(entry, AttackRun):
            self.runs.cancel()
            self.change(f"Show {entry.title}", **changes.of_run(self.state, entry))

    def remove_runs(self, *numbers: int) -> None:
        """Take finished runs off the history; undo puts them back."""
        titles = [entry.title for number in numbers if (entry := self.history.find(number)) is not None]
        if titles:
            text = f"Remove {titles[0]}" if len(titles) == 1 else f"Remove {len(titles)} runs"
            self.change(text, removed=self.state.removed.union(numbers))

    @Slot(object)
    def _on_concluded(self, conclusion: Conclusion) -> None:
        """Keep what came of a run, and put on the canvas what of it belongs there."""
        entry, asked = conclusion.entry, False
        if entry is not None:
            self.log("run", summary(entry.result, entry.scene.classifier.labels), parameters(entry.result))
            for note in entry.result.remarks:
                self.log("info", note)
            asked = self.adopt(entry, conclusion.text, conclusion.key, **conclusion.fields)
        if conclusion.repaint and not asked:
            self.refresh()

    @Slot()
    def _on_painted(self) -> None:
        self.change(stickers=self.runs.filled(self.stickers))

    def adopt(self, entry: FinishedRun, text: str = "", key: Hashable | None = None, **fields: Any) -> bool:
        """Keep a finished run and put what came of it on the canvas; whether that asked for another frame."""
        gone = self.history.add(entry)
        asked = self.change(text, key=key, **({**fields, "run": entry.number} if fields else {}))
        self.history.look(self.state)
        for each in gone:
            self.log("info", f"{each.title} was forgotten: the memory for finished runs is full.")
        return asked

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
