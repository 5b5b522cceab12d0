"""LayerTree: the layers of a classifier as a tree, with module, type, output shape and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from gui import theme

if TYPE_CHECKING:
    from torch import nn

    from engine import Classifier

_HEADERS = ("layer", "type", "output", "params")


class LayerTree(QTreeWidget):
    """The tree of layers. Output shapes are shown for rectifier calls, whose activations the window records."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(len(_HEADERS))
        self.setHeaderLabels(list(_HEADERS))
        self.setUniformRowHeights(True)
        self.setIndentation(12)
        self.setMinimumHeight(180)
        self.setAccessibleName("Layers")
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.header().setMinimumSectionSize(40)
        self._shown: Classifier | None = None

    def show_classifier(self, classifier: Classifier) -> None:
        """Show the layers of a classifier, unless they are shown already."""
        if classifier is self._shown:
            return
        self._shown = classifier
        shapes: dict[str, list[tuple[str, str]]] = {}
        for site in classifier.sites:
            changed = repr(classifier.activations.get(site.name, "")) if site.name in classifier.activations else site.kind
            shapes.setdefault(site.name.partition("#")[0], []).append(("×".join(map(str, site.shape)), changed))
        self.setUpdatesEnabled(False)
        self.clear()
        items: dict[str, QTreeWidgetItem] = {}
        for path, module in classifier.module.named_modules():
            if path:
                parent = items.get(path.rpartition(".")[0])
                items[path] = self._item(parent, path, module, shapes.get(path, []))
        if len(items) <= 60:
            self.expandAll()
        self.setUpdatesEnabled(True)

    def _item(self, parent: QTreeWidgetItem | None, path: str, module: nn.Module, calls: list[tuple[str, str]]) -> QTreeWidgetItem:
        count = sum(p.numel() for p in module.parameters())
        output = calls[0][0] if calls else ""
        if len(calls) > 1:
            output += f" (+{len(calls) - 1})"
        texts = [path.rpartition(".")[2], type(module).__name__, output, f"{count:,}" if count else ""]
        item = QTreeWidgetItem(texts)
        if parent is None:
            self.addTopLevelItem(item)
        else:
            parent.addChild(item)
        item.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setFont(3, theme.number_font(self.font()))
        tip = f"{path}: {module}" if not list(module.children()) else path
        tip += "".join(f"\ncall {k + 1}: {kind}, {shape}" for k, (shape, kind) in enumerate(calls))
        for column in range(len(_HEADERS)):
            item.setToolTip(column, tip)
        return item
