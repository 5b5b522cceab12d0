"""Fields of an operation as options: parsed from the command line, listed for help."""

from __future__ import annotations

import re
import typing
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from engine.errors import GibbonError
from engine.text.nearest import nearest

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from rich.table import Table

    from engine.cli.own_options import Own
    from engine.parameterised import Parameterised

_YES, _NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def parse(operation: type[Parameterised], arguments: Sequence[str], own: Own | None = None) -> dict[str, Any]:
    """Parse the values of ``operation``'s fields in ``arguments``: ``--step-size 2/255``, ``--no-random-start``, ``--eps=none``.

    Parameters
    ----------
    operation
        The class of the operation.
    arguments
        Arguments that are no options of the command itself.
    own
        The command's own options, for the sentence about a name that is not known; None: those of the operation alone are named.

    Raises
    ------
    GibbonError
        A name is unknown or given twice, or a value is missing.
    """
    fields, values, queue = operation.model_fields, {}, list(arguments)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--") or word == "--":
            raise GibbonError(f"“{word}” was found where an option was expected. Options begin with two dashes: --steps 40.")
        name, given, text = word[2:].partition("=")
        field = name.replace("-", "_")
        negated = field.removeprefix("no_")
        if field not in fields and negated in fields and _is_bool(fields[negated]) and not given:
            field, value = negated, False
        elif field not in fields:
            raise GibbonError(_unknown(f"--{name}", operation, own))
        elif _is_bool(fields[field]) and not given and not (queue and queue[0].lower() in _YES | _NO):
            value = True
        else:
            if not given and (not queue or queue[0].startswith("--")):
                raise GibbonError(f"--{name} needs a value, as in --{name} {_example(fields[field])}.")
            value = _value(text if given else queue.pop(0), fields[field], name)
        if field in values:
            raise GibbonError(f"--{field.replace('_', '-')} is given twice. Give it once.")
        values[field] = value
    return values


@contextmanager
def fields_as_options(operation: type[Parameterised]) -> Iterator[None]:
    """Name the fields of ``operation`` as options in the errors of the block: ``--batch-size`` for ``batch_size``.

    Only names with an underscore are replaced: a word such as “recipe” may be meant as a word.
    """
    try:
        yield
    except GibbonError as error:
        names = "|".join(name for name in operation.model_fields if "_" in name)
        text = re.sub(rf"(?<![\w-])({names})(?!\w)", lambda found: f"--{found[0].replace('_', '-')}", str(error))
        raise GibbonError(text) from None


def listed(operation: type[Parameterised], without: Collection[str] = (), *, part: bool = False) -> Table:
    """Return a table of the fields: option, default and meaning; those in ``without`` are left out.

    ``part``: it is a part of a recipe, whose fields are written ``name=value`` after its slug.
    """
    from rich.table import Table
    from rich.text import Text

    from engine.parameters import parameters_of

    what, first = ("Parameters", "parameter") if part else ("Options", "option")
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"{what} of “{operation.slug}” ({operation.title})", title_justify="left")
    for column in (first, "values", "default", "meaning"):
        table.add_column(column, no_wrap=column == first)
    for name, parameter in parameters_of(operation).items():
        if name in without:
            continue
        field = operation.model_fields[name]
        option = name if part else f"--{name.replace('_', '-')}"
        combined = parameter.kind == "parts"
        values, default = ("parts, + between", parameter.shown(field.default)) if combined else (_kind(field), _written(field.default))
        table.add_row(Text(option), Text(values), Text(default), Text(parameter.doc))
    return table


def _value(text: str, field: FieldInfo, name: str) -> Any:
    if text.lower() == "none" and NoneType in _types(field):
        return None
    if _is_bool(field):
        if text.lower() not in _YES | _NO:
            raise GibbonError(f"--{name} is either yes or no, not “{text}”.")
        return text.lower() in _YES
    # Numeric literals compare by value, since "-1" is not -1.
    for choice in _choices(field):
        if str(choice) == text:
            return choice
    return text


def _unknown(option: str, operation: type[Parameterised], own: Own | None) -> str:
    """Say who lacks an option: the command where it is one of another command or like one of its own, else the operation."""
    known = [f"--{name.replace('_', '-')}" for name in operation.model_fields]
    if own is not None and option in own.elsewhere:
        return f"“{own.command}” has no option {option}, which {own.elsewhere[option]} has. See {own.command} --help."
    close = nearest(option, [*known, *(() if own is None else own.options)])
    if close is None:
        has = f"has: {', '.join(known)}."
        if own is None:
            return f"“{operation.slug}” has no option {option}. It {has}"
        return f"Neither “{own.command}” nor “{operation.slug}” has an option {option}. “{operation.slug}” {has}"
    whose = operation.slug if own is None or close in known else own.command
    return f"“{whose}” has no option {option}. Did you mean {close}?"


def _types(field: FieldInfo) -> tuple[Any, ...]:
    kind = field.annotation
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _is_bool(field: FieldInfo) -> bool:
    return bool in _types(field)


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    return tuple(choice for kind in _types(field) if get_origin(kind) is Literal for choice in get_args(kind))


def _kind(field: FieldInfo) -> str:
    if choices := _choices(field):
        return " | ".join(map(str, choices))
    if _is_bool(field):
        return "yes | no"
    name = "integer" if int in _types(field) else "number" if float in _types(field) or _annotated(field) else "path"
    limits = [f"{sign} {_written(getattr(part, key))}" for part in field.metadata for key, sign in _LIMITS if hasattr(part, key)]
    return " ".join([name, *([", ".join(limits)] if limits else []), *(["or none"] if NoneType in _types(field) else [])])


_LIMITS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def _annotated(field: FieldInfo) -> bool:
    return any(get_origin(kind) is typing.Annotated and get_args(kind)[0] is float for kind in _types(field))


def _written(value: Any) -> str:
    from engine.text.formatting import format_number

    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return format_number(value) if isinstance(value, float) else str(value)


def _example(field: FieldInfo) -> str:
    if isinstance(field.default, tuple):
        return "NAME"
    return _written(field.default) if field.default not in (None, "") else (_choices(field) or ("1",))[0]
