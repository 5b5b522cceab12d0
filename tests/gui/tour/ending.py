"""The tour's stage of what went wrong: a file that is no image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.shell.actions.file import open_path
from tests.gui.driving import settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def error(tour: Tour) -> None:
    tour.error_expected = True
    broken = tour.out / "not-an-image.png"
    broken.write_text("<html>This is a web page.</html>")
    said: list[str] = []
    tour.session.notice.connect(said.append)
    open_path(tour.window, broken)
    until(lambda: said, "the error")
    settle()
    tour.picture("error")
    broken.unlink()


STAGES = (error,)
