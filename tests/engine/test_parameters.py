"""What is written once of a parameter is complete: every field of every operation has a group, a docstring, a unit, words for None."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.attacks import CATALOGUE, PGD
from engine.defenses import Train
from engine.operation import Operation
from engine.parameters import Parameter, budget, method, parameters_of
from engine.reproduce import CATALOGUE as EXPERIMENTS

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
