"""Command ``python -m engine.data.generated OUT_DIR``, which writes the shipped samples again, bit for bit."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.data.generated import samples
from engine.errors import GibbonError


def main(arguments: list[str]) -> int:
    """Write the samples into the folder given as argument, and return the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("Say where to write the samples: python -m engine.data.generated OUT_DIR", file=sys.stderr)
        return 2
    try:
        written = samples.write(Path(arguments[0]))
    except GibbonError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(written)} samples and {samples.INDEX} written to {arguments[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
