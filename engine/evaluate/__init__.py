"""Evaluations: transfer between models, real-life distortions, attackers who know a defense, and steps to flip each image of a set."""

from __future__ import annotations

from engine.evaluate import knowing
from engine.evaluate.control import control
from engine.evaluate.distortion import DistortionStep, DistortionSurvival
from engine.evaluate.hard_samples import HardSamples, HardSamplesStep
from engine.evaluate.knowing import KnowingEvaluation, KnowingStep
from engine.evaluate.matrix import TransferEvaluation, TransferMatrix, TransferStep
from engine.evaluate.transfer import Transfer, Verdict, transfer

__all__ = [
    "DistortionStep",
    "DistortionSurvival",
    "HardSamples",
    "HardSamplesStep",
    "KnowingEvaluation",
    "KnowingStep",
    "Transfer",
    "TransferEvaluation",
    "TransferMatrix",
    "TransferStep",
    "Verdict",
    "control",
    "knowing",
    "transfer",
]
