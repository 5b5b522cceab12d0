"""Commands ``gibbon evaluate ...``, one file each: models under attacks, as tables and as curves over eps."""

from __future__ import annotations

import typer

from engine.cli.evaluate import curve, table
from engine.cli.evaluate.common import CONTEXT

app = typer.Typer(
    help="Compare models under attacks: a table, or accuracy over eps.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("table")(table.command)
app.command("curve", context_settings=CONTEXT)(curve.command)
