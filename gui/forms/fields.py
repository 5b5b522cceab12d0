"""What a form needs to know about a parameter, read from the operation's pydantic field: written once, there."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from engine import Operation

Kind = Literal["number", "integer", "flag", "choice", "text"]
_FIRST, _LAST = ("Budget", "Method"), ("Result",)
"""Groups that stand at the top and at the bottom, in whatever order a class and its bases name them."""
_NONE = re.compile(r"None: (.+?)(?:[,;]|\.(?:\s|$))")


@dataclass(frozen=True)
class Field:
    """One row of a form."""

    name: str
    kind: Kind
    default: Any
    optional: bool = False
    """Whether None is a value."""
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    """Whether ``low`` itself is outside."""
    open_high: bool = False
    unit: str = ""
    group: str = ""
    doc: str = ""
    automatic: str = ""
    """Attribute of the operation that holds the value used for None."""
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Names of other fields with the values for which this one has a meaning."""
    usual: tuple[tuple[str, Any, Any], ...] = ()
    """Other field, its value, and what this one usually is beside it."""

    @property
    def title(self) -> str:
        """``step size`` for step_size: parameters keep their names."""
        return self.name.replace("_", " ").strip()

    @property
    def none_text(self) -> str:
        """What None means, in the words of the docstring: ``None: no ball`` gives "no ball"."""
        found = _NONE.search(self.doc)
        return found[1].strip() if found else "automatic"

    @property
    def tip(self) -> str:
        """Docstring, unit and range."""
        lines = [self.doc or self.title]
        if self.unit:
            lines.append(f"Unit: {self.unit}.")
        low = "" if self.low is None else f"{'above' if self.open_low else 'from'} {self.low:g}"
        high = "" if self.high is None else f"{'below' if self.open_high else 'up to'} {self.high:g}"
        if low or high:
            limits = f"{low} {high}".strip()
            lines.append(f"{limits[0].upper()}{limits[1:]}.")
        return "\n".join(lines)

    def following(self, name: str, new: Any, present: Any) -> Any:
        """What this field becomes when another one changes: its usual value there, unless a person has chosen one of their own."""
        usual = {value: mine for other, value, mine in self.usual if other == name}
        return usual[new] if new in usual and present in usual.values() else present

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether the field has a meaning beside these values."""
        return all(values.get(name) in allowed for name, allowed in self.when)


def read_fields(operation: type[Operation]) -> tuple[Field, ...]:
    """The fields of an operation in the order of their groups: what it may do, how it does it, further ones, the result, no group.

    A field's ``json_schema_extra`` may hold ``group``, ``unit``, ``automatic``, ``when`` (a dict of field name to a value or a list), and
    ``usual`` (a dict of field name to a dict of its values to what this field usually is there).
    """
    # What is excluded from the record is no parameter: the window knows it, such as the folder of the data sets.
    fields = [_read(name, info) for name, info in operation.model_fields.items() if not info.exclude]
    order = list(dict.fromkeys((*_FIRST, *(field.group for field in fields if field.group not in ("", *_LAST)), *_LAST)))
    return tuple(sorted(fields, key=lambda field: order.index(field.group) if field.group else len(order)))


def _read(name: str, info: FieldInfo) -> Field:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, optional, choices = _kind_of(name, info.annotation)
    low, open_low, high, open_high = _limits(info)
    when = extra.get("when", {})
    return Field(
        name=name,
        kind=kind,
        default=info.get_default(call_default_factory=True),
        optional=optional,
        choices=choices,
        low=low,
        high=high,
        open_low=open_low,
        open_high=open_high,
        unit=str(extra.get("unit", "")),
        group=str(extra.get("group", "")),
        doc=" ".join((info.description or "").split()),
        automatic=str(extra.get("automatic", "")),
        usual=tuple((other, value, mine) for other, values in dict(extra.get("usual", {})).items() for value, mine in values.items()),  # type: ignore[arg-type, union-attr]
        when=tuple((key, tuple(value) if isinstance(value, list) else (value,)) for key, value in dict(when).items()),  # type: ignore[arg-type]
    )


def _kind_of(name: str, annotation: Any) -> tuple[Kind, bool, tuple[Any, ...]]:
    """The editor that an annotation asks for; an unknown one is a mistake of whoever wrote the operation."""
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


def _limits(info: FieldInfo) -> tuple[float | None, bool, float | None, bool]:
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
