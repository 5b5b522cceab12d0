"""PartRow: one part of a recipe, with its title, its form, and the buttons that move it, remove it and fill in published settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.literal import literal
from gui.widgets.message import Message
from gui.widgets.section import Section

if TYPE_CHECKING:
    from engine.recipes import Part

MakeForm = Callable[[QWidget], Any]
"""Makes a `gui.forms.Form`, which this module cannot import, since a form may contain rows of parts."""


def doc_of(part: type[Part]) -> str:
    """Return the docstring of a part and its paper, for a tool tip."""
    from engine.text.formatting import named_norms

    doc = named_norms("\n\n".join(" ".join(text.split()) for text in (part.__doc__ or part.title).split("\n\n")))
    return "\n\n".join(filter(None, (part.title, doc, getattr(part, "paper", ""))))


class PartRow(QFrame):
    """One part. Its values may be refused: then its own sentence stands below its form."""

    changed = Signal()
    """A value of the part has changed."""
    moved = Signal(int)
    """The user wants the part one place earlier (-1) or later (1)."""
    removed = Signal()

    def __init__(self, part: type[Part], make_form: MakeForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.part = part
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(part.title)
        self.section = Section(part.title, self, tip=doc_of(part))
        self.section.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a long title is shortened
        self.more = self._button("mdi6.dots-vertical", "Move it, or fill in published settings", "Order and presets of")
        self.menu = QMenu(self.more)
        self.remove = self._button("mdi6.close", "Take it out of the recipe", "Remove")
        self.form = make_form(self)
        self._outer = Message(self)
        self.section.add(self.form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(0)
        layout.addWidget(self.section)
        layout.addWidget(self._outer)
        self._fill_menu()
        self.form.set_operation(part)
        self.form.changed.connect(self.changed)
        self.remove.clicked.connect(self.removed)

    def _button(self, icon: str, tip: str, verb: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(theme.icon(icon))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(f"{verb} {self.part.title}")
        self.section.header.addWidget(button)
        return button

    def _fill_menu(self) -> None:
        """Fill the menu with the moves and the published settings."""
        menu = self.menu
        self.earlier = menu.addAction(theme.icon("mdi6.arrow-up"), "Move up", lambda: self.moved.emit(-1))
        self.later = menu.addAction(theme.icon("mdi6.arrow-down"), "Move down", lambda: self.moved.emit(1))
        if self.part.presets:
            menu.addSection("Published settings")
        for preset in self.part.presets:
            menu.addAction(literal(preset.title)).triggered.connect(lambda _=False, values=preset.values: self.use_preset(values))
        self.more.setMenu(menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def use_preset(self, values: Mapping[str, Any]) -> None:
        """Set the values of a published setting; all others return to their defaults."""
        self.form.set_values({**{field.name: field.default for field in self.form.fields}, **values})

    @property
    def value(self) -> Any:
        """The part; while its values are refused, a mapping of them with its slug."""
        made = self.form.operation
        return {self.part.kind: self.part.slug, **self.form.values()} if made is None else made

    @Slot(str)
    def say(self, sentence: str) -> None:
        """Say why the part does not fit its surroundings; an empty sentence takes that back."""
        self._outer.say(sentence)

    @property
    def error(self) -> str:
        """The sentence that says why the part is refused, by itself or by its surroundings; empty if it is not."""
        return self.form.error or self._outer.text

    def allow(self, *, earlier: bool, later: bool) -> None:
        """Set whether the part can be moved."""
        self.earlier.setEnabled(earlier)
        self.later.setEnabled(later)
