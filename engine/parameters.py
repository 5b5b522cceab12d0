"""Parameters: the description of an operation's field, written once beside the field and read by every form and writer.

A field is declared by the group that it belongs to::

    steps: int = budget(40, ge=1, le=100_000, unit="steps")
    eps: Number | None = budget(8 / 255, gt=0, unit="of [0, 1]", none="no ball")

`parameters_of` reads the fields of an operation back as frozen `Parameter` values. The form, the command line, the figure's small print,
the record and the hints read those, and never the fields themselves.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from engine.text.formatting import format_number, named_norms, without_markup
from engine.text.parsing import parse_number, parse_whole

Kind = Literal["number", "integer", "flag", "choice", "text", "parts"]
"""Kinds of values. Parts are a tuple of parameter sets, such as the objectives of a training's recipe."""
Group = Literal["Budget", "Method", "Network", "Schedule", "Data", "Result", "Limits"]
CHOICES: Mapping[str, str] = types.MappingProxyType(
    {
        "linf": "L∞",
        "l2": "L2",
        "l1": "L1",
        "l0": "L0",
        "ce": "cross-entropy",
        "stable-ce": "cross-entropy, stable",
        "dlr": "DLR",
        "targeted-dlr": "DLR, targeted",
        "prob_linear": "linear in the probability",
        "label or target": "off the label, or to the target",
        "mlp": "MLP",
        "cnn": "CNN",
        "fgsm": "FGSM",
        "pgd": "PGD",
        "relu": "ReLU",
        "bounded": "bounded ReLU",
        "bounded-leaky": "bounded leaky ReLU",
        "adam": "Adam",
    }
)
"""Titles of choices whose names are jargon. Records and the command line keep the names."""


class Facts(TypedDict, total=False):
    """Facts that a declaration may state about a field beside its default."""

    unit: str
    """Unit of its number; every number of a budget has one."""
    title: str
    """Title for people, where the name is jargon. Without: the name with spaces."""
    none: str
    """Meaning of None in a few words; every field that may be None states it."""
    choices: Mapping[Any, str]
    """Titles of choices that mean something else here than in `CHOICES`."""
    automatic: str
    """Name of the operation's attribute with the value that is used for None."""
    when: Mapping[str, Any]
    """Values of other fields for which this one matters: a value, or a list of them."""
    usual: Mapping[str, Mapping[Any, Any]]
    """Customary value of this field by another field and its value."""
    file: bool
    """Whether its text is the path of a file, as for a `Path`."""
    gt: float
    ge: float
    lt: float
    le: float
    odd: bool
    """Whether even numbers make no sense, as for the side of a window that has a middle pixel."""
    parts: Any
    """The `engine.recipes.Recipes` of the parts that it is a tuple of."""
    exclude: bool
    """Whether records leave it out, because it describes the computer, such as a folder, and not the operation."""


_LIMITS = ("gt", "ge", "lt", "le", "exclude")


def _declare(group: Group, default: Any, facts: Facts) -> Any:
    said: dict[str, Any] = {name: value for name, value in facts.items() if name not in _LIMITS}
    limits: dict[str, Any] = {name: value for name, value in facts.items() if name in _LIMITS}
    return Field(default, json_schema_extra={"group": group, **said}, **limits)


def budget(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that limits what the operation may spend or change: its norm, its radius, its steps."""
    return _declare("Budget", default, facts)


def method(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that chooses how the operation works."""
    return _declare("Method", default, facts)


def network(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that describes the network to be trained."""
    return _declare("Network", default, facts)


def schedule(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that sets how long and how fast a network is trained."""
    return _declare("Schedule", default, facts)


def data(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that chooses which images are used, or how many."""
    return _declare("Data", default, facts)


def result(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that decides when the operation is done, or what becomes of its findings."""
    return _declare("Result", default, facts)


def limit(default: Any, **facts: Unpack[Facts]) -> Any:
    """Declare a field that ends the operation whatever it has found."""
    return _declare("Limits", default, facts)


@dataclass(frozen=True)
class Preset:
    """A published setting of an operation, with a title."""

    title: str
    """Title of the setting: its content and its authors."""
    values: Mapping[str, Any]
    """Values of the parameters that differ from their defaults."""
    needs: frozenset[str] = frozenset()
    """Inputs without which the setting is of no use, though the operation can run without, such as ``targets``."""


@dataclass(frozen=True)
class Parameter:
    """Description of one field of an operation."""

    name: str
    """The field's name in records, on the command line and in Python."""
    kind: Kind
    default: Any
    group: str
    title: str
    """The field's title for people, such as ``step size``."""
    doc: str = ""
    """The docstring under the field, joined to one line."""
    optional: bool = False
    """Whether the field may be None."""
    none_text: str = ""
    """Meaning of None in a few words."""
    choices: tuple[Any, ...] = ()
    choice_titles: tuple[str, ...] = ()
    """Titles of the choices for people, in the order of ``choices``."""
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    """Whether ``low`` itself is out of range."""
    open_high: bool = False
    odd: bool = False
    """Whether even numbers make no sense: forms step over them."""
    unit: str = ""
    automatic: str = ""
    """Name of the operation's attribute with the value that is used for None."""
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Other fields with the values for which this one matters."""
    usual: tuple[tuple[str, Any, Any], ...] = ()
    """Triples of another field, its value, and the customary value of this field."""
    is_file: bool = False
    """Whether its value is the path of a file."""
    recorded: bool = True
    """Whether records contain the field."""
    parts: Any = None
    """The `engine.recipes.Recipes` of its parts, where the kind is ``parts``; else None. That module imports this one."""

    @property
    def limits(self) -> str:
        """The range in words, such as ``above 0, up to 1``; empty where there is none."""
        low = "" if self.low is None else f"{'above' if self.open_low else 'from'} {self.low:g}"
        high = "" if self.high is None else f"{'below' if self.open_high else 'up to'} {self.high:g}"
        return " ".join(filter(None, (low, high)))

    @property
    def tip(self) -> str:
        """Tooltip of the field: docstring, unit and range."""
        lines = [self.doc or self.title]
        if self.unit:
            lines.append(f"Unit: {self.unit}.")
        if self.limits:
            lines.append(f"{self.limits[0].upper()}{self.limits[1:]}{', odd' if self.odd else ''}.")
        return "\n".join(lines)

    def shown(self, value: Any) -> str:
        """Format a value for people: ``L∞``, ``8/255``, ``yes``, or the words for None."""
        if value is None:
            return self.none_text
        if self.kind == "parts":
            return str(value) if isinstance(value, str) or self.parts is None else str(self.parts.words(self.parts.read(value)))
        if isinstance(value, bool):
            return "yes" if value else "no"
        if value in self.choices:
            return self.choice_titles[self.choices.index(value)]
        return format_number(value) if isinstance(value, float) else str(value)

    def told(self, value: Any) -> str:
        """Format a value as `shown`, with its unit where that says more than the title, such as ``0.01 of all values``, but ``8/255``."""
        shown = self.shown(value)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not self.unit or "/" in shown or set(self.unit.split()) & set(self.title.split()):
            return shown
        return f"{shown} {self.unit}"

    def read(self, value: Any) -> Any:
        """Parse ``value`` where the field is a number, such as ``8/255``; values of other kinds are returned unchanged.

        Raises
        ------
        GibbonError
            The text is no number, or no whole number.
        """
        if (value is None and self.optional) or self.kind not in ("number", "integer"):
            return value
        return parse_whole(value) if self.kind == "integer" else parse_number(value)

    def following(self, name: str, new: Any, present: Any) -> Any:
        """Return the field's value after ``name`` becomes ``new``: the customary value there, unless a person has chosen another."""
        usual = {value: mine for other, value, mine in self.usual if other == name}
        return usual[new] if new in usual and present in usual.values() else present

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether the field matters beside these values."""
        return all(values.get(name) in allowed for name, allowed in self.when)


@cache
def parameters_of(operation: type[BaseModel]) -> Mapping[str, Parameter]:
    """Return the parameters of an operation by name, in the order of their declaration.

    Raises
    ------
    TypeError
        A field has a type that no form could edit, which is a mistake in the operation's class.
    """
    return types.MappingProxyType({name: _read(name, info) for name, info in operation.model_fields.items()})


def _read(name: str, info: FieldInfo) -> Parameter:
    facts: dict[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, optional, choices = _kind_of(name, info.annotation)
    titles = {**CHOICES, **facts.get("choices", {})}
    low, open_low, high, open_high = _limits_of(info)
    return Parameter(
        name=name,
        kind=kind,
        default=info.get_default(call_default_factory=True),
        group=facts.get("group", ""),
        title=named_norms(facts.get("title") or name.replace("_", " ").strip()),
        doc=without_markup(named_norms(" ".join((info.description or "").split()))),
        optional=optional,
        none_text=facts.get("none", ""),
        choices=choices,
        choice_titles=tuple(str(titles.get(choice, choice)) for choice in choices),
        low=low,
        high=high,
        open_low=open_low,
        open_high=open_high,
        odd=bool(facts.get("odd")),
        unit=facts.get("unit", ""),
        automatic=facts.get("automatic", ""),
        when=tuple((other, tuple(value) if isinstance(value, list) else (value,)) for other, value in facts.get("when", {}).items()),
        usual=tuple((other, value, mine) for other, values in facts.get("usual", {}).items() for value, mine in values.items()),
        is_file=bool(facts.get("file")) or Path in (info.annotation, *typing.get_args(info.annotation)),
        recorded=not info.exclude,
        parts=facts.get("parts"),
    )


def _kind_of(name: str, annotation: Any) -> tuple[Kind, bool, tuple[Any, ...]]:
    """Return the kind of value that an annotation allows, whether None is allowed, and the choices."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _kind_of(name, typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        if len(inner) == 1:
            kind, _, choices = _kind_of(name, inner[0])
            return kind, True, choices
    if origin is Literal:
        return "choice", False, typing.get_args(annotation)
    kinds: dict[Any, Kind] = {bool: "flag", int: "integer", float: "number", str: "text", Path: "text"}
    if annotation in kinds:
        return kinds[annotation], False, ()
    if origin is tuple:
        return "parts", False, ()
    raise TypeError(f"There is no editor for {annotation!r}, the type of the parameter “{name}”.")


def _limits_of(info: FieldInfo) -> tuple[float | None, bool, float | None, bool]:
    low: float | None = None
    high: float | None = None
    open_low = open_high = False
    parts = list(info.metadata)
    for part in typing.get_args(info.annotation):  # the metadata inside ``Annotated[float, Gt(0)] | None``
        parts += list(getattr(part, "__metadata__", ()))
    for part in parts:
        for bound in (part, *getattr(part, "metadata", ())):
            if (value := getattr(bound, "ge", None)) is not None:
                low, open_low = float(value), False
            if (value := getattr(bound, "gt", None)) is not None:
                low, open_low = float(value), True
            if (value := getattr(bound, "le", None)) is not None:
                high, open_high = float(value), False
            if (value := getattr(bound, "lt", None)) is not None:
                high, open_high = float(value), True
    return low, open_low, high, open_high
