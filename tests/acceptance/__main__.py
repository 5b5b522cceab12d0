"""Measure every figure and print the table, then JSON. Exit code 1 where one fails."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator

import torch
from rich.console import Console
from rich.table import Table

from tests.acceptance import attacks, detectors, models, patches
from tests.acceptance.figures import Figure


def live(_root: str | None) -> Iterator[Figure]:
    """The window's figures come from its benchmark."""
    from tests.benchmarks.live import figures

    yield from figures()


def libraries(root: str | None) -> Iterator[Figure]:
    """The attacks' speed and strength beside the libraries' come from their benchmark."""
    from tests.benchmarks.attacks import Place, measured
    from tests.benchmarks.cases import CASES

    where = Place(root, os.environ.get("GIBBON_IMAGENET"), None)
    for name in (*CASES, "universal"):
        rows = measured(name, where, None)
        missed = " ".join(line for row in rows for line in row["missed"])
        yield Figure(
            f"{name} beside the libraries",
            missed or ("reached" if rows else "left out"),
            "what its case asks",
            not missed if rows else None,
        )


PARTS: dict[str, Callable[[str | None], Iterator[Figure]]] = {
    "models": models.figures,
    "stop": lambda _root: attacks.stop_sign(),
    "stickers": attacks.stickers,
    "bounds": attacks.bounds,
    "patches": patches.figures,
    "detectors": detectors.figures,
    "parity": attacks.parity,
    "libraries": libraries,
    "live": live,
}


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument("--data", help="folder with MNIST and GTSRB (default: GIBBON_DATA)")
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"of {', '.join(PARTS)} (default: all)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: list[Figure] = []
    table = Table("figure", "measured", "asked", "verdict", title="Acceptance")
    for part in arguments.parts or PARTS:
        for figure in PARTS[part](arguments.data):
            found.append(figure)
            table.add_row(*figure.as_row())
            print(*figure.as_row(), sep=" | ", flush=True)
    Console(width=120).print(table)
    text = json.dumps([figure.as_json() for figure in found], indent=1)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.write(text)
    print(text)
    return 1 if any(figure.passed is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
