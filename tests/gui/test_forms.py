"""Every attack's form: built, driven to its limits, reset, and turned back into the attack; and what a person types."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QTreeWidgetItem

from engine.attacks import CATALOGUE
from gui.forms import Form, read_fields
from gui.forms import tree as rows
from gui.forms.editors import ChoiceEdit, FlagEdit
from gui.forms.form import BASIC, ROWS_AT_ONCE
from gui.forms.number_edit import NumberEdit
from gui.forms.tree import title_width
from gui.widgets.elided_combo import ElidedCombo
from tests.gui.driving import settle, until
from tests.gui.seen import messages

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from engine.parameters import Parameter
    from gui.forms.editors import Editor


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    made = Form()
    qtbot.addWidget(made)
    made.resize(320, 500)
    made.show()
    return made


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the rows made so far: an editor is what a row costs."""
    titles: list[str] = []
    make = rows.editor_for

    def counted(field: Parameter) -> Editor:
        titles.append(field.title)
        return make(field)

    monkeypatch.setattr(rows, "editor_for", counted)
    return titles


def retype(qtbot: QtBot, form: Form, name: str, text: str) -> NumberEdit:
    editor = form.editor(name)
    assert isinstance(editor, NumberEdit)
    editor.lineEdit().selectAll()
    qtbot.keyClick(editor.lineEdit(), Qt.Key.Key_Delete)
    qtbot.keyClicks(editor.lineEdit(), text)
    return editor


def others(field: Parameter) -> list[Any]:
    """Values at and near the limits, and the other choices."""
    if field.kind == "choice":
        return list(field.choices)
    if field.kind == "flag":
        return [True, False]
    if field.kind == "text":
        return ["somewhere/else.safetensors", ""]
    number = int if field.kind == "integer" else float
    low = field.low if field.low is not None else 1.0
    high = field.high if field.high is not None else 1.0
    inside = [number(low + (1 if field.kind == "integer" else 1e-3)) if field.open_low else number(low)]
    inside.append(number(high - (1 if field.kind == "integer" else 1e-3)) if field.open_high else number(high))
    return inside + ([None] if field.optional else [])


@pytest.mark.parametrize("slug", CATALOGUE)
def test_no_turn_of_the_event_loop_makes_more_than_a_few_rows(qtbot: QtBot, form: Form, slug: str, made: list[str]) -> None:
    """So that choosing an attack never holds the window for long. The operation is there from the first turn on."""
    form.set_operation(CATALOGUE[slug])
    assert form.operation == CATALOGUE[slug]()
    names, turns = [field.title for field in form.fields], 1
    while len(made) < len(names):
        assert len(made) == ROWS_AT_ONCE * turns
        with qtbot.waitSignal(form._next_rows.timeout):
            pass
        turns += 1
    assert made == names
    assert len(made) <= ROWS_AT_ONCE * turns


def test_a_form_out_of_sight_makes_its_rows_when_it_is_seen_again(form: Form, made: list[str]) -> None:
    form.set_operation(CATALOGUE["universal"])
    form.hide()
    settle()
    assert len(made) == ROWS_AT_ONCE < len(form.fields)
    form.show()
    until(lambda: len(made) == len(form.fields), "the other rows")


def test_who_asks_for_a_row_that_is_still_to_come_gets_it(form: Form, made: list[str]) -> None:
    form.set_operation(CATALOGUE["universal"])
    last = form.fields[-1]
    assert last.title not in made
    assert form.editor(last.name).accessibleName() == last.title
    height = form.tree.height()
    settle()
    assert len(made) == len(form.fields)
    assert form.tree.height() == height


@pytest.mark.parametrize("slug", CATALOGUE)
def test_every_attack_has_a_form_that_gives_it_back(form: Form, slug: str) -> None:
    attack = CATALOGUE[slug]
    form.set_operation(attack)
    assert form.operation == attack()
    assert {field.name for field in form.fields} == set(attack.model_fields)
    for field in form.fields:
        editor = form.editor(field.name)
        assert editor.accessibleName() == field.title
        assert field.doc
        assert field.doc in editor.toolTip()
        for value in others(field):
            form.set_values({field.name: value})
            assert form.editor(field.name).value() == value
            if form.operation is not None:
                assert getattr(form.operation, field.name) == value
                assert form.operation == attack.build(**form.values())
            else:
                assert form.error  # restarts without a random start: fields that exclude each other
            form.reset()
            assert form.operation == attack()


@pytest.mark.parametrize("slug", CATALOGUE)
def test_beyond_every_limit_there_is_a_sentence(form: Form, slug: str) -> None:
    form.set_operation(CATALOGUE[slug])
    for field in form.fields:
        beyond = [field.low - 1 if field.low is not None else None, field.high + 1 if field.high is not None else None]
        for value in (int(v) if field.kind == "integer" else v for v in beyond if v is not None):
            form.set_values({field.name: value})
            assert form.operation is None
            assert form.error.startswith(f"{field.title}: ")
            form.reset()
            assert form.error == ""


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [("4/255", 4 / 255, "4/255"), ("0.03", 0.03, "0.03"), ("5 %", 0.05, "0.05"), ("0.031372549019607843", 8 / 255, "8/255")],
)
def test_numbers_are_typed_as_people_write_them(qtbot: QtBot, form: Form, text: str, value: float, shown: str) -> None:
    form.set_operation(CATALOGUE["pgd"])
    with qtbot.waitSignal(form.changed):
        editor = retype(qtbot, form, "eps", text)
    assert form.operation is not None
    assert form.operation.eps == pytest.approx(value, rel=1e-15)
    qtbot.keyClick(editor.lineEdit(), Qt.Key.Key_Return)
    assert editor.lineEdit().text() == shown
    assert form.operation.eps == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "text"), [("eps", "-1"), ("eps", "eight"), ("eps", "8/0"), ("steps", "0"), ("steps", "many"), ("eps", "8")]
)
def test_nonsense_is_said_in_place(qtbot: QtBot, form: Form, name: str, text: str) -> None:
    form.set_operation(CATALOGUE["pgd"])
    retype(qtbot, form, name, text)
    assert form.operation is None
    assert messages(form) == [form.error] != [""]
    retype(qtbot, form, name, "1/255" if name == "eps" else "12")
    assert form.operation is not None
    assert messages(form) == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("steps", "1,000", 1000), ("steps", " 12 ", 12), ("steps", "1\u202f000", 1000), ("max_queries", "12,000", 12000), ("eps", ".5", 0.5)],
)
def test_groups_of_three_digits_may_be_told_apart(form: Form, name: str, text: str, value: float) -> None:
    form.set_operation(CATALOGUE["pgd"])
    form.editor(name)._on_edited(text)  # type: ignore[union-attr,call-arg]
    assert form.error == ""
    assert form.values()[name] == value


@pytest.mark.parametrize("text", ["1,5", "40,0", "1,00", "1,0000", "1.5", "40.0", "1_0", "4 0", "1,000,00", "0x10", "1e3"])
@pytest.mark.parametrize("name", ["steps", "max_queries", "restarts"])
def test_a_decimal_comma_is_never_dropped(form: Form, name: str, text: str) -> None:
    form.set_operation(CATALOGUE["pgd"])
    form.editor(name)._on_edited(text)  # type: ignore[union-attr,call-arg]
    assert form.operation is None
    assert form.error.startswith(f"{next(field.title for field in form.fields if field.name == name)}: ")
    assert "is no whole number. Write it as 40 or 1,000." in form.error
    assert form.values()[name] == text


@pytest.mark.parametrize("text", ["1,5", "1_0", "8/2/2", "0x1", "1,000", "8|255"])
def test_a_number_is_read_as_it_stands_or_refused(form: Form, text: str) -> None:
    form.set_operation(CATALOGUE["pgd"])
    form.editor("eps")._on_edited(text)  # type: ignore[union-attr,call-arg]
    assert form.error == f"eps: “{text}” is not a number. Write it as 0.03, 8/255 or 5 %."


def test_a_row_whose_value_is_refused_is_marked_until_it_is_mended(form: Form) -> None:
    form.set_operation(CATALOGUE["square"])
    form.set_values({"n_queries": 0})
    assert form.error == "queries: 0 is too small. The least is 1."
    item, other = (next(iter(form._parameters[name].items)) for name in ("n_queries", "eps"))
    assert item.foreground(0).color() != other.foreground(0).color()
    form.set_values({"n_queries": 10})
    assert item.foreground(0).color() == other.foreground(0).color()


def test_a_form_shows_choices_as_people_write_them(form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    norm, loss = form.editor("norm"), form.editor("loss")
    assert isinstance(norm, ChoiceEdit)
    assert isinstance(loss, ChoiceEdit)
    assert [norm.itemText(i) for i in range(norm.count())] == ["L∞", "L2", "L1"]
    assert loss.currentText() == "cross-entropy"
    assert (norm.value(), loss.value()) == ("linf", "ce")


def test_empty_is_automatic_and_says_what_that_is(qtbot: QtBot, form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    step_size = form.editor("step_size")
    assert isinstance(step_size, NumberEdit)
    assert step_size.lineEdit().placeholderText() == "auto: 0.5/255"
    retype(qtbot, form, "steps", "20")
    assert step_size.lineEdit().placeholderText() == "auto: 1/255"
    retype(qtbot, form, "steps", "0")
    assert step_size.lineEdit().placeholderText() == "2.5 * eps / steps"
    retype(qtbot, form, "steps", "20")
    retype(qtbot, form, "eps", "")
    assert form.operation is not None
    assert form.operation.eps is None
    eps = form.editor("eps")
    assert isinstance(eps, NumberEdit)
    assert eps.lineEdit().placeholderText() == "no limit"
    assert step_size.lineEdit().placeholderText() == "auto: 0.05"


def test_arrows_step_in_grey_levels(qtbot: QtBot, form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    eps = form.editor("eps")
    qtbot.keyClick(eps, Qt.Key.Key_Up)
    assert form.values()["eps"] == pytest.approx(9 / 255, rel=1e-9)
    assert eps.lineEdit().text() == "9/255"  # type: ignore[union-attr]
    for _ in range(40):
        qtbot.keyClick(eps, Qt.Key.Key_Down)
    assert 0 < form.values()["eps"] < 1 / 255
    assert form.operation is not None


def test_a_field_without_meaning_is_disabled(form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    assert not form.is_enabled("quantile")
    assert not form.editor("quantile").isEnabled()
    direction = form.editor("direction")
    assert isinstance(direction, ChoiceEdit)
    direction.setCurrentText("truncated")
    assert form.is_enabled("quantile")
    assert form.editor("quantile").isEnabled()


def test_a_row_is_reset_by_its_button(qtbot: QtBot, form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    retype(qtbot, form, "eps", "1/255")
    item = next(iter(form._parameters["eps"].items))
    assert item.defaultBtn.isVisible()
    qtbot.mouseClick(item.defaultBtn, Qt.MouseButton.LeftButton)
    assert form.operation == CATALOGUE["pgd"]()
    assert not item.defaultBtn.isVisible()


def test_flags_are_clicked(qtbot: QtBot, form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    flag = form.editor("random_start")
    assert isinstance(flag, FlagEdit)
    qtbot.keyClick(flag, Qt.Key.Key_Space)
    assert form.values()["random_start"] is False


def test_an_unknown_type_is_a_mistake_of_the_author() -> None:
    from engine.attacks import PGD

    class Odd(PGD):
        shape: complex = 1j
        """No editor."""

    with pytest.raises(TypeError, match="complex"):
        read_fields(Odd)


def test_all_rows_are_in_sight(form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    for field in form.fields:
        editor = form.editor(field.name)
        assert editor.isVisible()
        right = editor.mapTo(form, editor.rect().topRight()).x()
        assert right <= 320 - 20
        assert editor.width() >= editor.minimumSizeHint().width() or isinstance(editor, (FlagEdit, ChoiceEdit))


def test_another_norm_brings_its_usual_radius_unless_one_was_chosen(qtbot: QtBot, form: Form) -> None:
    form.set_operation(CATALOGUE["pgd"])
    norm = form.editor("norm")
    assert isinstance(norm, ChoiceEdit)
    norm.setFocus()
    qtbot.keyClick(norm, Qt.Key.Key_Down)
    assert (form.values()["norm"], form.values()["eps"]) == ("l2", 0.5)
    qtbot.keyClick(norm, Qt.Key.Key_Up)
    assert form.values()["eps"] == pytest.approx(8 / 255)
    form.set_values({"eps": 0.3})
    qtbot.keyClick(norm, Qt.Key.Key_Down)
    assert (form.values()["norm"], form.values()["eps"]) == ("l2", 0.3)


def test_two_classes_of_one_name_are_told_apart_in_a_label_chooser(qtbot: QtBot) -> None:
    from gui.widgets import LabelCombo

    combo, chosen = LabelCombo("any"), []
    qtbot.addWidget(combo)
    combo.chosen.connect(chosen.append)
    combo.set_labels(("crane", "dog", "crane"))
    assert [combo.itemText(index) for index in range(combo.count())] == ["any", "crane (0)", "dog", "crane (2)"]
    combo.setEditText("crane (2)")
    combo.lineEdit().editingFinished.emit()
    combo.setEditText("crane")
    combo.lineEdit().editingFinished.emit()
    assert chosen == [2]
    assert combo.unknown == "crane"


# ---------------------------------------------------------------------- folded parameters


@pytest.fixture
def folding(qtbot: QtBot) -> Form:
    made = Form(folds=True)
    qtbot.addWidget(made)
    made.resize(300, 600)
    made.show()
    return made


@pytest.mark.parametrize("slug", CATALOGUE)
def test_the_budget_is_open_and_the_rest_is_folded_and_counted(folding: Form, slug: str) -> None:
    folding.set_operation(CATALOGUE[slug])
    basic = [field for field in folding.fields if field.group == BASIC]
    rest = [field for field in folding.fields if field.group != BASIC]
    assert basic
    assert all(folding.editor(field.name).isVisible() for field in basic)
    assert not any(folding.editor(field.name).isVisible() for field in rest)
    assert folding.advanced.button.text() == f"Advanced ({len(rest)})"
    folding.advanced.button.click()
    settle()
    assert all(folding.editor(field.name).isVisible() for field in rest)


def test_changed_parameters_are_counted_and_a_refused_one_unfolds(folding: Form) -> None:
    folding.set_operation(CATALOGUE["pgd"])
    folding.set_values({"restarts": 3, "loss": "dlr"})
    assert folding.advanced.button.text() == "Advanced (10, 2 changed)"
    assert not folding.advanced.opened
    told: list[bool] = []
    folding.unfolded.connect(told.append)
    folding.set_values({"restarts": 0})
    assert folding.advanced.opened
    assert folding.editor("restarts").isVisible()
    assert told == []  # nobody has chosen that it stays open


def test_a_refused_field_is_marked_and_says_why(folding: Form) -> None:
    folding.set_operation(CATALOGUE["pgd"])
    eps, steps = folding.editor("eps"), folding.editor("steps")
    plain = eps.lineEdit().styleSheet()  # type: ignore[union-attr]
    folding.set_values({"eps": 300 / 255})
    assert "more than the whole range" in eps.toolTip()
    assert "more than the whole range" in eps.accessibleDescription()
    assert eps.lineEdit().styleSheet() != plain  # type: ignore[union-attr]
    assert "more than the whole range" not in steps.toolTip()
    folding.set_values({"eps": 8 / 255, "steps": "1.5"})
    assert eps.lineEdit().styleSheet() == plain  # type: ignore[union-attr]
    assert steps.toolTip().startswith("1.5 is no whole number")


def test_the_titles_keep_their_column_and_none_is_cut(folding: Form) -> None:
    """The column has one place in all attacks, under Advanced as above; a long title takes the lines that it needs."""
    places = set()
    for slug in CATALOGUE:
        folding.set_operation(CATALOGUE[slug])
        folding.unfold(True)
        settle()
        for field in folding.fields:
            editor = folding.editor(field.name)
            places.add(editor.mapTo(folding, editor.rect().topLeft()).x())
            (item,) = folding._parameters[field.name].items
            cell = item.treeWidget().visualItemRect(item)
            metrics = item.treeWidget().fontMetrics()
            written = metrics.boundingRect(0, 0, title_width(metrics), 1000, Qt.TextFlag.TextWordWrap, field.title)
            assert written.width() <= title_width(metrics), field.title
            assert written.height() <= cell.height(), field.title
    assert len(places) == 1


def test_a_choice_that_is_too_long_is_shortened_and_its_list_shows_all_of_it(folding: Form) -> None:
    folding.set_operation(CATALOGUE["pgd"])
    folding.unfold(True)
    settle()
    towards = folding.editor("towards")
    assert isinstance(towards, ElidedCombo)
    towards.setFixedWidth(90)
    settle()
    towards.showPopup()
    settle()
    view = towards.view()
    widest = max(view.fontMetrics().horizontalAdvance(towards.itemText(i)) for i in range(towards.count()))
    assert view.viewport().width() >= widest
    towards.hidePopup()


def test_no_object_stands_for_the_address_of_a_destroyed_tree(qtbot: QtBot) -> None:
    """A Python object of an item that Qt has destroyed would be taken for whatever Qt makes at its address, and the window would crash."""
    form = Form()
    form.set_operation(CATALOGUE["pgd"])
    settle()
    trees = form.findChildren(rows.Tree)  # held, as an attribute or a signal may hold it
    form.deleteLater()
    QCoreApplication.sendPostedEvents(form, QEvent.Type.DeferredDelete)
    assert not any(shiboken6.isValid(tree) for tree in trees)
    items = [each for each in gc.get_objects() if type(each) is QTreeWidgetItem]
    assert not any(shiboken6.isValid(item) and item.treeWidget() is None for item in items)
