"""Evaluations: what other models say of a result, and which model's adversarial images fool which."""

from __future__ import annotations

from engine.evaluate.control import control
from engine.evaluate.matrix import TransferEvaluation, TransferMatrix, TransferStep
from engine.evaluate.transfer import Transfer, Verdict, transfer

__all__ = ["Transfer", "TransferEvaluation", "TransferMatrix", "TransferStep", "Verdict", "control", "transfer"]
