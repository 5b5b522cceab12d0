"""How long a test waits for the window: the time is in one place, and a loaded machine gets enough of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytestqt.qtbot import QtBot

PATIENCE_S = 60.0
"""Seconds after which a condition that has not come true fails its test. A quiet machine needs a small part of one second."""


class PatientBot(QtBot):
    """A `QtBot` that waits for `PATIENCE_S` unless it is told otherwise. Its own five seconds are too few on a machine with other work."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = round(1000 * PATIENCE_S)) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = round(1000 * PATIENCE_S), **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitSignals(self, signals: Any, *, timeout: int = round(1000 * PATIENCE_S), **options: Any) -> Any:
        return super().waitSignals(signals, timeout=timeout, **options)

    def waitExposed(self, widget: Any, *, timeout: int = round(1000 * PATIENCE_S)) -> Any:
        return super().waitExposed(widget, timeout=timeout)
