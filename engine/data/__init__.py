"""Data sets: read from the disk, or drawn by this project from a seed."""

from __future__ import annotations

from engine.class_matching import class_numbers
from engine.data.dataset import DataSet
from engine.data.labels import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS
from engine.data.selection import Selection
from engine.data.sources import Entry, available, check_there, default_root, labels_of, load, loading, parse_name, shape_of, splits_of
from engine.data.splitting import held_out, loading_train_and_test, train_and_test

__all__ = [
    "CIFAR10_LABELS",
    "DIGIT_LABELS",
    "SIGN_LABELS",
    "DataSet",
    "Entry",
    "Selection",
    "available",
    "check_there",
    "class_numbers",
    "default_root",
    "held_out",
    "labels_of",
    "load",
    "loading",
    "loading_train_and_test",
    "parse_name",
    "shape_of",
    "splits_of",
    "train_and_test",
]
