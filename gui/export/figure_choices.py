"""FigureChoices: the controls of a figure: its panels with their details, and the page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QGroupBox, QVBoxLayout, QWidget

from engine.figures import FONTS, FigurePlan, panel_titles
from engine.perturbation_view import GAINS, VIEWS
from gui import theme
from gui.export.figure_source import NEEDS_RUN, WIDTHS, FigureSource
from gui.settings import Settings

FORMATS = {"PDF": ".pdf", "SVG": ".svg", "PNG, 300 dpi": ".png"}
_FLAGS = {
    "letters": ("Letter the panels a, b, c", "A letter before each title, to be named in the text"),
    "note": ("Model, attack and norms in small print", "Lines below: model and accuracy, attack with its parameters, norms, seed"),
    "dark": ("Light on dark, for slides", "Light text on dark paper"),
    "anonymous": (
        "Anonymous, for double-blind review",
        "No name of a file and no path in the figure, its metadata and the file beside it; the image itself is in that file instead",
    ),
    "arrays": ("Arrays beside it (.npz)", "Clean, adversarial, perturbation, logits and mask, to be read with numpy.load"),
}


class FigureChoices(QWidget):
    """Shows and changes a `FigurePlan`. What the last figure had is kept in the settings; the perturbation begins as in the window."""

    changed = Signal()
    """Another plan was chosen: read ``plan``."""

    def __init__(self, source: FigureSource, layers: Sequence[str], settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source, self._settings, self._quiet = source, settings, True
        self.checks: dict[str, QCheckBox] = {}
        self.view, self.gain, self.layer = QComboBox(), QComboBox(), QComboBox()
        self.preset, self.font_kind, self.format = QComboBox(), QComboBox(), QComboBox()
        self.width_mm, self.font_size = QDoubleSpinBox(), QDoubleSpinBox()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._panel_box(layers))
        column.addWidget(self._page_box())
        column.addStretch(1)
        self._restore()
        self._quiet = False

    # ------------------------------------------------------------------ building

    def _panel_box(self, layers: Sequence[str]) -> QGroupBox:
        box = QGroupBox("Panels")
        layout = QVBoxLayout(box)
        for name, title in panel_titles().items():
            check = self.checks[name] = QCheckBox(title)
            check.setToolTip(f"Show the panel “{title}”")
            check.toggled.connect(self._tell)
            layout.addWidget(check)
            if name == "histogram":
                layout.addLayout(self._details({"Layer": self._filled_layers(layers)}, check))
            elif name == "perturbation":
                layout.addLayout(self._details({"Channels": self._filled_views(), "Gain": self._filled_gains()}, check))
        for name in NEEDS_RUN if self._source.entry is None else ():
            self._disable(self.checks[name], "There is no loss without an attack: run one, and open this again")
        if self._source.grown:
            why = "The image was grown from noise: it is no change of the clean one, so there is no perturbation to show"
            self._disable(self.checks["perturbation"], why)
        return box

    @staticmethod
    def _disable(check: QCheckBox, why: str) -> None:
        check.setEnabled(False)
        check.setToolTip(why)

    @staticmethod
    def _details(boxes: dict[str, QComboBox], check: QCheckBox) -> QFormLayout:
        form = QFormLayout()
        form.setContentsMargins(3 * theme.GRID, 0, 0, 0)
        for title, box in boxes.items():
            form.addRow(title, box)
            check.toggled.connect(box.setEnabled)
            box.setEnabled(False)
        return form

    def _filled_views(self) -> QComboBox:
        seen = self._source.view
        return self._filled(
            self.view,
            {f"As shown: {VIEWS[seen.channels]}": None, **{title: name for name, title in VIEWS.items()}},
            "View of the perturbation",
            "How the perturbation of a colour image is shown. As shown: as in the window when this was opened",
        )

    def _filled_gains(self) -> QComboBox:
        seen = self._source.view.gain
        now = "auto" if seen is None else f"×{seen:g}"
        gains = {f"×{gain}": float(gain) for gain in GAINS}
        return self._filled(
            self.gain,
            {f"As shown: {now}": None, "Auto: up to the largest change": 0.0, **gains},
            "Gain of the perturbation",
            "By how much the perturbation is amplified. What is off the scale then is said in the caption",
        )

    def _filled_layers(self, layers: Sequence[str]) -> QComboBox:
        names: dict[str, object] = {"Layer that changed the most": "", **{name: name for name in layers}}
        return self._filled(self.layer, names, "Layer of the histogram", "Which layer's activations the histogram shows")

    def _filled(self, box: QComboBox, items: dict[str, object], name: str, tip: str) -> QComboBox:
        for title, data in items.items():
            box.addItem(title, data)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(24)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.currentIndexChanged.connect(self._tell)
        return box

    def _page_box(self) -> QGroupBox:
        box = QGroupBox("Page")
        form = QFormLayout(box)
        widths: dict[str, object] = {f"{title}, {width:g} mm": width for title, width in WIDTHS.items()}
        form.addRow("Column", self._filled(self.preset, {**widths, "Free": None}, "Column", "Usual widths of a figure in a paper"))
        self.preset.activated.connect(self._take_preset)
        self._number(self.width_mm, (30, 500), " mm", "Width", "Width of the printed figure")
        self.width_mm.valueChanged.connect(self._show_preset)
        form.addRow("Width", self.width_mm)
        kinds: dict[str, object] = {title: name for name, title in FONTS.items()}
        form.addRow("Font", self._filled(self.font_kind, kinds, "Font", "The kind of type of all texts"))
        self._number(self.font_size, (5, 14), " pt", "Font size", "Size of the text in print: papers have 7 to 9 points")
        self.font_size.setSingleStep(0.5)
        form.addRow("Size", self.font_size)
        formats: dict[str, object] = dict(FORMATS)
        form.addRow("Format", self._filled(self.format, formats, "Format", "PDF and SVG keep text as text; PNG has 300 dots per inch"))
        self.flags = {name: self._flag(title, tip) for name, (title, tip) in _FLAGS.items()}
        for check in self.flags.values():
            form.addRow(check)
        if self._source.entry is None:
            self._disable(self.flags["arrays"], "Arrays belong to a finished run: run an attack, and open this again")
        return box

    def _number(self, box: QDoubleSpinBox, limits: tuple[float, float], unit: str, name: str, tip: str) -> None:
        box.setRange(*limits)
        box.setDecimals(1)
        box.setSuffix(unit)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(self._tell)

    def _flag(self, title: str, tip: str) -> QCheckBox:
        check = QCheckBox(title)
        check.setToolTip(tip)
        check.toggled.connect(self._tell)
        return check

    # ------------------------------------------------------------------ the plan

    @property
    def plan(self) -> FigurePlan:
        """The plan that the controls show."""
        seen, gain = self._source.view, self.gain.currentData()
        return FigurePlan(
            panels=tuple(name for name, check in self.checks.items() if check.isChecked() and check.isEnabled()),
            layer=self.layer.currentData() or "",
            view=self.view.currentData() or seen.channels,
            gain=seen.gain if gain is None else gain or None,
            width_mm=self.width_mm.value(),
            font=self.font_kind.currentData(),
            size=self.font_size.value(),
            **{name: check.isChecked() and check.isEnabled() for name, check in self.flags.items()},
        )

    @property
    def suffix(self) -> str:
        """The suffix of the chosen format."""
        suffix: str = self.format.currentData()
        return suffix

    def keep(self) -> None:
        """Keep the plan for the next figure."""
        keep_plan(self._settings, self.plan)
        self._settings.keep_text("figure/format", self.format.currentText())

    def _restore(self) -> None:
        plan = kept_plan(self._settings)
        for name, check in self.checks.items():
            check.setChecked(name in plan.panels)
        self.width_mm.setValue(plan.width_mm)
        self.font_kind.setCurrentIndex(self.font_kind.findData(plan.font))
        self.font_size.setValue(plan.size)
        self.format.setCurrentText(self._settings.text("figure/format", "PDF"))
        for name, check in self.flags.items():
            check.setChecked(getattr(plan, name))
        self._show_preset()

    @Slot()
    def _tell(self) -> None:
        if not self._quiet:
            self.changed.emit()

    @Slot()
    def _take_preset(self) -> None:
        width = self.preset.currentData()
        if width is not None:
            self.width_mm.setValue(width)

    @Slot()
    def _show_preset(self) -> None:
        widths = [*WIDTHS.values()]
        place = widths.index(self.width_mm.value()) if self.width_mm.value() in widths else len(widths)
        with QSignalBlocker(self.preset):
            self.preset.setCurrentIndex(place)


def kept_plan(settings: Settings) -> FigurePlan:
    """Return the plan of the last figure; the usual one where there was none, or where what was kept is no plan."""
    try:
        return FigurePlan.model_validate_json(settings.text("figure/plan", "{}"))
    except ValueError:
        return FigurePlan()


def keep_plan(settings: Settings, plan: FigurePlan) -> None:
    """Keep a plan for the next figure."""
    settings.keep_text("figure/plan", plan.model_dump_json())
