"""The first run is warmed up in the lane: after the first frame, without a trace, and without a word where the model fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

import engine
from gui.session.warm_up import warm_up
from tests.gui.driving import until
from tests.gui.panel_scenes import LABELS, noise, small

if TYPE_CHECKING:
    from gui.session.session import LogEntry, Session


def test_it_comes_after_the_first_frame_and_leaves_no_trace(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []
    ask = session.lane.ask

    def noted(key: str, work: object, *rest: object, **more: object) -> int:
        def working() -> object:
            served.append(key)
            return work()  # type: ignore[operator]

        return ask(key, working, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(session.lane, "ask", noted)
    session.set_classifier(small(), noise(), {"name": "noise"})
    until(lambda: session.frame is not None and not session.waiting("threads"), "the frame")
    until(lambda: not session.waiting("warm-up"), "the warm-up")
    assert served.index("frame") < served.index("warm-up")
    assert session.history.entries == ()
    assert session.delta is None


def test_it_disturbs_no_random_numbers() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    warm_up(small())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_that_cannot_be_attacked_is_not_complained_of(session: Session) -> None:
    class Refusing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, *gradients: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no gradients here")

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = torch.nn.Linear(768, len(LABELS))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(Refusing.apply(x.flatten(1)))

    said: list[LogEntry] = []
    session.logged.connect(said.append)
    session.set_classifier(engine.Classifier(Module(), LABELS, (3, 16, 16), name="refusing", device="cpu"), noise(), {"name": "noise"})
    until(lambda: session.frame is not None and not session.waiting("threads"), "the frame")
    until(lambda: not session.waiting("warm-up"), "the warm-up")
    assert [entry.text for entry in said if entry.kind in ("error", "warning")] == []
