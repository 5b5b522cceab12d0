"""The Attack dock: choose an attack, set it up, run it, hold it, end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.forms import Form
from gui.panels.attack.about import About
from gui.panels.attack.catalogue import description
from gui.panels.attack.chooser import Chooser
from gui.panels.attack.eps_slider import EpsSlider
from gui.panels.attack.goal import Goal, takes_start
from gui.panels.attack.hints import hint
from gui.panels.attack.obstacles import obstacle, paintable
from gui.panels.attack.progress import Progress
from gui.widgets import EmptyState, Message

if TYPE_CHECKING:
    from engine import Attack
    from gui.lanes.jobs import Job
    from gui.session.attack_start import Ending
    from gui.session.session import Session

_FIRST = "pgd"


class AttackPanel(QWidget):
    """Comes alive when the engine is ready. ``run``, ``pause`` and ``cancel`` are what the menus call, too."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState("The engine is loading. In a moment the attacks are listed here.", "mdi6.timer-sand"))
        self._forms: dict[str, Form] = {}
        """By slug, made when first chosen: an attack keeps its parameters while another one is looked at."""
        self._slug = ""
        self._filled: dict[str, str] = {}
        """By slug the title of the preset that filled in the parameters."""
        self._complaint = ""
        """Why the attack could not start, as it was said in the status bar."""
        self._ending: Ending | None = None
        self._failure = ""
        """Why the last run failed, until something changes that could mend it."""
        self._attacks: dict[str, type[Attack]] = {}
        self._build()
        session.engineReady.connect(self._on_ready)
        if session.ready:
            self._on_ready()

    # ------------------------------------------------------------------ what the menus call

    @property
    def attack(self) -> Attack | None:
        """As it is set up; None while it cannot be."""
        return self._form.operation if self._slug else None  # type: ignore[return-value]

    def run(self) -> None:
        """Start the attack, or let the held one go on; what is amiss is said and nothing starts."""
        session = self._session
        if session.runs.running:
            if session.runs.job is not None and session.runs.job.paused:
                session.runs.pause(False)
            return
        sentence, _ = self.obstacle()
        attack = self.attack
        if attack is None or sentence:
            self._complaint = sentence
            session.notice.emit(self._complaint)
            return
        begin = self._goal.start.begin if takes_start(type(attack)) else None
        session.runs.start(
            attack,
            seed=self._goal.seed.value(),
            data=self._goal.data.choice if "data" in attack.uses else None,
            begin=None if begin is None else begin.image,
        )

    def pause(self) -> None:
        """Hold the attack between two steps, or let it go on."""
        if self._session.runs.job is not None:
            self._session.runs.pause(not self._session.runs.job.paused)

    def cancel(self) -> None:
        """End the attack; its best so far is kept."""
        self._session.runs.cancel()

    @property
    def _form(self) -> Form:
        return self._forms[self._slug]

    def choose(self, slug: str) -> None:
        """Select an attack of the catalogue."""
        self._catalogue.choose(slug)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        """All that needs no engine: it stands while that is loading, so that little is left to do when it comes."""
        self._chooser = Chooser(self)
        self._catalogue = self._chooser.list
        self._forms_box = QVBoxLayout()
        self._goal = Goal(self._session, self)
        self._eps = EpsSlider(self._session, self)
        self._page = QWidget(self)
        layout = QVBoxLayout(self._page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_upper(), 1)
        layout.addWidget(self._build_footer())
        self._stack.addWidget(self._page)
        self._connect()

    @Slot()
    def _on_ready(self) -> None:
        if self._slug:
            return
        from engine.attacks import CATALOGUE

        self._attacks = dict(CATALOGUE)
        self._stack.setCurrentWidget(self._page)
        self._catalogue.set_attacks(CATALOGUE)
        self._catalogue.choose(_FIRST if _FIRST in CATALOGUE else next(iter(CATALOGUE)))
        if not self._session.data_sources.sources:
            self._session.data_sources.find()
        self._on_classifier()

    def _build_upper(self) -> QScrollArea:
        self._presets = QToolButton(self)
        self._presets.setText("Presets")
        self._presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._presets.setToolTip("Fill in published settings")
        self._presets.setMenu(QMenu(self._presets))
        self._reset = QToolButton(self)
        self._reset.setIcon(theme.icon("mdi6.restore"))
        self._reset.setAutoRaise(True)
        self._reset.setToolTip("Reset every parameter of this attack")
        self._reset.setAccessibleName("Reset parameters")
        header = QHBoxLayout()
        header.setSpacing(4)
        header.addWidget(self._chooser, 1)
        header.addWidget(self._presets)
        header.addWidget(self._reset)
        self._about = About(self)
        inner = QWidget(self)
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(header)
        layout.addWidget(self._about)
        layout.addWidget(self._goal)
        layout.addWidget(_rule(self))
        layout.addLayout(self._forms_box)
        layout.addStretch(1)
        area = self._area = QScrollArea(self)
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def _build_footer(self) -> QWidget:
        self._message = Message(self)
        self._progress = Progress(self)
        self._run = theme.primary(QPushButton(self), "mdi6.play")
        self._run.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._cancel = QPushButton(theme.icon("mdi6.stop"), "Cancel", self)
        self._cancel.setToolTip("End the attack; its best image so far is kept")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._run, 1)
        buttons.addWidget(self._cancel)
        footer = QWidget(self)
        layout = QVBoxLayout(footer)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._message)
        layout.addWidget(self._eps)
        layout.addWidget(self._progress)
        layout.addLayout(buttons)
        return footer

    def _connect(self) -> None:
        session = self._session
        self._catalogue.chosen.connect(self._on_chosen)
        self._goal.changed.connect(self._on_changed)
        self._reset.clicked.connect(self._on_reset)
        self._run.clicked.connect(self._on_primary)
        self._cancel.clicked.connect(self.cancel)
        session.classifierChanged.connect(self._on_classifier)
        session.labelChanged.connect(self._on_labels)
        session.observed.connect(self._on_observed)
        for signal in (session.imageChanged, session.stickersChanged):
            signal.connect(self._on_changed)
        session.runs.changed.connect(self._on_run)
        session.runs.progressed.connect(self._on_progress)

    # ------------------------------------------------------------------ from the session and from a person

    @Slot(str)
    def _on_chosen(self, slug: str) -> None:
        attack, self._slug = self._attacks[slug], slug
        self._chooser.set_title(attack.title)
        self._about.show_attack(description(attack), attack.paper)
        presets = attack.presets
        menu = self._presets.menu()
        menu.clear()
        for title in (preset.title for preset in presets):
            menu.addAction(title.replace("&", "&&")).triggered.connect(lambda _checked=False, title=title: self._use_preset(title))
        self._presets.setVisible(bool(presets))
        if slug not in self._forms:
            self._forms[slug] = form = Form(self, says_errors=False)  # the footer does: it is always in sight
            self._forms_box.addWidget(form)
            form.set_operation(attack)
            form.changed.connect(self._on_changed)
        for name, form in self._forms.items():
            form.setVisible(name == slug)
        self._goal.show_uses(attack)
        self._eps.set_attack(slug)
        self._on_changed()

    @Slot()
    def _on_reset(self) -> None:
        if self._slug:
            self._filled.pop(self._slug, None)
            self._form.reset()

    def _use_preset(self, title: str) -> None:
        self._filled[self._slug] = title
        defaults = {field.name: field.default for field in self._form.fields}
        preset = self._attacks[self._slug].preset(title)
        self._form.set_values({**defaults, **preset.values})
        if "targets" in preset.needs and self._session.target is None:
            self._goal.target.setFocus()
            self._area.ensureWidgetVisible(self._goal.target)

    @Slot()
    def _on_classifier(self) -> None:
        from gui.session.swap_model import kind_of

        self._goal.set_labels()
        if self._session.classifier is not None:
            self._goal.data.suggest(kind_of(self._session.classifier))
        self._on_changed()

    @Slot()
    def _on_labels(self) -> None:
        self._goal.refresh()
        self._on_changed()

    @Slot()
    def _on_observed(self) -> None:
        if self._session.label is None and not self._session.runs.running:  # what is taken for the label may be another now
            self._goal.refresh()
            self._refresh()

    @Slot()
    def _on_primary(self) -> None:
        if self._session.runs.running:
            self.pause()
        else:
            self.run()

    # ------------------------------------------------------------------ what is possible

    def obstacle(self) -> tuple[str, bool]:
        """Why the attack cannot start, and whether that is a mistake (or something that is still missing)."""
        attack = self.attack
        if attack is None:
            return (self._form.error, True) if self._slug else ("The engine is still loading.", False)
        return obstacle(attack, self._session, self._goal)

    @Slot()
    def _on_changed(self) -> None:
        """Model, image, attack or a field: the next run may go better."""
        if self._failure and self._ending is not None:
            self._session.withdrawn.emit(self._ending.notice)
        self._failure = ""
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        if not self._slug:
            return
        attack = self._attacks[self._slug]
        self._goal.show_region("stickers" in attack.uses, paintable(self._session), attack.masked)
        self._on_run()

    @Slot()
    def _on_run(self) -> None:
        if not self._slug:
            return
        runs = self._session.runs
        if runs.job is not None:
            self._show_job(runs.job)
            return
        if runs.ending is not self._ending:
            self._ending = runs.ending
            self._failure = runs.ending.sentence if runs.ending is not None else ""
        self._progress.show_ending(runs.ending, self._slug)
        sentence, mistake = self.obstacle()
        if self._complaint and self._complaint != sentence:
            self._session.withdrawn.emit(self._complaint)
            self._complaint = ""
        self._say(sentence, mistake)
        self._show_button("Run", "mdi6.play", sentence or "Attack the image as set up above")
        self._run.setEnabled(not sentence)
        self._cancel.setEnabled(False)

    def _say(self, sentence: str, mistake: bool) -> None:
        """Why it cannot start; else why the last run failed; else what is worth knowing."""
        if sentence:
            self._message.say(sentence, "error" if mistake else "hint")
        elif self._failure or self.attack is None:
            self._message.say(self._failure)
        else:
            self._message.say(hint(self.attack, self._session, self._goal, self._filled.get(self._slug, "")), "hint")

    @Slot()
    def _on_progress(self) -> None:
        job = self._session.runs.job
        if self._slug and job is not None:
            self._progress.show_job(job, self._session.runs.attack, self._other_title())

    def _other_title(self) -> str:
        """The title of the attack under way, where it is another one than that which is set up."""
        attack = self._session.runs.attack
        return attack.title if attack is not None and attack.slug != self._slug else ""

    def _show_job(self, job: Job) -> None:
        self._message.say("")
        title = self._other_title()
        self._progress.show_job(job, self._session.runs.attack, title)
        if job.paused:
            self._show_button(f"Resume {title}".strip(), "mdi6.play", f"Let {title or 'the attack'} go on")
        else:
            self._show_button(f"Pause {title}".strip(), "mdi6.pause", f"Hold {title or 'the attack'} between two steps")
        self._run.setEnabled(not job.cancelled)
        self._cancel.setEnabled(not job.cancelled)

    def _show_button(self, text: str, icon: str, tip: str) -> None:
        if self._run.text() != text:
            self._run.setText(text)
            theme.primary(self._run, icon)
        self._run.setToolTip(tip)


def _rule(parent: QWidget) -> QFrame:
    rule = QFrame(parent)
    rule.setFrameShape(QFrame.Shape.HLine)
    rule.setFrameShadow(QFrame.Shadow.Plain)
    rule.setForegroundRole(QPalette.ColorRole.Mid)
    return rule
