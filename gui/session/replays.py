"""Replays: records that were opened. Each attack is run again in the background lane, and becomes a finished run with its comparison."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.attack_job import parameter_lines
from gui.session.attack_runner import TIMELINE_BYTES
from gui.session.attack_verdict import summary_line
from gui.session.replayed_run import ReplayedScene, completed_replay, run_of_replay

if TYPE_CHECKING:
    from engine import Classifier
    from engine.images import Photograph
    from engine.record import ReplayRun
    from engine.timeline import Timeline
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import JobOutcome
    from gui.session.history import AttackRun
    from gui.session.state import State


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The models and the photograph in memory, which spare a replay from searching their files."""

    models: Sequence[Classifier]
    photograph: Photograph | None
    device: str


class Replays(QObject):
    """Opens records one after the other. It lives in the main thread and knows no session."""

    finished = Signal(object)
    """A record's attack was run again to its end: its `AttackRun`."""
    logged = Signal(str, str, str, str)
    """A line for the messages: its kind, text, details, and the shorter text for the status bar."""
    noticed = Signal(str)
    """A sentence for the status bar."""

    def __init__(
        self, background: EngineThread, models: Callable[[], Sequence[Classifier]], current: Callable[[], State], parent: QObject
    ) -> None:
        """``models`` returns the loaded classifiers; ``current`` the present state."""
        super().__init__(parent)
        self._models, self._current = models, current
        self._waiting: deque[Path] = deque()
        self.runner = OperationRunner(background, "replay", self, previews=lambda: False)
        self.runner.ended.connect(self._on_ended)
        self.cancel, self.stop = self.runner.cancel, self.runner.stop

    @property
    def title(self) -> str:
        """The title of the replay in progress."""
        return f"Replay of {self.runner.job.context.name}" if self.runner.job is not None else ""

    def open(self, path: Path) -> None:
        """Replay the record in a file after those that wait already."""
        self._waiting.append(path)
        self._next()

    @Slot()
    def _next(self) -> None:
        if self._waiting and not self.runner.running:
            path, state = self._waiting.popleft(), self._current()
            device = "cpu" if state.classifier is None else str(state.classifier.device)
            self._begin(path, Surroundings(tuple(self._models()), state.photograph, device))

    def _begin(self, path: Path, near: Surroundings) -> None:
        from engine.timeline import Timeline

        timeline = Timeline(TIMELINE_BYTES)
        self.runner.start(
            lambda: replay_of(path, near, timeline),
            finish=lambda replay: completed_replay(replay, timeline, near.models),
            collect=True,
            context=path,
        )

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        path: Path = outcome.job.context
        if outcome.failure is not None:
            self.logged.emit("error", f"“{path.name}” was not replayed. {outcome.failure.sentence}", outcome.failure.details, "")
        elif outcome.result is None or (outcome.status == "cancelled" and _ended_early(outcome.result)):
            self.logged.emit("info", f"The replay of “{path.name}” was cancelled. Nothing was changed.", "", "")
        else:
            self._tell(run_of_replay(outcome.result, path))
        self._next()

    def _tell(self, run: AttackRun) -> None:
        """Hand over the run, and say whether it is the recorded one bit for bit."""
        again = run.replayed
        assert again is not None
        self.finished.emit(run)
        text = f"“{again.file}” was replayed as {run.title}. {again.sentence}"
        details = f"{summary_line(run)}\n{parameter_lines(run.result)}"
        self.logged.emit("run" if again.same else "warning", text, details, "")
        for remark in run.result.remarks:
            self.logged.emit("info", remark, "", "")
        if again.same:
            self.noticed.emit(text)


def _ended_early(scene: ReplayedScene) -> bool:
    from engine.record.replaying import ended_early

    return ended_early(scene.replay.result, scene.replay.record)


def replay_of(path: Path, near: Surroundings, timeline: Timeline) -> ReplayRun:
    """Begin the replay of the record in a file. Called in the engine thread.

    Where the recorded device is not here, the present model's takes its place, and the comparison says so.
    """
    from engine.devices import devices
    from engine.record import Record, ReplayRun

    record = Record.read(path)
    here = [str(device) for device in devices()]
    device = record.device if record.device in here else near.device
    image = _open_already(record.image.sha256, near.photograph)
    return ReplayRun(record, folder=path.parent, image=image, device=device, known=near.models, timeline=timeline)


def _open_already(sha256: str | None, photograph: Photograph | None) -> Path | None:
    """Return the file of the photograph that is open, if it is the recorded one: it may have moved since."""
    if sha256 is None or photograph is None or photograph.sha256 != sha256:
        return None
    return photograph.path if photograph.path is not None and photograph.path.is_file() else None
