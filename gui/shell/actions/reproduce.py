"""ReproduceMenu: the experiments of the lectures, each of which opens in the Experiments dock."""

from __future__ import annotations

from functools import partial

from gui.shell.actions.filled_menu import FilledMenu
from gui.shell.actions.shell import Shell


class ReproduceMenu(FilledMenu):
    """The experiments, once the engine knows them."""

    nothing = "The engine is loading"

    def __init__(self, shell: Shell) -> None:
        super().__init__("Reproduce", shell)

    def fill(self) -> None:
        if not self.shell.session.ready:
            return
        from engine.reproduce import CATALOGUE

        for slug, kind in CATALOGUE.items():
            self.offer(kind.title, f"{kind.source}\n{kind.paper}".strip(), partial(self.shell.open_experiment, slug))
