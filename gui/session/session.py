"""Session: what the window works on. Panels call its methods and listen to its signals; they never meet each other.

    change(...) -> State -> scene -> engine thread -> Frame -> ``observed``

Only `Session.change`, of the `StateHolder`, changes the state. It emits the signals of the fields that differ and, if the scene differs,
requests one frame from the engine thread. While a frame is being made, only the newest scene waits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.engine_thread import EngineThread, stop
from gui.lanes.requests import Requests
from gui.lanes.runner import deliver_endings
from gui.session import changes
from gui.session.attack_job import parameter_lines
from gui.session.attack_runner import AttackRunner
from gui.session.attack_verdict import summary_line
from gui.session.attackers import Attackers
from gui.session.batch_table import BatchTable, MatrixTable
from gui.session.comparison import Comparison
from gui.session.conclusion import Conclusion
from gui.session.data_sources import DataSources
from gui.session.defense import Steps
from gui.session.defense_effect import DefenseEffect
from gui.session.eps_mover import EpsMover
from gui.session.hardness import Hardness
from gui.session.history import AttackRun, FinishedRun, History
from gui.session.iterate_keeper import IterateKeeper
from gui.session.jobs import Jobs
from gui.session.loaded_models import LoadedModels
from gui.session.log_entry import LogEntry, LogKind, Offer
from gui.session.models import Models
from gui.session.moments import Moments
from gui.session.places import Places
from gui.session.planned_run import PlannedRun
from gui.session.replays import Replays
from gui.session.run_comparison import plan_of
from gui.session.scene import Frame, Scene, observe_scene
from gui.session.staleness import Staleness
from gui.session.stand_in import is_stand_in
from gui.session.state import SCENE_FIELDS
from gui.session.state_holder import StateHolder
from gui.session.studies.keeper import StudyKeeper
from gui.session.training.trainer import Trainer
from gui.session.trust import Trust
from gui.session.undo import undoable_removals
from gui.session.warm_up import warm_up

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from engine.perturbation_view import PerturbationView
    from engine.stickers import Content, Sticker


class Session(StateHolder):
    """Holds the state, the finished runs and the engine's two threads, and announces every change with a signal."""

    pixelChosen = Signal(object)
    """``(column, row)`` of the pixel to be marked on the canvas; None for no mark."""
    threadsChanged = Signal()
    observed = Signal()
    """``frame`` is new. It is None if the frame could not be made."""
    logged = Signal(object)
    """A `LogEntry`."""
    notice = Signal(str)
    """A sentence for the status bar."""
    withdrawn = Signal(str)
    """The text of a notice that no longer applies."""
    busyChanged = Signal(str)
    """The text of the work that the window waits for, such as “Loading signs…”; empty for none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.threads = 1
        """The CPU threads of each lane, measured for the classifier."""
        self._frame: Frame | None = None
        self.history = History(self)
        self.loaded = LoadedModels(self)
        self.data_sources = DataSources(self)
        self.jobs = Jobs(self)
        self.places = Places(self)
        self.lane = EngineThread("interactive", self)
        """Does the work on the image on the canvas."""
        self.background = EngineThread("background", self, behind=self.lane)
        """Does work of minutes that does not concern that image."""
        self._requests = Requests(self.lane, self.background, self)
        self._requests.failed.connect(self._on_failed)
        self._requests.busyChanged.connect(self.busyChanged)
        self.ask, self.waiting = self._requests.ask, self._requests.waiting
        self.runs = AttackRunner(self.lane, self.ask, lambda: self.state, self.data_sources, self)
        self._effect = DefenseEffect(self, self)
        self.eps = EpsMover(self.ask, lambda: self.state, lambda: None if self.runs.running else self.history.shown, self)
        self.moments = Moments(self.runs, self.history, lambda: self.state, self)
        self.iterates = IterateKeeper(self.ask, self.moments, lambda: self.state, self)
        self.hardness = Hardness(self.background, self.ask, self.data_sources, self)
        self.staleness = Staleness(self.history, lambda: self.state, lambda: self.runs.running, self)
        self.comparison = Comparison(self.history, self.staleness, lambda: self.state, lambda: self.runs.running, self)
        self.replays = Replays(self.background, lambda: self.loaded.models, lambda: self.state, self)
        self.jobs.watch(self.replays.runner, "runs", lambda: self.replays.title)
        self.models = Models(self, self)
        self.planned = PlannedRun(self, self)
        self.attackers = Attackers(self, self)
        self.batch = BatchTable(self)
        self.matrix = MatrixTable(self)
        self.trust = Trust(self, self)
        self.jobs.watch(self.trust.runner, "trust", lambda: "Trust lights")
        self.studies = StudyKeeper(self, self)
        self.trainer = Trainer(self, self)
        self._listen()

    def _listen(self) -> None:
        """Connect the signals of the attack runner and the eps mover."""
        self.eps.previewed.connect(self.moments.leave)
        for source in (self.moments, self.eps):
            source.previewed.connect(self.show_frame)
        self.moments.asked.connect(self.refresh)
        for runner in (self.runs, self.eps, self.iterates):
            runner.concluded.connect(self._on_concluded)
            runner.logged.connect(self._on_logged)
            runner.noticed.connect(self.notice)
        self.runs.stickers.painted.connect(self._on_painted)
        self.runs.changed.connect(self._effect.complete_when_idle)
        self.runs.changed.connect(self.staleness.follow)
        self.runs.changed.connect(self.comparison.follow)
        self.comparedChanged.connect(self.comparison.follow)
        self.replays.finished.connect(self._on_replayed)
        self.replays.logged.connect(self._on_logged)
        self.replays.noticed.connect(self.notice)

    # ------------------------------------------------------------------ The messages and the status bar

    @Slot(str, str, str)
    def _on_failed(self, key: str, sentence: str, details: str) -> None:
        self.log("error", sentence, details)
        if key == "frame" and self.frame is None:
            self.observed.emit()  # the panels must no longer show the numbers of another image or model

    @Slot(str, str, str, str)
    @Slot(str, str)
    def _on_logged(self, kind: LogKind, text: str, details: str = "", short: str = "") -> None:
        self.log(kind, text, details, short=short)

    def log(self, kind: LogKind, text: str, details: str = "", *, short: str = "", offer: Offer | None = None) -> None:
        """Add a line to the messages. Errors and warnings also go to the status bar, as ``short`` if that is given."""
        self.logged.emit(LogEntry(kind, text, details, short, about=self.state.subject, offer=offer))
        if kind in ("error", "warning"):
            self.notice.emit(short or text)

    # ------------------------------------------------------------------ what follows the state

    def _leaving(self, changed: frozenset[str]) -> None:
        if changed & {"classifier", "clean"}:
            self.runs.cancel()

    def _entered(self, changed: frozenset[str]) -> None:
        """Update what depends on the changed fields, and emit their signals."""
        if "classifier" in changed and self.classifier is not None and not is_stand_in(self.classifier):
            self._measure_threads(self.classifier)
            self.loaded.add(self.classifier)
        if changed & SCENE_FIELDS:
            self.refresh()
        elif "defense" in changed:
            self._effect.follow()
        self.history.follow(self.state)
        self.staleness.follow()
        super()._entered(changed)
        if "stickers" in changed:
            self.runs.stickers.follow()

    # ------------------------------------------------------------------ frames

    @property
    def view(self) -> PerturbationView:
        """How the perturbation is shown."""
        from engine.perturbation_view import USUAL_VIEW

        return self.state.view or USUAL_VIEW

    @property
    def frame(self) -> Frame | None:
        """The newest frame of the present image and classifier; None until there is one."""
        return self._frame if self._frame is not None and self.is_current(self._frame.scene) else None

    def is_current(self, scene: Scene) -> bool:
        """Return whether a scene has the present image and classifier."""
        return self.state.is_current(scene)

    def refresh(self) -> None:
        """Request a frame of the scene, or of the iteration that is shown."""
        scene = self.scene
        if scene is None:
            return
        requested_at, iterate = time.perf_counter(), self.moments.iterate(self.frame)
        what = "Showing the image to the model"
        self.ask("frame", lambda: observe_scene(scene, iterate, requested_at=requested_at), self.show_frame, what=what, stream=True)

    @Slot(object)
    def show_frame(self, frame: Frame) -> None:
        """Make a frame the newest one and emit `observed`, unless it belongs to another image or classifier."""
        if self.is_current(frame.scene) and self.moments.admits(frame):
            self._frame = frame
            self.change(prediction=frame.observation.clean_prediction)
            self.observed.emit()
        self._effect.complete_when_idle()  # also after a frame that came too late: while it was awaited, no effect was asked for

    def replace_frame(self, frame: Frame) -> None:
        """Make a frame of the present image and classifier the newest one and emit `observed`."""
        self._frame = frame
        self.observed.emit()

    def _measure_threads(self, classifier: Classifier) -> None:
        """Measure the number of CPU threads at which the classifier is fastest, and set it in both lanes."""

        def measure() -> int:
            threads = classifier.threads()
            for lane in (self.lane, self.background):
                lane.use_threads(threads)
            return threads

        def then(threads: int) -> None:
            self.threads = threads
            self.threadsChanged.emit()
            if classifier is self.classifier:
                self.ask("warm-up", lambda: warm_up(classifier), lambda _: None, what="Warming up")

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
        """Replace the classifier, together with the image if the one shown does not fit."""
        fields = changes.of_classifier(self.state, classifier)
        if clean is not None:
            fields |= changes.of_image(self.state, clean, image or {}, label, photograph or self.photograph)
        self.change(f"Load {classifier.name}" if self.classifier is not None else "", **fields)

    def set_image(self, clean: Tensor, image: Mapping[str, Any], label: int | None = None, photograph: Photograph | None = None) -> None:
        """Put an image on the canvas; the stickers are scaled to its size. ``image`` holds its origin; see `State`."""
        fields = changes.of_image(self.state, clean, image, label, photograph or self.photograph)
        self.change(f"Open {image.get('name', 'image')}", **fields)

    def set_crop(self, clean: Tensor, image: Mapping[str, Any]) -> None:
        """Put another crop of the same photograph on the canvas."""
        self.change("Crop", key="crop", **changes.of_image(self.state, clean, image, self.label, self.photograph))

    def set_label(self, label: int | None) -> None:
        """Set the true label; None if it is unknown."""
        self.change("True label" if label is None else f"True label {self.state.name_of(label)}", label=label, label_text="")

    def set_target(self, target: int | None) -> None:
        """Set the class that an attack is to reach; None for an untargeted attack."""
        self.change("Target" if target is None else f"Target {self.state.name_of(target)}", target=target, target_text="")

    def set_bounds(self, bounds: Mapping[str, float]) -> None:
        """Set the upper limits of activations, by site; an empty mapping lifts all bounds."""
        self.change("Bound" if bounds else "Lift bound", key=("bounds", tuple(bounds)), bounds=dict(bounds))

    def set_defense(self, steps: Steps) -> None:
        """Set the preprocessing behind which the model is shown, too; none switches the defense off."""
        slugs = tuple(step.slug for step in steps)
        self.change("Defense" if steps else "Switch the defense off", key=("defense", slugs), defense=steps)

    def set_attacker(self, knows_defense: bool) -> None:
        """Set whether the next attack goes through the defense."""
        text = "Attacker who knows the defense" if knows_defense else "Attacker who does not know the defense"
        self.change(text, knows_defense=knows_defense)

    def clear_perturbation(self) -> None:
        """Remove the perturbation from the canvas; the stickers stay."""
        self.change("Clear perturbation", **changes.NO_PERTURBATION)

    def apply_perturbation(self, delta: Tensor, title: str) -> None:
        """Add a perturbation ``(C, H, W)`` that was made elsewhere. One of another shape is refused with a warning in the messages."""
        if self.clean is None or self.runs.running:
            return
        if delta.shape != self.clean.shape:
            sizes = (" × ".join(map(str, tuple(tensor.shape))) for tensor in (delta, self.clean))
            self.log("warning", "“{}” is {}, but the image is {}. Open a model that takes images of its size.".format(title, *sizes))
            return
        self.change(f"Add {title}", delta=delta, grown=False, run=None)
        self.log("info", f"“{title}” was added to the image. Edit, Clear perturbation takes it away.")

    # ------------------------------------------------------------------ stickers

    def select(self, sticker: int | None, also: frozenset[int] = frozenset()) -> None:
        """Select a sticker by its id, and further ones; None selects no sticker."""
        self.change(selected=sticker, also_selected=also)

    def content_for_new(self) -> Content:
        """Return the content for a new sticker."""
        from engine.stickers import Colour, Optimised

        return Optimised() if self.new_content == "optimised" else Colour(self.new_colour)

    def commit_stickers(
        self, after: tuple[Sticker, ...], text: str, before: tuple[Sticker, ...] | None = None, key: Hashable | None = None
    ) -> None:
        """Replace the stickers as one undo step. After a drag, ``before`` holds the stickers from before it."""
        since = None if before is None else {"stickers": self.runs.stickers.filled(before)}
        self.change(text, key=key, since=since, stickers=self.runs.stickers.filled(after))

    def drag_stickers(self, stickers: tuple[Sticker, ...]) -> None:
        """Show the stickers during a drag, without an undo step."""
        self.change(stickers=self.runs.stickers.filled(stickers))

    # ------------------------------------------------------------------ finished runs

    def show_entry(self, number: int) -> None:
        """Put a finished attack back on the canvas, with its classifier, image and stickers. Runs of other operations are ignored."""
        entry = self.history.find(number)
        if isinstance(entry, AttackRun):
            self.runs.cancel()
            self.change(f"Show {entry.title}", **changes.of_run(self.state, entry))

    def remove_runs(self, *numbers: int) -> None:
        """Remove finished runs from the history, as an undo step. What one of them made leaves the canvas with it."""
        titles = [entry.title for number in numbers if (entry := self.history.find(number)) is not None]
        if titles:
            text = f"Remove {titles[0]}" if len(titles) == 1 else f"Remove {len(titles)} runs"
            shown = self.staleness.behind(self.state)
            left = {} if shown is None or shown.number not in numbers else changes.without_run(self.state, shown)
            self.change(text, **{"removed": self.state.removed.union(numbers), **left})
            what = f"{titles[0]} was" if len(titles) == 1 else f"{len(titles)} runs were"
            self.notice.emit(f"{what} removed. Undo (Ctrl+Z) brings {'it' if len(titles) == 1 else 'them'} back.")

    def restore_runs(self) -> None:
        """Bring all removed runs back, as an undo step."""
        count = len(self.history.removed)
        if count:
            self.change("Bring back a run" if count == 1 else f"Bring back {count} runs", removed=frozenset())

    @Slot(object)
    def _on_concluded(self, conclusion: Conclusion) -> None:
        """Carry out a conclusion: log the run, add it to the history and change the canvas."""
        entry, frame_requested = conclusion.entry, False
        if entry is not None:
            self.log("run", summary_line(entry), parameter_lines(entry.result))
            for note in entry.result.remarks:
                self.log("info", note)
            frame_requested = self.adopt(entry, conclusion.text, conclusion.key, **conclusion.fields)
        if conclusion.repaint and not frame_requested:
            self.refresh()

    @Slot(object)
    def _on_replayed(self, run: AttackRun) -> None:
        self.adopt(run)
        if run.replayed is not None and not self.runs.running:
            shown = changes.of_run(self.state, run)
            self.change(f"Open {run.replayed.file}", **{**shown, **plan_of(self.state.with_fields(**shown), run)})

    @Slot()
    def _on_painted(self) -> None:
        self.change(stickers=self.runs.stickers.filled(self.stickers))

    def adopt(self, entry: FinishedRun, text: str = "", key: Hashable | None = None, **fields: Any) -> bool:
        """Add a finished run to the history and change ``fields`` of the state; return whether that requested a new frame."""
        sentences = self.history.add(entry, undoable_removals(self.undo_stack, self.state.removed))
        frame_requested = self.change(text, key=key, **({**fields, "run": entry.number} if fields else {}))
        if (removed := self.history.known(self.state.removed)) != self.state.removed:
            self.change(removed=removed)  # the others were dropped to make room
        self.history.follow(self.state)
        for sentence in sentences:
            self.log("info", sentence)
        return frame_requested

    # ------------------------------------------------------------------ the end

    def shut_down(self) -> bool:
        """Stop the timer and the threads; return whether the threads have ended. May be called more than once."""
        self.runs.stop()
        self.jobs.stop()
        self.moments.stop()
        self.hardness.runner.stop()
        self.replays.stop()
        self.data_sources.close()
        self.undo_stack.blockSignals(True)  # its destructor clears it, and would emit to objects that are already destroyed
        ended = stop((self.background, self.lane))
        deliver_endings(self.runs.runner, *self.jobs.runners)
        self.studies.close()
        for sentence in self._requests.close():
            print(f"gibbon: {sentence}", file=sys.stderr, flush=True)  # the window, which would show it, is gone
        return ended
