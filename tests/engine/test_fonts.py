"""Names in any script: set in a font of this machine that has them, or boxes with one sentence, and never a library's warning."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.figures import ImagePanel, boxes_in, compose, export
from engine.figures.fonts import drawable, families, families_for, forget_fonts, missing_glyphs
from engine.figures.style import wrap

STRANGE = "\U0001f6d1"
"""A road sign among the emoji; of private use, a character that no font has by agreement, stands beside it."""
NOWHERE = "\ue9a3"


@pytest.fixture
def signs(tmp_path: Path) -> Iterator[str]:
    """The name of a font that is installed for the while, and has two characters of its own: 停 and a road sign."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from matplotlib.font_manager import fontManager

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (500, 700), (500, 0)):
        pen.lineTo(corner)
    pen.closePath()
    shape = pen.glyph()
    names = [".notdef", "stop", "meem", "sign"]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord("停"): "stop", ord("م"): "meem", ord(STRANGE): "sign"})
    font.setupGlyf(dict.fromkeys(names, shape))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 100)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Gibbon Test Sans", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=800, usWeightClass=400)
    font.setupPost()
    path = tmp_path / "signs.ttf"
    font.save(path)
    before = list(fontManager.ttflist)
    fontManager.addfont(path)
    forget_fonts()
    yield "Gibbon Test Sans"
    fontManager.ttflist[:] = before
    forget_fonts()


def test_plain_names_are_set_as_before() -> None:
    for text in ("Stop", "Zürich – L∞ 8/255", "a\nb", "стоп", "στοπ", ""):
        assert families_for(text) == families()
        assert drawable(text) == text
        assert missing_glyphs([text]) == ""


def test_a_font_that_has_the_characters_is_found(signs: str) -> None:
    for text in ("停", "stop 停", STRANGE):
        assert families_for(text)[-1] == signs
        assert families_for(text)[:-1] == families()
        assert drawable(text) == text
        assert missing_glyphs([text]) == ""


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_a_figure_in_any_script_warns_of_nothing(signs: str, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    panel = ImagePanel(title="停", caption=f"م 99 %\n{STRANGE} {NOWHERE}", image=torch.rand(3, 8, 8).numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = compose([panel], width_mm=85, note=f"Model 停 {NOWHERE}.")
        export(figure, tmp_path / f"figure.{kind}", {})
    assert boxes_in(figure) == (
        f"No font of this machine has {NOWHERE}: the figure shows a box for each. Install a font that has them, such as Noto Sans."
    )
    assert not caplog.records
    if kind == "svg":
        text = (tmp_path / "figure.svg").read_text("utf-8")
        assert "停" in text
        assert signs in text
        assert NOWHERE not in text


def test_without_a_font_there_are_boxes_and_one_sentence(tmp_path: Path) -> None:
    names = "停车限速让行" + NOWHERE
    lacking = [character for character in names if missing_glyphs([character])]
    assert NOWHERE in lacking
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = compose([ImagePanel(title=names, caption=names, image=torch.rand(3, 8, 8).numpy())], width_mm=85)
        export(figure, tmp_path / "figure.pdf", {})
    assert all(character in boxes_in(figure) for character in lacking)
    assert "\N{WHITE SQUARE}" in drawable(names)


def test_marks_without_a_look_are_no_boxes() -> None:
    assert drawable("a\N{ZERO WIDTH JOINER}b\N{VARIATION SELECTOR-16}") in ("ab", "a\N{ZERO WIDTH JOINER}b\N{VARIATION SELECTOR-16}")
    assert missing_glyphs(["\N{VARIATION SELECTOR-16}"]) == ""


def test_a_figure_of_known_names_has_no_boxes() -> None:
    assert boxes_in(compose([ImagePanel(title="Stop", caption="", image=torch.rand(3, 8, 8).numpy())], width_mm=85)) == ""


def test_wrapped_lines_keep_their_characters() -> None:
    assert "".join(wrap(f"{NOWHERE}停" * 30, 20)) == f"{NOWHERE}停" * 30
