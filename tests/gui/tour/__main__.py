"""The tour: the real window, driven by mouse and keys through the story, one picture per stage.

    python -m tests.gui.tour OUT_DIR [--size 1280x800] [--theme light|dark] [--part PART]

Runs offscreen where there is no display, else on it (``xvfb-run -a python -m tests.gui.tour OUT_DIR``).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.gui.tour.tour import PARTS, Tour, stages


def main(argv: list[str] | None = None) -> int:
    """Take the tour; return 0 if every stage passed its checks."""
    parser = argparse.ArgumentParser(prog="python -m tests.gui.tour", description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--size", default="1280x800", help="of the window, such as 1920x1080")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--part", choices=PARTS, action="append", help="of the tour, several times for several; default: all of it")
    chosen = parser.parse_args(argv)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = home  # settings and sessions of its own: like a first start
        return take(chosen.out, *map(int, chosen.size.split("x")), chosen.theme, chosen.part or PARTS)


def take(out: Path, width: int, height: int, theme: str, parts: list[str] | tuple[str, ...] = PARTS) -> int:
    """Go through the start and the parts, in a window of a given size."""
    from gui.app import build_workbench
    from gui.shell.exception_hook import ExceptionHook

    out.mkdir(parents=True, exist_ok=True)
    bench = build_workbench([])
    errors: list[str] = []
    bench.session.logged.connect(lambda entry: errors.append(f"{entry.text}\n{entry.details}") if entry.kind == "error" else None)
    ExceptionHook(bench.session).install()
    bench.window.theme.choose(theme)  # type: ignore[arg-type]
    bench.window.resize(width, height)
    bench.window.workspaces.show_again()  # laid out as for a screen of this size
    bench.window.show()
    tour = Tour(bench, out)
    try:
        for part in ("start", *parts):
            for stage in stages(part):
                tour.error_expected = False
                stage(tour)
                if errors and not tour.error_expected:
                    print("\n".join(errors), file=sys.stderr)
                    return 1
                errors.clear()
    finally:
        bench.window.close()
        bench.shut_down()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
