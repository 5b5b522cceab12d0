"""What is written once of a parameter is complete: every field of every operation has a group, a docstring, a unit, words for None."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic import Field as PydanticField

from engine.attacks import CATALOGUE, PGD
from engine.defenses import Train
from engine.defenses.objectives import CATALOGUE as OBJECTIVES
from engine.defenses.preprocessing import CATALOGUE as PREPROCESSING
from engine.errors import BadParameters, GibbonError
from engine.operation import Operation
from engine.parameters import Parameter, budget, method, parameters_of
from engine.refusals import reason
from engine.reproduce import CATALOGUE as EXPERIMENTS
from engine.text.formatting import without_markup

OPERATIONS: dict[str, type[Operation]] = {**CATALOGUE, **EXPERIMENTS, Train.slug: Train}
FIELDS = [(slug, name) for slug, kind in OPERATIONS.items() for name in kind.model_fields]
RAW = {"ce", "dlr", "linf", "l2", "l1", "l0", "stable-ce", "targeted-dlr", "prob_linear", "label or target"}


@pytest.mark.parametrize(("slug", "name"), FIELDS)
def test_every_parameter_says_all_that_is_asked_of_it(slug: str, name: str) -> None:
    parameter = parameters_of(OPERATIONS[slug])[name]
    assert parameter.group
    assert parameter.doc
    assert parameter.title
    assert "_" not in parameter.title
    assert not parameter.title.startswith("n ")
    assert bool(parameter.none_text) == parameter.optional
    if parameter.group in ("Budget", "Limits") and parameter.kind in ("number", "integer"):
        assert parameter.unit
    assert not RAW & set(parameter.choice_titles)
    assert len(set(parameter.choice_titles)) == len(parameter.choices)


@pytest.mark.parametrize("kind", [*OPERATIONS.values(), *OBJECTIVES.values(), *PREPROCESSING.values()])
def test_no_tool_tip_has_the_markup_of_a_docstring(kind: type[BaseModel]) -> None:
    for parameter in parameters_of(kind).values():
        assert "`" not in parameter.tip, parameter.name


def test_code_in_a_docstring_is_read_in_quotation_marks() -> None:
    assert without_markup("As `engine.run` does: ``eps=8/255``, not ``a``.") == "As engine.run does: “eps=8/255”, not “a”."
    assert "“gaussian sigma=0.3 + label-smoothing”" in parameters_of(Train)["recipe"].tip


@pytest.mark.parametrize("slug", OPERATIONS)
def test_what_a_parameter_refers_to_is_there(slug: str) -> None:
    kind = OPERATIONS[slug]
    known = parameters_of(kind)
    for parameter in known.values():
        assert not parameter.automatic or hasattr(kind(), parameter.automatic)
        for other, values in parameter.when:
            assert not known[other].choices or set(values) <= set(known[other].choices)
        for other, value, mine in parameter.usual:
            assert getattr(kind.build(**{other: value, parameter.name: mine}), parameter.name) == mine


@pytest.mark.parametrize("slug", OPERATIONS)
def test_no_two_parameters_of_an_operation_read_alike(slug: str) -> None:
    titles = [parameter.title for parameter in parameters_of(OPERATIONS[slug]).values()]
    assert len(set(titles)) == len(titles)


def test_a_declaration_is_read_back_as_it_was_written() -> None:
    class Own(PGD):
        share: float | None = budget(0.5, gt=0, le=1, unit="of all", none="all of it", title="part", automatic="length")
        """A share."""
        way: str = method("x", file=True, when={"norm": ["linf", "l2"], "share": 0.5})
        """A file."""
        place: Path | None = method(None, none="nowhere", exclude=True)
        """A folder."""

    share, way, place = (parameters_of(Own)[name] for name in ("share", "way", "place"))
    assert share == Parameter(
        name="share",
        kind="number",
        default=0.5,
        group="Budget",
        title="part",
        doc="A share.",
        optional=True,
        none_text="all of it",
        low=0.0,
        high=1.0,
        open_low=True,
        unit="of all",
        automatic="length",
    )
    assert share.limits == "above 0 up to 1"
    assert share.shown(None) == "all of it"
    assert (way.is_file, way.when) == (True, (("norm", ("linf", "l2")), ("share", (0.5,))))
    assert way.applies({"norm": "l2", "share": 0.5})
    assert not way.applies({"norm": "l1", "share": 0.5})
    assert (place.is_file, place.recorded) == (True, False)


def test_a_choice_reads_as_people_write_it_and_keeps_its_name_in_the_record() -> None:
    norm = parameters_of(PGD)["norm"]
    assert norm.shown("linf") == "L∞"
    assert PGD(norm="linf").model_dump()["norm"] == "linf"


# ---------------------------------------------------------------- refusals


VALUES: list[Any] = [[1], {"a": 1}, (1, 2), object(), b"8", 1 + 2j, "nonsense", "", [[[]]], {1, 2}, "1,5", "1_0", float("nan"), 10**400]


@pytest.mark.parametrize(("slug", "name"), FIELDS)
def test_whatever_a_parameter_is_given_it_is_taken_or_refused_in_our_words(slug: str, name: str) -> None:
    parameter = parameters_of(OPERATIONS[slug])[name]
    for value in VALUES:
        try:
            built = OPERATIONS[slug].build(**{name: value})
        except GibbonError as error:
            said = str(error)
            assert said.endswith((".", "?"))
            assert not any(word in said for word in ("<class", "object at", "nput should", "Value error", "pydantic", "valid "))
        else:
            assert parameter.kind in ("text", "choice", "flag", "integer", "parts") or isinstance(getattr(built, name), float)


@pytest.mark.parametrize(("slug", "name"), FIELDS)
def test_beyond_its_limits_a_parameter_names_them(slug: str, name: str) -> None:
    parameter = parameters_of(OPERATIONS[slug])[name]
    for value, words in ((parameter.low, "too small"), (parameter.high, "too large")):
        if value is not None:
            beyond = value - 1 if words == "too small" else value + 1
            with pytest.raises(BadParameters) as caught:
                OPERATIONS[slug].build(**{name: int(beyond) if parameter.kind == "integer" else beyond})
            assert words in caught.value.problems[name]
            assert str(caught.value).startswith(f"{name}: ")


def test_a_mistyped_choice_is_corrected() -> None:
    with pytest.raises(BadParameters, match=r"norm: “linff” is none of linf, l2, l1. Did you mean linf\?"):
        PGD.build(norm="linff")


@pytest.mark.parametrize(("slug", "name"), FIELDS)
def test_a_choice_that_is_none_is_refused_with_all_that_are(slug: str, name: str) -> None:
    parameter = parameters_of(OPERATIONS[slug])[name]
    if parameter.kind == "choice":
        with pytest.raises(BadParameters) as caught:
            OPERATIONS[slug].build(**{name: "zzz"})
        assert f"“zzz” is none of {', '.join(map(str, parameter.choices))}." in str(caught.value)


class _Odd(BaseModel):
    whole: int = 0
    numbers: tuple[float, ...] = ()
    names: dict[str, int] = {}
    place: Path = Path()
    inner: Parameter | None = None
    bits: bytes = b""
    one: float = PydanticField(0.0, multiple_of=2)


@pytest.mark.parametrize("field", _Odd.model_fields)
@pytest.mark.parametrize(
    "value",
    ["x", [object()], {"a": "b"}, 3.5, None, object()],
    ids=["text", "objects", "mapping", "float", "none", "object"],
)
def test_no_type_of_error_speaks_in_the_library_s_words(field: str, value: object) -> None:
    try:
        _Odd.model_validate({field: value})
    except ValidationError as error:
        for item in error.errors():
            said = reason(item)
            assert said.endswith(".")
            assert not any(word in said for word in ("nput should", "<class", "object at", "Value error"))


def test_reading_parameters_costs_little() -> None:
    started = time.thread_time()
    for _ in range(200):
        PGD(eps=0.1, steps=3)
    assert (time.thread_time() - started) / 200 < 0.5e-3


def test_a_value_is_told_with_a_unit_that_says_more_than_its_title() -> None:
    def told(kind: type, name: str, value: object) -> str:
        return parameters_of(kind)[name].told(value)

    assert told(PGD, "share", 0.01) == "0.01 of all values"
    assert told(PGD, "eps", 8 / 255) == "8/255"
    assert told(PGD, "eps", 0.5) == "0.5 of [0, 1]"
    assert told(PGD, "eps", None) == "no limit"
    assert told(PGD, "steps", 40) == "40"
    assert told(PGD, "max_queries", 500) == "500 rows"
    assert told(PGD, "random_start", True) == "yes"
    assert told(CATALOGUE["cw-l2"], "confidence", 2.0) == "2 logits"


_VAGUE = {
    *("share", "quantile", "activation", "augment", "sign", "slope", "fresh", "L1 step", "eight bit", "box", "clipped step", "refine"),
    *("gamma", "first gamma", "last gamma", "theta", "alpha", "rho", "lambda", "cap", "enough", "factor", "tries", "shrink", "growth"),
    *("smallest", "decay", "weight"),
}
"""Words that a reader of a table cannot place without the form around them."""


def _every_operation() -> list[Any]:
    from engine.defenses import CATALOGUE as DEFENSES
    from engine.explain import CATALOGUE as EXPLANATIONS

    return [*CATALOGUE.values(), *EXPLANATIONS.values(), *DEFENSES.values(), *EXPERIMENTS.values()]


@pytest.mark.parametrize("operation", _every_operation(), ids=lambda kind: kind.slug)
def test_no_identifier_is_shown_in_place_of_a_title(operation: Any) -> None:
    parameters = parameters_of(operation).values()
    titles = [parameter.title for parameter in parameters]
    assert len(set(titles)) == len(titles)
    for parameter in parameters:
        assert parameter.title not in _VAGUE, parameter.name
        assert not {"keep", "auto"} & set(parameter.choice_titles), parameter.name
        for words in (parameter.title, parameter.unit, parameter.none_text.replace("GIBBON_DATA", ""), *parameter.choice_titles):
            assert "_" not in words, (parameter.name, words)
            assert words not in ("linf", "l2", "l1", "l0", "ce", "dlr", "relu"), (parameter.name, words)
