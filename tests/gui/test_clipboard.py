"""Files and images in what is pasted or dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl

from gui.clipboard import local_files


def text(content: str) -> QMimeData:
    mime = QMimeData()
    mime.setText(content)
    return mime


def test_files_and_paths_as_text_are_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a sign.png", tmp_path / "b.json"
    for path in (first, second):
        path.write_bytes(b"x")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(first)), QUrl("https://example.org/cat.png")])
    assert local_files(mime) == [str(first)]
    assert local_files(text(str(first))) == [str(first)]
    assert local_files(text(f"  '{first}'\n")) == [str(first)]
    assert local_files(text(f"{first}\n\n{second}\n")) == [str(first), str(second)]
    assert local_files(text(QUrl.fromLocalFile(str(first)).toString())) == [str(first)]


@pytest.mark.parametrize(
    "content", ["", "some words", "a.png", "/", "/nowhere/a.png", "x" * 100_000, "/" + "x" * 4000, "/a\0b", "https://example.org/a.png"]
)
def test_other_texts_are_none(content: str) -> None:
    assert local_files(text(content)) == []


def test_a_path_beside_words_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    assert local_files(text(f"see\n{path}")) == []


def test_an_empty_clipboard_has_no_files() -> None:
    assert local_files(None) == []
