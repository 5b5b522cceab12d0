"""Help of the command ``gibbon train``: its options, and the parts of a recipe with their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from engine.errors import GibbonError

if TYPE_CHECKING:
    from rich.table import Table

    from engine.defenses.objectives import Objective

_HIDDEN = ("checkpoint", "fresh")
"""Fields of a training that the command sets itself."""


def show(context: typer.Context) -> int:
    """Print the help; where the recipe is given as well, that of its parts alone."""
    from engine.cli.fields import listed
    from engine.cli.output import say_help
    from engine.defenses import Train
    from engine.models.untrained import SOURCES

    parts = _wanted(context)
    if parts:
        for part in parts:
            say_help(f"{part.title}: {_meaning(part)}", listed(part, part=True), _presets(part), "")
        return 0
    typer.echo(context.get_help())
    say_help(
        listed(Train, without=_HIDDEN),
        "",
        f"Networks: {SOURCES}.",
        "",
        "A recipe joins parts by +, each with its parameters: --recipe “gaussian sigma=0.3 + label-smoothing”. More about a part: "
        "--recipe NAME --help.",
        catalogue(),
        "",
        "\n  ".join(["Presets:", *(each.title for each in Train.presets)]),
    )
    return 0


def catalogue() -> Table:
    """Return the table of the parts of a recipe: name, parameters with their defaults, and meaning."""
    from rich.table import Table
    from rich.text import Text

    from engine.defenses.objectives import CATALOGUE
    from engine.parameters import parameters_of

    table = Table(box=None, padding=(0, 2, 0, 0), title="Parts of a recipe", title_justify="left")
    for column in ("part", "parameters", "meaning"):
        table.add_column(column, no_wrap=column == "part")
    for slug, kind in CATALOGUE.items():
        known = "\n".join(f"{name}={_default(each.default)}" for name, each in parameters_of(kind).items())
        table.add_row(Text(slug), Text(known), Text(f"{kind.title}. {_meaning(kind)}"))
    return table


def _wanted(context: typer.Context) -> list[type[Objective]]:
    """Return the objectives of a recipe among the arguments."""
    from engine.cli.fields import parse
    from engine.defenses import Train
    from engine.defenses.objectives import CATALOGUE, read

    try:
        given = parse(Train, context.args).get("recipe", "")
        return [CATALOGUE[part.slug] for part in read(given)]
    except GibbonError:  # help is given whatever else is wrong
        return []


def _meaning(kind: type[Objective]) -> str:
    """Return the first sentence of an objective's docstring."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _default(value: object) -> str:
    from engine.text.formatting import format_number

    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return format_number(value) if isinstance(value, float) else str(value)


def _presets(kind: type[Objective]) -> str:
    """Return the published settings of an objective, each as it is written in a recipe."""
    return "\n".join(f"{kind.build(**each.values).words}: {each.title}" for each in kind.presets)
