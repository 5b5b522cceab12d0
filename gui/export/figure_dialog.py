"""FigureDialog: chooses a figure's panels, width and format, shows a preview, and exports the figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.export.figure_plan import NEEDS_RUN, WIDTHS, FigurePlan, FigureSource, preview, write_figure
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.settings import Settings

_EXPORT_TIP = "Choose a file and write the figure, with a JSON file beside it that says how to make it again"
FORMATS = {"PDF": ".pdf", "SVG": ".svg", "PNG, 300 dpi": ".png"}


class FigureDialog(QDialog):
    """The dialog with the choices at the left and a preview at the right. It keeps the run or canvas that was shown when it opened."""

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._settings = session, settings
        self.source = source_of(session)
        self._pixmap = QPixmap()
        self.setWindowTitle("Export figure")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[2 * theme.GRID] * 4)
        row.setSpacing(2 * theme.GRID)
        row.addLayout(self._choices())
        row.addWidget(self._preview(), 1)
        self._restore()
        self.resize(980, 620)
        self._refresh()

    # ------------------------------------------------------------------ building

    def _choices(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.addWidget(self._panel_box())
        column.addWidget(self._page_box())
        column.addStretch(1)
        self.export_button = theme.primary(QPushButton("Export…"), "mdi6.file-export-outline")
        self.export_button.setToolTip(_EXPORT_TIP)
        self.export_button.setDefault(True)
        self.export_button.clicked.connect(self._choose_file)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(close)
        buttons.addWidget(self.export_button, 1)
        column.addLayout(buttons)
        return column

    @property
    def _grown(self) -> bool:
        """Whether the shown run's image was grown from noise."""
        return self.source.entry is not None and self.source.entry.scene.grown

    def _panel_box(self) -> QGroupBox:
        box = QGroupBox("Panels")
        layout = QVBoxLayout(box)
        from engine.figures import panel_titles

        self.checks: dict[str, QCheckBox] = {}
        for name, title in panel_titles().items():
            check = self.checks[name] = QCheckBox(title)
            check.setToolTip(f"Show the panel “{title}”")
            if name in NEEDS_RUN and self.source.entry is None:
                check.setEnabled(False)
                check.setToolTip("There is no loss without an attack: run one, and open this again")
            if name == "perturbation" and self._grown:
                check.setEnabled(False)
                check.setToolTip("The image was grown from noise: it is no change of the clean one, so there is no perturbation to show")
            check.toggled.connect(self._refresh)
            layout.addWidget(check)
            if name == "histogram":
                layout.addLayout(self._layer_row(check))
            elif name == "perturbation":
                layout.addLayout(self._view_row(check))
        return box

    def _view_row(self, check: QCheckBox) -> QHBoxLayout:
        from engine.perturbation_view import VIEWS

        self.view = QComboBox()
        for name, title in VIEWS.items():
            self.view.addItem(title, name)
        self.view.setAccessibleName("View of the perturbation")
        self.view.setToolTip("How the perturbation of a colour image is shown")
        self.view.currentIndexChanged.connect(self._refresh)
        check.toggled.connect(self.view.setEnabled)
        self.view.setEnabled(False)
        row = QHBoxLayout()
        row.setContentsMargins(3 * theme.GRID, 0, 0, 0)
        row.addWidget(self.view)
        return row

    def _layer_row(self, check: QCheckBox) -> QHBoxLayout:
        self.layer = QComboBox()
        self.layer.addItem("Layer that changed the most", "")
        frame = self._session.frame
        for activity in frame.observation.layers if frame is not None else ():
            self.layer.addItem(activity.site.name, activity.site.name)
        self.layer.setAccessibleName("Layer of the histogram")
        self.layer.setToolTip("Which layer's activations the histogram shows")
        self.layer.currentIndexChanged.connect(self._refresh)
        check.toggled.connect(self.layer.setEnabled)
        self.layer.setEnabled(False)
        row = QHBoxLayout()
        row.setContentsMargins(3 * theme.GRID, 0, 0, 0)
        row.addWidget(self.layer)
        return row

    def _page_box(self) -> QGroupBox:
        box = QGroupBox("Page")
        form = QFormLayout(box)
        self.preset = QComboBox()
        for title, width in WIDTHS.items():
            self.preset.addItem(f"{title}, {width:g} mm", width)
        self.preset.addItem("Free", None)
        self.preset.setToolTip("Usual widths of a figure in a paper")
        self.preset.activated.connect(self._take_preset)
        self.width_mm = QDoubleSpinBox()
        self.width_mm.setRange(30, 500)
        self.width_mm.setDecimals(1)
        self.width_mm.setSuffix(" mm")
        self.width_mm.setToolTip("Width of the printed figure")
        self.width_mm.valueChanged.connect(self._show_preset)
        self.format = QComboBox()
        self.format.addItems(list(FORMATS))
        self.format.setToolTip("PDF and SVG keep text as text; PNG has 300 dots per inch")
        self.letters = self._check("Letter the panels a, b, c", "A letter before each title, to be named in the text")
        self.note = self._check("Model and attack in small print", "A line below: model, attack with every parameter, seed")
        self.dark = self._check("Light on dark, for slides", "Light text on dark paper")
        self.arrays = self._check(
            "Arrays beside it (.npz)", "Clean, adversarial, perturbation, logits and mask, to be read with numpy.load"
        )
        if self.source.entry is None:
            self.arrays.setEnabled(False)
            self.arrays.setToolTip("Arrays belong to a finished run: run an attack, and open this again")
        form.addRow("Column", self.preset)
        form.addRow("Width", self.width_mm)
        form.addRow("Format", self.format)
        for check in (self.letters, self.note, self.dark, self.arrays):
            form.addRow(check)
        return box

    def _check(self, title: str, tip: str) -> QCheckBox:
        check = QCheckBox(title)
        check.setToolTip(tip)
        check.toggled.connect(self._refresh)
        return check

    def _preview(self) -> QWidget:
        self.picture = QLabel("Composing the figure…")  # matplotlib's list of fonts, made once, takes seconds
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName("Preview of the figure")
        self.picture.setWordWrap(True)
        self.area = QScrollArea()
        self.area.setWidget(self.picture)
        self.area.setWidgetResizable(True)
        self.area.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.size_label = QLabel()
        self.size_label.setForegroundRole(self.size_label.palette().ColorRole.PlaceholderText)
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(ElidedLabel(self.source.title))
        layout.addWidget(self.area, 1)
        layout.addWidget(self.size_label)
        return side

    # ------------------------------------------------------------------ choices

    @property
    def plan(self) -> FigurePlan:
        """The plan that the controls show."""
        return FigurePlan(
            panels=tuple(name for name, check in self.checks.items() if check.isChecked() and check.isEnabled()),
            layer=self.layer.currentData() or "",
            view=self.view.currentData(),
            width_mm=self.width_mm.value(),
            dark=self.dark.isChecked(),
            letters=self.letters.isChecked(),
            note=self.note.isChecked(),
            arrays=self.arrays.isChecked() and self.arrays.isEnabled(),
        )

    def _restore(self) -> None:
        plan = FigurePlan()
        kept = self._settings.text("figure/panels", ",".join(plan.panels)).split(",")
        for name, check in self.checks.items():
            check.setChecked(name in kept)
        self.width_mm.setValue(float(self._settings.text("figure/width_mm", str(plan.width_mm)) or plan.width_mm))
        self.view.setCurrentIndex(max(0, self.view.findData(self._settings.text("figure/view", plan.view))))
        self._show_preset()
        self.format.setCurrentText(self._settings.text("figure/format", "PDF"))
        for name, check in self._flags().items():
            check.setChecked(self._settings.text(f"figure/{name}", str(getattr(plan, name))) == "True")

    def _keep(self) -> None:
        self._settings.keep_text("figure/panels", ",".join(name for name, check in self.checks.items() if check.isChecked()))
        self._settings.keep_text("figure/width_mm", str(self.width_mm.value()))
        self._settings.keep_text("figure/format", self.format.currentText())
        self._settings.keep_text("figure/view", self.view.currentData())
        for name, check in self._flags().items():
            self._settings.keep_text(f"figure/{name}", str(check.isChecked()))

    def _flags(self) -> dict[str, QCheckBox]:
        return {"letters": self.letters, "note": self.note, "dark": self.dark, "arrays": self.arrays}

    @Slot()
    def _take_preset(self) -> None:
        width = self.preset.currentData()
        if width is not None:
            self.width_mm.setValue(width)

    @Slot()
    def _show_preset(self) -> None:
        widths = [*WIDTHS.values()]
        place = widths.index(self.width_mm.value()) if self.width_mm.value() in widths else len(widths)
        self.preset.setCurrentIndex(place)
        self._refresh()

    # ------------------------------------------------------------------ preview and export

    @Slot()
    def _refresh(self) -> None:
        plan = self.plan
        self.export_button.setEnabled(bool(plan.panels))
        self.export_button.setToolTip(_EXPORT_TIP if plan.panels else "Choose at least one panel")
        if not plan.panels:
            self._pixmap = QPixmap()
            self.picture.clear()
            self.picture.setText("Choose at least one panel.")
            self.size_label.clear()
            return
        source, width = self.source, round(self._room() * self.devicePixelRatioF())
        what = "Composing the figure"
        self._session.ask("figure", lambda: preview(source, plan, width), self._show, what=what, failed=self._show_error, quiet=True)

    def _room(self) -> int:
        return max(300, self.area.viewport().width() - 2 * theme.GRID)

    def _show_error(self, sentence: str) -> None:
        """Show an error's sentence in place of the preview."""
        if shiboken6.isValid(self):  # the dialog may be closed by now
            self.picture.setText(sentence)

    def _show(self, png: bytes) -> None:
        if not shiboken6.isValid(self) or not self.plan.panels:
            return  # the dialog was closed meanwhile, or its last panel was taken off
        self._pixmap = QPixmap()
        self._pixmap.loadFromData(png)
        self._pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.picture.setPixmap(self._pixmap)
        high = self.width_mm.value() * self._pixmap.height() / max(1, self._pixmap.width())
        self.size_label.setText(f"Printed at {self.width_mm.value():g} × {high:.0f} mm")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.isVisible():
            self._refresh()

    @Slot()
    def _choose_file(self) -> None:
        suffix = FORMATS[self.format.currentText()]
        entry = self.source.entry
        image = entry.image if entry is not None else self.source.image
        stem = Path(str(image.get("name", "image"))).stem + (f"-{entry.result.operation.slug}" if entry is not None else "")
        start = self._settings.folder("figures") / f"{stem}{suffix}"
        path, _ = QFileDialog.getSaveFileName(self, "Export figure", str(start), f"{self.format.currentText()} (*{suffix})")
        if path:
            self.export_to(Path(path) if path.lower().endswith(suffix) else Path(path + suffix))

    def export_to(self, path: Path) -> None:
        """Export the figure to a file; the messages and the status bar name it."""
        self._settings.keep_folder("figures", path.parent)
        self._keep()
        session, source, plan = self._session, self.source, self.plan

        def then(files: list[Path]) -> None:
            session.log("info", f"Exported {', '.join(str(file) for file in files)}")
            session.notice.emit(f"The figure is in {path}")
            if shiboken6.isValid(self):
                self.accept()

        what = f"Exporting {path.name}"
        session.ask(
            "export", lambda: write_figure(source, plan, path), then, what=what, failed=self._show_error, busy=f"{what}…", keep=True
        )


def source_of(session: Session) -> FigureSource:
    """Return the finished run that is shown, else the canvas, as the source of a figure."""
    entry = session.history.shown
    # Bounds belong to the present model; another model has no such layers.
    bounds = dict(session.bounds) if entry is not None and entry.result.classifier is session.classifier else {}
    return FigureSource(entry, session.frame, session.label, dict(session.image), bounds, session.explanations)
