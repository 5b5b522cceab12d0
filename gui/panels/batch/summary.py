"""BatchSummary: the shares and medians of a batch as number tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from engine.text.formatting import format_linf, format_norm
from gui.widgets.text import NumberTile, NumberTiles

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults, Share, Summary

_ROBUST = "The share that it reads rightly before and after the attack."
_SUCCESSES = "Of the images that did not count as a success before the attack."
_NAMES = {"linf": "L∞", "l2": "L2", "l0": "L0", "l1": "L1"}


class BatchSummary(NumberTiles):
    """Accuracy before, robust accuracy, successes, images that were misread before, and the median norms."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Summary of the images")

    def show_results(self, results: ImageResults, *, seen: bool = False) -> None:
        """Show the summary, of both attackers where there is a defense; ``seen`` says whether a trust light of the numbers is on."""
        found, norm = results.summary, getattr(results.attack, "norm", "l2")
        norm = norm if norm in found.norms else "l2"
        size, mark = found.norms.get(norm), " ▲" if seen else ""
        assumed = f" The label of {found.assumed:,} is {found.assumption}." if found.assumed else ""
        tiles = [
            _share("accuracy before", found.before, f"The share of images that the model reads rightly.{assumed}"),
            *(_of_one(found, mark) if results.unaware is None else _of_both(results, mark)),
            NumberTile("misread before", f"{found.already:,}", "", "Images that counted as a success before the attack, counted apart"),
            NumberTile(
                f"median {_NAMES[norm]}",
                "–" if size is None else (format_linf if norm == "linf" else format_norm)(size),
                "" if found.steps is None else f"flip {found.steps:g}",
                "Of the perturbations that succeeded, with the median step of the flip",
            ),
        ]
        if found.errors:
            tiles.append(NumberTile("errors", f"{found.errors:,}", "", "Images without a result: their rows say why"))
        self.set_tiles(tiles)


def _of_one(found: Summary, mark: str) -> list[NumberTile]:
    return [
        _share(f"robust accuracy{mark}", found.robust, _ROBUST),
        _share("successes", found.success, _SUCCESSES),
    ]


def _of_both(results: ImageResults, mark: str) -> list[NumberTile]:
    """Return the tiles of the attacker who knows the defense beside those of the one who does not."""
    from engine.evaluate.batch import BothAttackers

    both = BothAttackers.of(results)
    assert both is not None
    aware, unaware = both.summaries
    return [
        _share(f"robust, knows{mark}", aware.robust, f"Against an attacker who knows the defense. {_ROBUST}"),
        _share("robust, does not", unaware.robust, f"Against an attacker who does not know the defense. {_ROBUST}"),
        _share("robust, both", both.worst, "The share that stays right whichever of the two attacks."),
        _share("fooled, knows", aware.success, f"By an attacker who knows the defense. {_SUCCESSES}"),
        _share("fooled, does not", unaware.success, f"By an attacker who does not know the defense. {_SUCCESSES}"),
    ]


def _share(name: str, share: Share, tip: str) -> NumberTile:
    if share.value is None:
        return NumberTile(name, "–", "", tip)
    low, high = share.interval
    interval = f"{100 * low:.0f} to {100 * high:.0f} %"
    return NumberTile(name, f"{100 * share.value:.1f} %", interval, f"{tip} {share.text()}, with the 95 % interval (Wilson).")
