"""Files that a panel writes: in the engine's thread, never dropped, and named when they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.session.session import Session


def write_files(session: Session, write: Callable[[], list[Path]], what: str, failed: Callable[[str], None]) -> None:
    """Call ``write``, and name the files that it returns in the messages and the status bar.

    ``what`` says what is done, such as "Writing the table"; ``failed`` receives the sentence if it cannot be done.
    """

    def then(files: list[Path]) -> None:
        sentence = f"Wrote {', '.join(file.name for file in files)} into {files[0].parent}."
        session.log("info", sentence)
        session.notice.emit(sentence)

    session.ask("export", write, then, what=what, failed=failed, keep=True)
