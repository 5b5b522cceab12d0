"""AttackDialog: one attack of an evaluation, chosen from the list, with its parameters and the radii at which it is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, QSize, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gui.choosers.attacks import AttackList, description
from gui.forms import Form
from gui.theme import GRID
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.message import Message
from gui.widgets.scrolling import scrolling
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine import Attack
    from engine.evaluate.tables import TableAttack

_SIZE = QSize(880, 560)
_AIMS = (("away", "away from the label"), ("random", "a random other class"), ("next", "the class after the label"))
_LEAST_LIKELY = ("least likely", "the least likely class")
_EPS_TIP = (
    "The largest change of a pixel or, for other norms, the size of the whole change; pixels are in [0, 1]. Several, with commas between "
    "them, give a column each."
)
_NAME_TIP = "The name above the columns. Empty: that of the attack. Two entries of one attack at one eps need two names."


class AttackDialog(QDialog):
    """The list of attacks at the left, the parameters of the chosen one at the right. It is made once, and opened again and again."""

    entered = Signal(object)
    """The user has accepted: the `TableAttack`."""

    def __init__(self, attacks: Mapping[str, type[Attack]], parent: QWidget | None = None, *, several: bool = True) -> None:
        """Without ``several`` there is one eps, and neither name nor aim."""
        super().__init__(parent)
        self._attacks, self._several = dict(attacks), several
        self._slug = ""
        self._kept: Mapping[str, Any] = {}
        """Fields of the shown entry that this dialog does not edit."""
        self.list = AttackList(self)
        self.about = Sentence(3, muted=True, parent=self)
        self.eps, self.name = QLineEdit(self), QLineEdit(self)
        self.aim, self.preset = ElidedCombo(self), ElidedCombo(self)
        self.form = Form(self, says_errors=False, folds=True)
        self.message = Message(self)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self)
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._lay_out()
        self.list.set_attacks(self._attacks)
        self.list.picked.connect(self.choose)
        self.preset.activated.connect(self._on_preset)
        self.form.changed.connect(self._check)
        for line in (self.eps, self.name):
            line.textEdited.connect(self._check)
        self.aim.activated.connect(self._check)
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.reject)

    def open_with(self, entry: TableAttack | None) -> None:
        """Open with an attack as it is set up, or with the first one at its own settings."""
        self.setWindowTitle("Attack" if entry is None else f"Attack: {entry.title}")
        self.list.start()
        if entry is None:
            self.choose("pgd" if "pgd" in self._attacks else next(iter(self._attacks)))
        else:
            self._show_entry(entry)
        self._fit()
        self.open()

    def _lay_out(self) -> None:
        for widget, name, tip in (
            (self.eps, "eps, one or several", _EPS_TIP),
            (self.name, "Name in the table", _NAME_TIP),
            (self.aim, "Target of each image", "What each image is led towards"),
            (self.preset, "Published settings", "Fill in the parameters that a paper used"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)
        self.eps.setPlaceholderText("4/255, 8/255, 16/255")
        for combo in (self.aim, self.preset):
            combo.setSizeAdjustPolicy(ElidedCombo.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(10)
        self.rows = QFormLayout()
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.rows.setVerticalSpacing(4)
        for caption, widget in (("eps", self.eps), ("towards", self.aim), ("name", self.name), ("preset", self.preset)):
            self.rows.addRow(caption, widget)
        inner = QWidget(self)
        page = QVBoxLayout(inner)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(6)
        page.addLayout(self.rows)
        page.addWidget(self.form)
        page.addStretch(1)
        right, columns, whole = QVBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        right.addWidget(self.about)
        right.addWidget(scrolling(inner), 1)
        right.addWidget(self.message)
        columns.setSpacing(2 * GRID)
        columns.addWidget(self.list, 5)
        columns.addLayout(right, 5)
        whole.addLayout(columns, 1)
        whole.addWidget(self.buttons)

    def _fit(self) -> None:
        """Take the room that list and form need, within the window: Qt would take a part of the screen, whatever is in it."""
        parent = self.parentWidget()
        room = _SIZE if parent is None else parent.window().size() - QSize(4 * GRID, 8 * GRID)
        self.resize(_SIZE.boundedTo(room))

    # ------------------------------------------------------------------ the attack

    @property
    def slug(self) -> str:
        """The chosen attack."""
        return self._slug

    @Slot(object)
    def choose(self, slug: str) -> None:
        """Show an attack with its own settings."""
        kind = self._attacks[slug]
        self._slug, self._kept = slug, {}
        self.about.set_text(f"{kind.title}: {description(kind)}")
        has_eps = "eps" in kind.model_fields
        self.form.set_operation(kind, without=("eps",) if self._several and has_eps else ())
        self.rows.setRowVisible(self.eps, self._several and has_eps)
        self.rows.setRowVisible(self.name, self._several)
        self.rows.setRowVisible(self.aim, self._several and "targets" in kind.uses)
        self.rows.setRowVisible(self.preset, bool(kind.presets))
        self._fill_preset(kind)
        self.aim.clear()
        for rule, title in (*_AIMS, _LEAST_LIKELY):
            if rule != "away" or "targets" not in kind.needs:
                self.aim.addItem(title, rule)
        with QSignalBlocker(self.eps):
            self.eps.setText(_eps_text([kind.model_fields["eps"].default]) if has_eps else "")
        self.name.clear()
        self._check()

    def _fill_preset(self, kind: type[Attack]) -> None:
        self.preset.clear()
        self.preset.addItem("none: as below", "")
        for preset in kind.presets:
            self.preset.addItem(preset.title, preset.title)

    def _show_entry(self, entry: TableAttack) -> None:
        self.choose(entry.attack)
        kind, first = self._attacks[entry.attack], entry.variants()[0].attack
        self._kept = {"group": entry.group}
        known = {field.name for field in self.form.fields}
        self.form.set_values({name: value for name, value in first.model_dump().items() if name in known})
        radii = entry.eps or ((first.eps,) if hasattr(first, "eps") else ())
        self.eps.setText(_eps_text(radii))
        self.name.setText(entry.name if entry.name != kind.title else "")
        self.aim.setCurrentIndex(max(0, self.aim.findData(entry.aim)))
        self._check()

    @Slot()
    def _on_preset(self) -> None:
        kind, title = self._attacks[self._slug], self.preset.currentData()
        defaults = {field.name: field.default for field in self.form.fields}
        values = dict(kind.preset(title).values) if title else {}
        if "eps" in values and self._several:
            self.eps.setText(_eps_text([values["eps"]]))
        self.form.set_values({**defaults, **{name: value for name, value in values.items() if name in defaults}})

    def entry(self) -> TableAttack:
        """Return the attack as the specification of a table has it.

        Raises
        ------
        GibbonError
            A value cannot be read, or the attack refuses it.
        """
        from pydantic import ValidationError

        from engine.errors import GibbonError
        from engine.evaluate.tables import TableAttack
        from engine.refusals import place_and_reason

        if self.form.error:
            raise GibbonError(self.form.error)
        values = self.form.values()
        changed = {field.name: values[field.name] for field in self.form.fields if values[field.name] != field.default}
        several = {"eps": _radii(self.eps.text()), "name": self.name.text().strip()} if self._several else {}
        if self._several and not self.rows.isRowVisible(self.eps):
            del several["eps"]
        if self._several and self.rows.isRowVisible(self.aim):
            several["aim"] = self.aim.currentData()
        try:
            return TableAttack(attack=self._slug, parameters=changed, **{**self._kept, **several})
        except ValidationError as error:
            raise GibbonError(place_and_reason(error, TableAttack)) from None

    @Slot()
    def _check(self) -> None:
        from engine.errors import GibbonError

        try:
            self.entry()
        except GibbonError as error:
            self.message.say(str(error))
        else:
            self.message.say("")
        self.ok.setEnabled(not self.message.text)
        self.ok.setToolTip(self.message.text or "Take this attack")

    @Slot()
    def _on_accepted(self) -> None:
        self.entered.emit(self.entry())
        self.accept()


def _eps_text(radii: Sequence[float | None]) -> str:
    from engine.text.formatting import format_number

    return ", ".join(format_number(eps) for eps in radii if eps is not None)


def _radii(text: str) -> tuple[float, ...]:
    from engine.text.parsing import parse_number

    return tuple(parse_number(part) for part in text.split(",") if part.strip())


def table_attacks(attacks: Mapping[str, type[Attack]], *, searched: bool = False) -> dict[str, type[Attack]]:
    """Return the attacks that tables can run: those on images that need nothing beside them.

    ``searched``: only those of which a robustness curve can be drawn.
    """
    from engine.errors import GibbonError
    from engine.evaluate.curves.search import kind_of

    found = {slug: kind for slug, kind in attacks.items() if kind.from_image and not kind.needs & {"stickers", "models", "data", "start"}}
    if not searched:
        return found

    def fits(kind: type[Attack]) -> bool:
        try:
            return bool(kind_of(kind())) and "targets" not in kind.needs
        except (GibbonError, ValueError):
            return False

    return {slug: kind for slug, kind in found.items() if fits(kind)}
