"""AttackPresenter: connects the Attack dock's views, which know no session, with the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from gui.session.state import AttackSettings

if TYPE_CHECKING:
    from engine import Attack
    from gui.panels.attack.footer import Footer
    from gui.panels.attack.forms_stack import FormsStack
    from gui.panels.attack.inputs import Inputs
    from gui.session.attack_start import Ending
    from gui.session.session import Session

_FIRST = "pgd"


class AttackPresenter(QObject):
    """Writes the user's choices to the plan, and shows the plan and what a run says."""

    def __init__(self, session: Session, stack: FormsStack, inputs: Inputs, footer: Footer) -> None:
        super().__init__(stack)
        self._session, self._stack, self._inputs, self._footer = session, stack, inputs, footer
        self._attacks: dict[str, type[Attack]] = {}
        self._ending: Ending | None = None
        self._failure = ""
        """The error of the newest run, until a change of the state could correct it."""
        self._connect_views()
        session.classifierChanged.connect(self._on_classifier)
        for signal in (session.labelChanged, session.imageChanged, session.stickersChanged, session.planChanged):
            signal.connect(self._on_changed)
        session.planned.changed.connect(self._on_run)
        session.runs.progressed.connect(self._on_progress)

    def _connect_views(self) -> None:
        inputs, stack = self._inputs, self._stack
        stack.edited.connect(self._on_edited)
        stack.presetUsed.connect(self._on_preset)
        inputs.regionChosen.connect(self._on_region)
        inputs.dataChanged.connect(self._on_data)
        inputs.seedChosen.connect(self._on_seed)
        inputs.liveChosen.connect(self._on_live)

    def fill(self) -> None:
        """List the engine's attacks, and choose one."""
        from engine.attacks import CATALOGUE

        self._attacks = dict(CATALOGUE)
        self._stack.set_attacks(CATALOGUE)
        if not self._session.data_sources.sources:
            self._session.data_sources.find()
        if self._session.plan.slug not in CATALOGUE:
            self._session.change(**self._session.plan.choosing(_FIRST if _FIRST in CATALOGUE else next(iter(CATALOGUE))))
        self._on_classifier()

    # ------------------------------------------------------------------ from the user

    @Slot(object, str, str)
    def _on_edited(self, settings: AttackSettings, text: str, name: str) -> None:
        key = ("parameter", self._session.plan.slug, name) if name else None
        self._session.change(text, key=key, settings=settings)

    @Slot(str)
    def _on_preset(self, title: str) -> None:
        preset = self._attacks[self._session.plan.slug].preset(title)
        if "targets" in preset.needs and self._session.target is None:
            self._session.planned.targetWanted.emit()

    @Slot(str)
    def _on_region(self, region: str) -> None:
        self._session.change("Attack the stickers" if region == "stickers" else "Attack the whole image", region=region)

    @Slot(bool)
    def _on_data(self, by_hand: bool) -> None:
        self._session.change("Choose data" if by_hand else "", key="data", data=self._inputs.data.choice)

    @Slot(int)
    def _on_seed(self, seed: int) -> None:
        self._session.change("Set seed", key="seed", seed=seed)

    @Slot(bool)
    def _on_live(self, live: bool) -> None:
        self._session.change(live=live)

    # ------------------------------------------------------------------ following the session

    @Slot()
    def _on_classifier(self) -> None:
        from gui.session.swap_model import sample_kind

        if self._session.classifier is not None:
            self._inputs.data.suggest(sample_kind(self._session.classifier))
        self._on_changed()

    @Slot()
    def _on_changed(self) -> None:
        """Clear the last error after a change of model, image or plan, since the next run may succeed."""
        if self._failure and self._ending is not None:
            self._session.withdrawn.emit(self._ending.notice)
        self._failure = ""
        plan = self._session.plan
        if plan.slug not in self._attacks:
            return
        attack = self._attacks[plan.slug]
        self._stack.show_settings(plan.slug, plan.settings)
        self._inputs.show_uses(attack)
        self._inputs.show_state(self._session.state)
        self._inputs.show_region(self._session.state, attack)
        self._on_run()

    @Slot()
    def _on_progress(self) -> None:
        job = self._session.runs.job
        if job is not None:
            self._footer.readings.show_job(job, self._session.runs.attack, self._other_title())

    def _other_title(self) -> str:
        """The title of the attack in progress if another one is chosen, else empty."""
        attack = self._session.runs.attack
        return attack.title if attack is not None and attack.slug != self._session.plan.slug else ""

    @Slot()
    def _on_run(self) -> None:
        runs, slug = self._session.runs, self._session.plan.slug
        if slug not in self._attacks:
            return
        if runs.job is not None:
            self._footer.show_job(runs.job, runs.attack, self._other_title())
            return
        if runs.ending is not self._ending:
            self._ending = runs.ending
            self._failure = runs.ending.sentence if runs.ending is not None else ""
        in_the_way = self._session.planned.obstacle
        if in_the_way is not None:
            self._footer.message.say(in_the_way.sentence, "error" if in_the_way.is_mistake else "hint")
        elif self._failure:
            self._footer.message.say(self._failure)
        else:
            self._footer.message.say(self._session.planned.hint, "hint")
        here = self._ending is not None and self._session.is_current(self._ending.scene)  # an ending on another image is not shown
        self._footer.show_idle(self._ending, slug if here else "")
