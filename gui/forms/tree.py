"""Tree: a ParameterTree that follows the palette, is as high as its rows, and always shows its editors; with its kinds of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqtgraph.parametertree import Parameter, ParameterTree
from pyqtgraph.parametertree.parameterTypes import GroupParameter, GroupParameterItem, WidgetParameterItem
from pyqtgraph.widgets.TreeWidget import InvisibleRootItem
from PySide6.QtCore import QEvent, QRect, QSize, Qt, Slot
from PySide6.QtGui import QFontMetrics, QPalette
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QSizePolicy, QToolButton, QTreeWidget, QTreeWidgetItem, QWidget

from gui import theme
from gui.forms.editors import Editor, editor_for
from gui.forms.slider_edit import SliderEdit, has_slider

if TYPE_CHECKING:
    from engine import parameters

_RESET = 22
_INDENT = 14
_MARGINS = 12
_TITLE = 18
"""Width of the titles in average characters. It is the same in all forms, so that no column moves; a longer title takes two lines."""


def title_width(metrics: QFontMetrics) -> int:
    """Return the width in pixels in which a title is written."""
    return _TITLE * metrics.averageCharWidth()


def _title_height(title: str, metrics: QFontMetrics) -> int:
    room = QRect(0, 0, title_width(metrics), 10_000)
    return metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, title).height()


class RowItem(WidgetParameterItem):
    """A row with title, editor and reset button. The editor is always visible."""

    def __init__(self, param: FieldParameter, depth: int) -> None:
        super().__init__(param, depth)
        self.hideWidget = False
        self.displayLabel.hide()
        self.setToolTip(0, param.field.tip)
        height = max(self.widget.maximumHeight(), _title_height(param.title(), QFontMetrics(self.font(0)))) + 2
        for column in (0, 1):
            self.setSizeHint(column, QSize(0, height))

    def makeWidget(self) -> Editor:
        field = self.param.field
        return editor_for(field, SliderEdit) if self.param.slider and has_slider(field) else editor_for(field)

    def makeDefaultButton(self) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setFixedSize(_RESET, _RESET)
        button.setIcon(theme.icon("mdi6.restore"))
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        button.clicked.connect(self.defaultClicked)
        return button

    def updateDefaultBtn(self) -> None:
        field = self.param.field
        self.defaultBtn.setToolTip(f"Reset {field.title} to {field.shown(field.default)}")
        self.defaultBtn.setAccessibleName(f"Reset {field.title}")
        self.defaultBtn.setVisible(self.param.value() != field.default)

    def defaultClicked(self) -> None:
        self.param.setValue(self.param.field.default)

    def updateDisplayLabel(self, value: Any = None) -> None:
        """Do nothing, since the editor shows the value."""

    def showEditor(self) -> None:
        self.widget.setFocus(Qt.FocusReason.OtherFocusReason)

    def hideEditor(self) -> None:
        """Do nothing, since the editor is always visible."""

    def widgetEventFilter(self, obj: Any, ev: Any) -> bool:
        return False  # Tab moves on in the panel; pyqtgraph would keep it inside the tree

    def optsChanged(self, param: Any, opts: dict[str, Any]) -> None:
        super().optsChanged(param, opts)
        if "enabled" in opts or "wrong" in opts:
            self.paint_title()

    def paint_title(self) -> None:
        """Set the title's colour: enabled, disabled or refused."""
        tree = self.treeWidget()
        if tree is None:
            return
        if self.param.opts.get("wrong"):
            self.setForeground(0, theme.readable(theme.MISTAKE, tree.palette()))
            return
        group = QPalette.ColorGroup.Active if self.param.opts["enabled"] else QPalette.ColorGroup.Disabled
        self.setForeground(0, tree.palette().brush(group, QPalette.ColorRole.Text))


class FieldParameter(Parameter):
    """A row of the tree, with the parameter that it edits."""

    itemClass = RowItem

    def __init__(self, field: parameters.Parameter, slider: bool = False) -> None:
        self.field, self.slider = field, slider
        super().__init__(name=field.name, title=field.title, value=field.default, default=field.default)


class GroupItem(GroupParameterItem):
    """The heading of a group."""

    def updateDepth(self, depth: int) -> None:
        font = self.font(0)
        font.setBold(True)
        self.setFont(0, font)
        self.titleChanged()


class FieldGroup(GroupParameter):
    """A group of parameters."""

    itemClass = GroupItem


class Tree(ParameterTree):
    """A ParameterTree without header, stripes, frame, selection or scroll bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, showHeader=False)
        self._invRootItem = None  # see `invisibleRootItem`
        self.setAlternatingRowColors(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)
        self.setRootIsDecorated(True)
        self.setIndentation(_INDENT)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.header().setStretchLastSection(True)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._fit_titles()
        self.filling = False
        """Whether rows are being added: the height is then computed once, at the end."""
        self.itemExpanded.connect(self.fit)
        self.itemCollapsed.connect(self.fit)

    def invisibleRootItem(self) -> InvisibleRootItem:
        """Return the root item, and keep no Python object of it, as pyqtgraph does.

        Qt destroys the root with the tree and does not say so. Python's object would still stand for its address, and a widget that Qt
        makes there later would be taken for an item: the window crashed when such a widget was destroyed.
        """
        return InvisibleRootItem(QTreeWidget.invisibleRootItem(self))

    def _fit_titles(self) -> None:
        """Make the first column as wide as the titles' lines with their indentation and margins."""
        self.header().resizeSection(0, title_width(self.fontMetrics()) + 2 * self.indentation() + _MARGINS)

    def _updatePalette(self, palette: Any) -> None:
        """Do nothing: pyqtgraph would set a palette of its own, but the tree follows the application's."""

    @Slot(QTreeWidgetItem)
    def fit(self, _item: QTreeWidgetItem | None = None) -> None:
        """Make the tree as high as its rows."""
        if self.filling:
            return
        self.doItemsLayout()
        last = self.topLevelItem(self.topLevelItemCount() - 1)
        while last is not None and last.isExpanded() and last.childCount():
            last = last.child(last.childCount() - 1)
        self.setFixedHeight(1 if last is None else max(1, self.visualItemRect(last).bottom() + 3))

    def event(self, event: QEvent) -> bool:
        handled: bool = super().event(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.Show, QEvent.Type.StyleChange):
            self._fit_titles()
            self.fit()
        elif event.type() == QEvent.Type.PaletteChange:
            for item in self.listAllItems():
                if isinstance(item, RowItem):
                    item.paint_title()
        return handled
