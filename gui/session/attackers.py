"""Attackers: how the planned attack fares against the defense if its attacker knows it, and if not, from the finished runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from gui.session.attack_verdict import verdict_of_run
from gui.session.defense import Steps, behind, defense_words
from gui.session.run_comparison import changed_since
from gui.session.stand_in import is_stand_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gui.session.attack_runner import AttackRunner
    from gui.session.history import AttackRun, History
    from gui.session.planned_run import PlannedRun
    from gui.session.state import State

NOT_MEASURED = "not measured"


class Host(Protocol):
    """The part of the session that the attackers need."""

    state: State
    history: History
    runs: AttackRunner
    planned: PlannedRun
    ask: Callable[..., None]
    defenseChanged: Any
    planChanged: Any
    labelChanged: Any
    imageChanged: Any
    stickersChanged: Any
    classifierChanged: Any

    def set_attacker(self, knows_defense: bool) -> None:
        """Set whether the next attack goes through the defense."""
        ...


@dataclass(frozen=True)
class Attacker:
    """One of the two attackers, with the newest run of the planned attack on this image."""

    knows: bool
    words: str
    """The outcome, such as “fails: “Stop” 93 %”."""
    success: bool | None = None
    """Whether he succeeds behind the defense; None where that was not measured, or where he had nothing to do."""
    run: AttackRun | None = None

    @property
    def name(self) -> str:
        """The attacker in a few words."""
        return "knows it" if self.knows else "does not know it"

    @property
    def measured(self) -> bool:
        """Whether there is a number."""
        return self.words != NOT_MEASURED


@dataclass(frozen=True, eq=False)
class _Judged:
    """The defended model's logits for a run's clean and adversarial image."""

    key: tuple[int, Steps]
    logits: Tensor


class Attackers(QObject):
    """Looks for the runs of both attackers, and judges the images of the one who does not know the defense. The session owns it."""

    changed = Signal()

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.both: tuple[Attacker, ...] = ()
        """The attacker who does not know the defense, and the one who does; none where no defense is on."""
        self._judged: _Judged | None = None
        self._told: tuple[object, ...] = ()
        for signal in (
            session.defenseChanged,
            session.planChanged,
            session.labelChanged,
            session.imageChanged,
            session.stickersChanged,
            session.classifierChanged,
            session.history.changed,
            session.runs.changed,
        ):
            signal.connect(self.follow)

    @property
    def title(self) -> str:
        """The planned attack and the defense, in words; empty where no defense is on."""
        attack, _ = self._session.state.plan.built
        steps = self._session.state.defense
        return f"{attack.title} against {defense_words(steps)}, by an attacker who" if attack is not None and steps else ""

    @property
    def measuring(self) -> bool | None:
        """Whether the attacker of the attack in progress knows the defense; None if none is in progress."""
        return bool(self._session.runs.defense) if self._session.runs.running else None

    @property
    def obstacle(self) -> str:
        """The reason why nothing can be measured now, in a sentence; empty if there is none."""
        found = self._session.planned.obstacle
        return "" if found is None else found.sentence

    @property
    def words(self) -> str:
        """The outcomes of both attackers in one sentence, such as for a tool tip; empty where no defense is on."""
        return "; ".join(f"{each.name}: {each.words}" for each in self.both)

    @Slot()
    def measure(self, knows: bool) -> None:
        """Run the planned attack by one of the attackers, who becomes the planned one."""
        if not self._session.runs.running:
            self._session.set_attacker(knows)
            self._session.planned.run()

    @Slot()
    def cancel(self) -> None:
        """End the attack in progress."""
        self._session.runs.cancel()

    @Slot()
    def follow(self) -> None:
        """Look again for the runs, and tell if anything differs."""
        state = self._session.state
        self.both = (self._unaware(state), self._aware(state)) if state.defense and state.scene is not None else ()
        told = (self.both, self.title, self.measuring, self.obstacle)
        if told != self._told:
            self._told = told
            self.changed.emit()

    def _newest(self, state: State, knows: bool) -> AttackRun | None:
        """Return the newest run that the planned attack of that attacker would repeat."""
        planned = state.with_fields(knows_defense=knows)
        for run in reversed(self._session.history.attacks):
            mine = run.result.operation.slug == state.plan.slug and bool(run.inputs.defense) == knows and run.result.iteration is None
            if mine and run.ended == "finished" and not any(each.weighs for each in changed_since(planned, run)):
                return run
        return None

    def _aware(self, state: State) -> Attacker:
        run = self._newest(state, knows=True)
        if run is None:
            return Attacker(True, NOT_MEASURED)
        kind = verdict_of_run(run).kind
        logits = run.result.logits[0]
        return _outcome(True, run, logits, None if kind == "already" else kind == "success", failed=kind == "error")

    def _unaware(self, state: State) -> Attacker:
        """Return the outcome of the attacker who does not know the defense, whose image the defended model judges."""
        run = self._newest(state, knows=False)
        if run is None:
            return Attacker(False, NOT_MEASURED)
        key = (run.number, state.defense)
        if self._judged is None or self._judged.key != key:
            self._judge(run, state.defense)
            return Attacker(False, "…", run=run)
        clean, adversarial = self._judged.logits
        won, before = (_reached(run, logits) for logits in (adversarial, clean))
        failed = bool(run.result.failed[0])
        return _outcome(False, run, adversarial, None if won and before else won and not failed, failed=failed)

    def _judge(self, run: AttackRun, steps: Steps) -> None:
        import torch

        classifier, pair = run.before.classifier, torch.cat([run.result.clean, run.result.adversarial]).detach()
        if is_stand_in(classifier):
            return
        self._session.ask(
            "defense.unaware",
            lambda: _Judged((run.number, steps), behind(classifier, steps).score(pair).cpu()),
            self._on_judged,
            what="Judging the attack behind the defense",
            quiet=True,
        )

    def _on_judged(self, judged: _Judged) -> None:
        self._judged = judged
        self.follow()


def _reached(run: AttackRun, logits: Tensor) -> bool:
    """Return whether a prediction is a success of a run's attacker."""
    seen, target = int(logits.argmax()), run.result.targets
    return seen != int(run.result.labels[0]) if target is None else seen == int(target[0])


def _outcome(knows: bool, run: AttackRun, logits: Tensor, success: bool | None, *, failed: bool) -> Attacker:
    from engine.text.formatting import format_probability as percent

    if failed:
        return Attacker(knows, "met NaN from the model", False, run)
    best = int(logits.argmax())
    ends = "had nothing to do, as the clean image is misread" if success is None else "succeeds" if success else "fails"
    return Attacker(knows, f"{ends}: “{run.result.classifier.labels[best]}” {percent(float(logits.softmax(0)[best]))}", success, run)
