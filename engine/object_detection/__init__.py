"""Detectors of objects: boxes, their precision, and patches that fool them. A detector is no `engine.Classifier`."""

from __future__ import annotations

from engine.catalogue import catalogue
from engine.object_detection.boxes import Boxes, overlap
from engine.object_detection.detector import Detector
from engine.object_detection.dpatch import DPatch
from engine.object_detection.loading import load
from engine.object_detection.precision import OVERLAP, Precision, average_precision, precision_table
from engine.object_detection.problem import DetectorOperation, DetectorProblem, PatchStep
from engine.object_detection.result import DetectorResult
from engine.object_detection.running import DetectorRun, run, start

CATALOGUE = catalogue(DPatch)
"""Operations on detectors by their slug."""

__all__ = [
    "CATALOGUE",
    "OVERLAP",
    "Boxes",
    "DPatch",
    "Detector",
    "DetectorOperation",
    "DetectorProblem",
    "DetectorResult",
    "DetectorRun",
    "PatchStep",
    "Precision",
    "average_precision",
    "load",
    "overlap",
    "precision_table",
    "run",
    "start",
]
