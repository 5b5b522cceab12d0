"""Parameters: what a field of an operation is, written once where the field stands, and read by whoever shows it or asks for it.

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

from engine.quantities import format_number, parse_number, parse_whole

Kind = Literal["number", "integer", "flag", "choice", "text"]
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
"""What a person reads in place of a choice whose name is jargon. Records and the command line keep the names."""


class Facts(TypedDict, total=False):
    """What a declaration may say of a field beside its default."""

    unit: str
    """What its number counts, or is a part of. Every number of a budget has one."""
    title: str
    """What a person reads in place of the name, where the name is jargon. Without: the name with spaces."""
    none: str
    """What None means, in a few words; every field that may be None says it."""
    choices: Mapping[Any, str]
    """Titles of choices that mean something else here than in `CHOICES`."""
    automatic: str
    """The operation's attribute with the value that is used for None."""
    when: Mapping[str, Any]
    """The values of other fields for which this one has a meaning: a value, or a list of them."""
    usual: Mapping[str, Mapping[Any, Any]]
    """By other field and its value: what this field usually is beside it."""
    file: bool
    """Whether its text names a file, as a `Path` does."""
    gt: float
    ge: float
    lt: float
    le: float
    exclude: bool
    """Whether it stays out of records: what the computer has, such as a folder, and no parameter of the operation."""


_LIMITS = ("gt", "ge", "lt", "le", "exclude")


def _declare(group: Group, default: Any, facts: Facts) -> Any:
    said: dict[str, Any] = {name: value for name, value in facts.items() if name not in _LIMITS}
    limits: dict[str, Any] = {name: value for name, value in facts.items() if name in _LIMITS}
    return Field(default, json_schema_extra={"group": group, **said}, **limits)


def budget(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that says what the operation may spend or change: its norm, its radius, its steps."""
    return _declare("Budget", default, facts)


def method(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that says how the operation works."""
    return _declare("Method", default, facts)


def network(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that says what network is trained."""
    return _declare("Network", default, facts)


def schedule(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that says how long and how fast a network is trained."""
    return _declare("Schedule", default, facts)


def data(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that says which images are used, or how many."""
    return _declare("Data", default, facts)


def result(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that says when the operation is done, or what becomes of what it found."""
    return _declare("Result", default, facts)


def limit(default: Any, **facts: Unpack[Facts]) -> Any:
    """A field that ends the operation whatever it has found."""
    return _declare("Limits", default, facts)


@dataclass(frozen=True)
class Preset:
    """A published setting of an operation."""

    title: str
    """What it is and whose."""
    values: Mapping[str, Any]
    """The parameters that differ from their defaults."""
    needs: frozenset[str] = frozenset()
    """What it is of use with only, though the operation itself can do without, such as ``targets``."""


@dataclass(frozen=True)
class Parameter:
    """One field of an operation."""

    name: str
    """In records, on the command line and in Python."""
    kind: Kind
    default: Any
    group: str
    title: str
    """What a person reads: ``step size``."""
    doc: str = ""
    """The docstring under the field, in one line."""
    optional: bool = False
    """Whether None is a value."""
    none_text: str = ""
    """What None means, in a few words."""
    choices: tuple[Any, ...] = ()
    choice_titles: tuple[str, ...] = ()
    """What a person reads, one for each of the choices."""
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    """Whether ``low`` itself is outside."""
    open_high: bool = False
    unit: str = ""
    automatic: str = ""
    """The operation's attribute with the value that is used for None."""
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Other fields with the values for which this one has a meaning."""
    usual: tuple[tuple[str, Any, Any], ...] = ()
    """Other field, its value, and what this one usually is beside it."""
    is_file: bool = False
    """Whether its value names a file."""
    recorded: bool = True
    """Whether a record holds it."""

    @property
    def limits(self) -> str:
        """The range in words: ``above 0, up to 1``; empty where there is none."""
        low = "" if self.low is None else f"{'above' if self.open_low else 'from'} {self.low:g}"
        high = "" if self.high is None else f"{'below' if self.open_high else 'up to'} {self.high:g}"
        return " ".join(filter(None, (low, high)))

    @property
    def tip(self) -> str:
        """Docstring, unit and range."""
        lines = [self.doc or self.title]
        if self.unit:
            lines.append(f"Unit: {self.unit}.")
        if self.limits:
            lines.append(f"{self.limits[0].upper()}{self.limits[1:]}.")
        return "\n".join(lines)

    def shown(self, value: Any) -> str:
        """A value as a person reads it: ``L∞``, ``8/255``, ``yes``, or the words for None."""
        if value is None:
            return self.none_text
        if isinstance(value, bool):
            return "yes" if value else "no"
        if value in self.choices:
            return self.choice_titles[self.choices.index(value)]
        return format_number(value) if isinstance(value, float) else str(value)

    def read(self, value: Any) -> Any:
        """``value`` as a number, where this is one and it is written as people write them; other kinds as they are.

        Raises
        ------
        GibbonError
            It is no number, or no whole number.
        """
        if (value is None and self.optional) or self.kind not in ("number", "integer"):
            return value
        return parse_whole(value) if self.kind == "integer" else parse_number(value)

    def following(self, name: str, new: Any, present: Any) -> Any:
        """What this field becomes when the field ``name`` does: its usual value there, unless a person has chosen one of their own."""
        usual = {value: mine for other, value, mine in self.usual if other == name}
        return usual[new] if new in usual and present in usual.values() else present

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether the field has a meaning beside these values."""
        return all(values.get(name) in allowed for name, allowed in self.when)


@cache
def parameters_of(operation: type[BaseModel]) -> Mapping[str, Parameter]:
    """The parameters of an operation by name, in the order in which they are declared.

    Raises
    ------
    TypeError
        A field has a type that no form could edit: a mistake of whoever wrote the operation.
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
        title=facts.get("title") or name.replace("_", " ").strip(),
        doc=" ".join((info.description or "").split()),
        optional=optional,
        none_text=facts.get("none", ""),
        choices=choices,
        choice_titles=tuple(str(titles.get(choice, choice)) for choice in choices),
        low=low,
        high=high,
        open_low=open_low,
        open_high=open_high,
        unit=facts.get("unit", ""),
        automatic=facts.get("automatic", ""),
        when=tuple((other, tuple(value) if isinstance(value, list) else (value,)) for other, value in facts.get("when", {}).items()),
        usual=tuple((other, value, mine) for other, values in facts.get("usual", {}).items() for value, mine in values.items()),
        is_file=bool(facts.get("file")) or Path in (info.annotation, *typing.get_args(info.annotation)),
        recorded=not info.exclude,
    )


def _kind_of(name: str, annotation: Any) -> tuple[Kind, bool, tuple[Any, ...]]:
    """The kind of value that an annotation asks for, whether None is one, and the choices."""
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
    raise TypeError(f"There is no editor for {annotation!r}, the type of the parameter “{name}”.")


def _limits_of(info: FieldInfo) -> tuple[float | None, bool, float | None, bool]:
    low: float | None = None
    high: float | None = None
    open_low = open_high = False
    parts = list(info.metadata)
    for part in typing.get_args(info.annotation):  # the metadata of ``Annotated[float, Gt(0)] | None``
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
