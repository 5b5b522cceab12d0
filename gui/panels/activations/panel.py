"""ActivationsPanel: the chosen layer with its bound and the bound's effect; all layers; the spikes."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedLayout,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.panels.activations.layer_list import LayerList, layer_text
from gui.panels.activations.layer_plot import LayerPlot
from gui.panels.activations.spike_table import SpikeTable
from gui.panels.frame_panel import FrameView
from gui.session.bounds import decimals, effect_text, with_bound
from gui.session.scene import Frame
from gui.session.session import Session
from gui.session.stand_in import is_stand_in
from gui.theme import GRID, icon
from gui.widgets import EmptyState, scrolling
from gui.widgets.text import Sentence

_HINT = "Drag the line from the right edge: it clamps the activations there and shows what that costs and undoes."
_NOTHING = "The activations of every layer appear here, clean against adversarial. Load a model and open an image."
_NO_SITES = "This model calls no rectifier (ReLU and its kin), so there are no activations to show."
_NOT_LOADED = "The study's model is not loaded, and a study keeps no activations. Open the model to see them."


class ActivationsPanel(FrameView):
    """Shows a frame's ``observation.layers`` and ``spikes``, and sets bounds through the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.selected = ""
        """The name of the chosen site."""
        self.title, self.effect = Sentence(bold=True), Sentence(3)
        self.plot, self.layers, self.spikes = LayerPlot(), LayerList(), SpikeTable()
        self.scope, self.value, self.reset = QComboBox(), QDoubleSpinBox(), QToolButton()
        self.tabs = QTabWidget()
        self.empty = EmptyState(_NOTHING, "mdi6.chart-histogram", self)
        self._build()
        self.plot.boundMoved.connect(self._on_bound)
        self.layers.chosen.connect(self.choose)
        self.spikes.chosen.connect(self.choose)
        self.tabs.currentChanged.connect(self.refresh)
        session.boundsChanged.connect(self._on_bounds)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        self.tabs.addTab(self.layers, "Layers")
        self.tabs.addTab(self.spikes, "Spikes")
        self.tabs.setDocumentMode(True)
        split = self._split = QSplitter(Qt.Orientation.Vertical)
        self.upper = self._upper()
        area = scrolling(self.upper)  # neither arrangement may fit a small window's drawer; the parts never print over each other
        area.setMinimumWidth(self.upper.minimumSizeHint().width())
        split.addWidget(area)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 2)
        split.setChildrenCollapsible(False)
        self._pages = QStackedLayout(self.body)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(split)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the parts side by side if the panel is wide, as below the canvas, else one below the other."""
        roomy = self.width() > 1.2 * self.height() and self.width() >= 64 * GRID
        parts = [part.minimumSizeHint() for part in (self.upper, self.tabs)]
        # One above the other they would overlap where there is not enough height for both.
        low = self.height() < sum(part.height() for part in parts) and self.width() >= sum(part.width() for part in parts)
        wide = roomy or low
        orientation = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self._split.orientation() != orientation:
            self._split.setOrientation(orientation)
            share = (1, 1) if low else (3, 2) if wide else (1, 2)
            total = self.width() if wide else self.height()
            self._split.setSizes([total * part // sum(share) for part in share])
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        """Return the size of the lower of the two arrangements, so that the panel fits below the canvas."""
        parts = [part.minimumSizeHint() for part in (self.upper, self.tabs)]
        above = 0 if self.compared.isHidden() else self.compared.minimumSizeHint().height()
        return QSize(max(part.width() for part in parts), above + max(part.height() for part in parts))

    def _upper(self) -> QWidget:
        upper = QWidget()
        layout = QVBoxLayout(upper)
        layout.setContentsMargins(GRID, GRID, GRID, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.plot, 1)
        layout.addLayout(self._controls())
        layout.addWidget(self.effect)
        return upper

    def _controls(self) -> QHBoxLayout:
        self.scope.addItem("This layer", False)
        self.scope.addItem("All layers", True)
        self.scope.setAccessibleName("Layers to bound")
        self.scope.setToolTip("Whether the line clamps the chosen layer alone or every layer at the same value.")
        self.scope.activated.connect(self._on_scope)
        self.value.setAccessibleName("Bound")
        self.value.setToolTip("The value at which activations are clamped from above. 0: no bound.")
        self.value.setSpecialValueText("none")
        self.value.setRange(0, 1e6)
        self.value.setKeyboardTracking(False)
        self.value.setMinimumWidth(72)
        self.value.valueChanged.connect(self._on_value)
        self.reset.setIcon(icon("mdi6.backup-restore"))
        self.reset.setToolTip("Lift every bound.")
        self.reset.setAccessibleName("Reset bound")
        self.reset.setAutoRaise(True)
        self.reset.clicked.connect(self._on_reset)
        row = QHBoxLayout()
        row.addWidget(QLabel("Bound"))
        row.addWidget(self.value, 1)
        row.addWidget(self.scope, 1)
        row.addWidget(self.reset)
        return row

    # ------------------------------------------------------------------ painting

    def show_frame(self, frame: Frame | None) -> None:
        empty = frame is None or not frame.observation.layers
        self._pages.setCurrentIndex(0 if empty else 1)
        if frame is None or empty:
            self.empty.set_text(_NOTHING if frame is None else frame.observation.failures.get("activations", _why_none(frame)))
            return
        seen = frame.observation
        layer = next((one for one in seen.layers if one.site.name == self.selected), seen.layers[0])
        if layer.site.name != self.selected:
            self.selected = layer.site.name
        self.title.set_text(_heading(layer.site.name, layer.site.kind, layer.site.shape))
        self.title.setToolTip(layer_text(layer))
        self.plot.set_layer(layer)
        self._show_bound(float(layer.edges[-1]))
        self.effect.set_text(effect_text(seen, frame.scene.classifier.labels, self.sites) or _HINT)
        if self.tabs.currentIndex() == 0:
            self.layers.set_layers(seen.layers, self.session.bounds, self.selected)
        else:
            self.spikes.set_spikes(seen.spikes)

    def _show_bound(self, upper: float) -> None:
        bound = self.session.bounds.get(self.selected)
        self.plot.set_bound(bound)
        self.reset.setEnabled(bool(self.session.bounds))
        if self.session.bounds and len(self.sites) > 1:
            whole = len(self.session.bounds) == len(self.sites) and len(set(self.session.bounds.values())) == 1
            self.scope.setCurrentIndex(int(whole))
        with QSignalBlocker(self.value):
            if self.value.decimals() != decimals(upper):
                self.value.setDecimals(decimals(upper))
                self.value.setSingleStep(upper / 100)
            if self.value.value() != (bound or 0.0):
                self.value.setValue(bound or 0.0)

    @property
    def sites(self) -> list[str]:
        """Return the names of the sites that are shown."""
        return [layer.site.name for layer in self.session.frame.observation.layers] if self.session.frame else []

    # ------------------------------------------------------------------ from the user

    @Slot(str)
    def choose(self, site: str) -> None:
        """Choose the layer that the plot shows."""
        if site != self.selected:
            self.selected = site
            self.layers.select(site)
            self.refresh()

    @Slot(object)
    def _on_bound(self, value: float | None) -> None:
        everywhere = bool(self.scope.currentData())
        self.session.set_bounds(with_bound(self.session.bounds, self.sites, self.selected, value, everywhere))

    @Slot(float)
    def _on_value(self, value: float) -> None:
        self._on_bound(value if value > 0 else None)

    @Slot()
    def _on_scope(self) -> None:
        """Apply the present bound to all layers, or keep it in the chosen layer only."""
        if self.session.bounds:
            value = self.session.bounds.get(self.selected, min(self.session.bounds.values()))
            self.session.set_bounds(with_bound({}, self.sites, self.selected, value, bool(self.scope.currentData())))

    @Slot()
    def _on_reset(self) -> None:
        self.session.set_bounds({})

    @Slot()
    def _on_bounds(self) -> None:
        """Move the line at once; the numbers follow with the next frame."""
        if self.isVisible() and self.session.frame is not None and self.plot.layer is not None:
            self._show_bound(self.plot.limits[1])


def _heading(name: str, kind: str, shape: tuple[int, ...]) -> str:
    return f"{name} · {kind} · {' × '.join(str(n) for n in shape)}"


def _why_none(frame: Frame) -> str:
    return _NOT_LOADED if is_stand_in(frame.scene.classifier) else _NO_SITES
