"""Commands ``gibbon evaluate ...``, one file each: tables, curves over eps, and whether such numbers can be trusted."""

from __future__ import annotations

import typer

from engine.cli.evaluate import curve, distortion, table, trust
from engine.cli.evaluate.common import CONTEXT

app = typer.Typer(
    help="Compare models under attacks: a table, accuracy over eps, what survives real life; and whether such numbers can be trusted.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("table")(table.command)
app.command("curve", context_settings=CONTEXT)(curve.command)
app.command("distortion", context_settings=CONTEXT)(distortion.command)
app.command("trust", context_settings=CONTEXT)(trust.command)
