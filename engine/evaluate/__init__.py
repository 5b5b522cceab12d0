"""Evaluations: predictions of other models for a result, and transfer of adversarial images between models."""

from __future__ import annotations

from engine.evaluate.control import control
from engine.evaluate.matrix import TransferEvaluation, TransferMatrix, TransferStep
from engine.evaluate.transfer import Transfer, Verdict, transfer

__all__ = ["Transfer", "TransferEvaluation", "TransferMatrix", "TransferStep", "Verdict", "control", "transfer"]
