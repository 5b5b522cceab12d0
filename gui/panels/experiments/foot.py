"""RunFoot: the foot of the Experiments dock, with a message, the progress, and the buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets import ElidedLabel, Message
from gui.widgets.progress_bar import ProgressBar

_FINE = 1000


class RunFoot(QWidget):
    """A message with the buttons that help, the progress, and the buttons to save, cancel and run. The panel connects the buttons."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = Message(self)
        self.folder_button = QPushButton(theme.icon("mdi6.folder-search-outline"), "Data folder…", self)
        self.folder_button.setToolTip("Choose the folder that holds the data sets, in the form that torchvision leaves them")
        self.download_button = QPushButton(theme.icon("mdi6.download-outline"), "Download…", self)
        self.download_button.setToolTip("Fetch the weights that this experiment needs; what, from where and how much is asked first")
        self.bar = ProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the experiment")
        self.news = ElidedLabel("", self)
        self.save_button = QPushButton(theme.icon("mdi6.file-export-outline"), "Save…", self)
        self.save_button.setToolTip("Write the figure (PDF) and the table (JSON) into a folder")
        self.cancel_button = QPushButton(theme.icon("mdi6.stop"), "Cancel", self)
        self.cancel_button.setToolTip("End it at its next step; nothing is kept of it")
        self.run_button = theme.primary(QPushButton("Run", self), "mdi6.play")
        self.run_button.setMinimumWidth(16 * theme.GRID)
        self.run_button.setDefault(True)
        self._arrange()

    def _arrange(self) -> None:
        message_row, buttons = QHBoxLayout(), QHBoxLayout()
        message_row.addWidget(self.message, 1)
        for button in (self.folder_button, self.download_button):
            message_row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        buttons.addWidget(self.news, 1)
        for button in (self.save_button, self.cancel_button, self.run_button):
            buttons.addWidget(button)
        for button in (self.folder_button, self.download_button, self.save_button, self.cancel_button):
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        column.addLayout(message_row)
        column.addWidget(self.bar)
        column.addLayout(buttons)

    def show_progress(self, news: str, share: float | None) -> None:
        """Show the current stage and the share that is done; None shows a bar without an end."""
        self.news.setText(news)
        self.bar.setRange(0, 0 if share is None else _FINE)
        self.bar.setValue(round(_FINE * (share or 0)))
