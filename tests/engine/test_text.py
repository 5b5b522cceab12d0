"""Numbers as people write and read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import GibbonError
from engine.text.cards import accuracy_of, attacked_of, data_name
from engine.text.formatting import format_norm, format_number, format_probability, format_share
from engine.text.parsing import parse_number, parse_whole


@pytest.mark.parametrize(
    ("text", "value"),
    [("8/255", 8 / 255), (" 0.03 ", 0.03), ("5 %", 0.05), ("-1/4", -0.25), ("1e-3", 1e-3), (0.5, 0.5), ("0.5/255", 0.5 / 255)],
)
def test_numbers_are_read(text: str | float, value: float) -> None:
    assert parse_number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["eight", "1/0", "", "8/255/2", "inf", "nan"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(GibbonError, match="8/255"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1_0", "1,5", "0x10", "1e", "--1", "8/255_0", "5 % %", "٤", "1 000"])
def test_what_python_alone_would_read_is_refused(text: str) -> None:
    with pytest.raises(GibbonError, match="is not a number"):
        parse_number(text)


@pytest.mark.parametrize("value", [[1.0], {}, (1,), None, object(), True, 1 + 2j, b"1", 10**400], ids=lambda value: type(value).__name__)
def test_what_is_of_another_type_is_refused_in_a_sentence(value: object) -> None:
    for parse in (parse_number, parse_whole):
        if isinstance(value, int) and not isinstance(value, bool) and parse is parse_whole:
            continue
        with pytest.raises(GibbonError) as caught:
            parse(value)
        assert "<class" not in str(caught.value)
        assert "object at" not in str(caught.value)


@pytest.mark.parametrize(("text", "value"), [("40", 40), ("1,000", 1000), ("1\u202f000", 1000), (40.0, 40), (7, 7)])
def test_whole_numbers_are_read(text: object, value: int) -> None:
    assert parse_whole(text) == value


@pytest.mark.parametrize("parse", [parse_number, parse_whole])
@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_an_empty_text_is_called_empty(parse: Callable[[object], object], nothing: object) -> None:
    with pytest.raises(GibbonError, match=r"^it is empty"):
        parse(nothing)


@pytest.mark.parametrize("text", ["1,5", "40,0", "1.000", "40.0", "1,00", "12,34,567", "1_0", "9" * 5000, 1.5, float("nan")])
def test_what_is_no_whole_number_is_refused(text: object) -> None:
    with pytest.raises(GibbonError, match="is no whole number"):
        parse_whole(text)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_with_separators_read_back(value: int) -> None:
    assert parse_whole(f"{value:,}") == parse_whole(str(value)) == value


@given(st.floats(1e-4, 100))
def test_what_is_written_reads_back(value: float) -> None:
    assert parse_number(format_number(value)) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8 / 255, "8/255"),
        (0.5 / 255, "0.5/255"),
        (0.3, "0.3"),
        (1.0, "1"),
        (31 / 255, "31/255"),
        (12.5 / 255, "12.5/255"),
        (9.25 / 255, "9.25/255"),
        (32.5 / 255, "0.12745"),
        (0.05, "0.05"),
    ],
)
def test_grey_levels_are_written_as_such(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.9981, "99.8 %"), (0.99998, "> 99.9 %"), (1.0, "> 99.9 %"), (0.0, "< 0.1 %"), (1e-5, "< 0.1 %"), (0.5, "50.0 %")]
)
def test_probabilities_are_never_rounded_to_certainty(p: float, text: str) -> None:
    assert format_probability(p) == text


@pytest.mark.parametrize(("share", "text"), [(1.0, "100.0 %"), (0.0, "0.0 %"), (0.99998, "> 99.9 %"), (1e-5, "< 0.1 %"), (0.5, "50.0 %")])
def test_a_share_is_all_or_none_where_it_is_exactly_that(share: float, text: str) -> None:
    assert format_share(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1230"),
        (0.031372, "0.0314"),
        (1.5682, "1.57"),
        (83.23, "83.2"),
        (0, "0"),
        (1024, "1020"),
        (9.999, "10"),
        (1.2e-5, "0.000012"),
    ],
)
def test_norms_have_three_digits_and_no_power_of_ten(value: float, text: str) -> None:
    assert format_norm(value) == text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        *(("generated:digits", "drawn digits"), ("generated:signs", "drawn signs"), ("generated:signs:1", "drawn signs, 1")),
        *(
            ("gtsrb:train", "GTSRB"),
            ("cifar10", "CIFAR-10"),
            ("folder:/home/me/secret", "a folder of images"),
            ("its data set", "its data set"),
        ),
    ],
)
def test_a_data_set_is_named_by_its_title(name: str, title: str) -> None:
    assert data_name(name) == title


def test_an_accuracy_names_its_test_set() -> None:
    assert accuracy_of({"accuracy": 0.98, "data_set": "generated:signs"}) == "98.00 % on drawn signs' test set"
    assert accuracy_of({"accuracy": 0.98, "data_set": "mnist"}) == "98.00 % on MNIST's test set"
    held = {"images": 1200, "clean": 0.975}
    assert accuracy_of({"held_out": held, "data_set": "mnist"}) == "97.5 % of 1,200 held-out images"
    assert accuracy_of({"held_out": held, "accuracy": 0.98, "data_set": "mnist"}) == "98.00 % on MNIST's test set"
    assert attacked_of({"held_out": held}) == ""
    attack = {"attacked": 0.5, "attack": "PGD-10 at L∞ 0.3", "attacked_images": 256}
    assert attacked_of({"held_out": {**held, **attack}}) == "50.0 % of 256 held-out images under PGD-10 at L∞ 0.3"
    assert attacked_of({"held_out": {**held, **attack}, "attacked": 0.25, "attack": "PGD-40 at L∞ 0.3"}) == "25.0 % under PGD-40 at L∞ 0.3"


@pytest.mark.parametrize(("value", "text"), [(8 / 255, "8/255"), (0.03137257, "8/255"), (0.05, "0.05"), (0.0, "0"), (1.0, "255/255")])
def test_a_largest_change_is_said_in_grey_levels_where_it_is_a_whole_number_of_them(value: float, text: str) -> None:
    from engine.text.formatting import format_linf

    assert format_linf(value) == text
