"""A small network that detects objects on a grid, after YOLO (Redmon et al. 2015, arXiv 1506.02640): one box for each cell."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.object_detection.boxes import Boxes

SIDE = 96
"""Height and width of the images in pixels."""
CELLS = 6
"""Rows and columns of the grid."""
_CELL = SIDE / CELLS
_WIDTHS = (24, 48, 64, 64)
_BOX_WEIGHT = 0.25
"""Weight of a pixel by which a box is off, against a nat of objectness or class."""


class GridNetwork(nn.Module):
    """Convolutions down to a grid of 6 x 6 cells, each with an objectness, a box and K classes.

    With o, b = (u, v, w, h) and c for the outputs of the cell in row i and column j, the box has its centre at
    ``(16 * (j + sigmoid(u)), 16 * (i + sigmoid(v)))``, the sides ``(96 * sigmoid(w), 96 * sigmoid(h))`` and the score
    ``sigmoid(o) * max(softmax(c))``. The last two convolutions see about the whole image from every cell, as YOLO's full layers do.

    Parameters
    ----------
    classes
        The number K of classes.
    least_score
        Boxes with a lower score are not returned by `detect`.
    most_overlap
        Of two boxes of one class with a larger IoU, `detect` returns the one with the larger score.
    """

    def __init__(self, classes: int, least_score: float = 0.05, most_overlap: float = 0.5) -> None:
        super().__init__()
        self.classes, self.least_score, self.most_overlap = classes, least_score, most_overlap
        layers: list[nn.Module] = []
        wide = 3
        for width in _WIDTHS:
            layers += _block(wide, width, 2)
            wide = width
        layers += [*_block(wide, wide, 1), *_block(wide, wide, 1), nn.Conv2d(wide, 5 + classes, 1)]
        self.layers = nn.Sequential(*layers)

    def extra_repr(self) -> str:
        """Name what the state does not hold, since it belongs to the fingerprint."""
        return f"classes={self.classes}, least_score={self.least_score}, most_overlap={self.most_overlap}"

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs ``(N, 5 + K, 6, 6)`` for images ``(N, 3, 96, 96)`` in [0, 1]: objectness, u, v, w, h and the class logits."""
        out: Tensor = self.layers((images - 0.4) / 0.25)
        return out

    def detect(self, images: Tensor) -> list[Boxes]:
        """Return the boxes of each image, by falling score."""
        from torchvision.ops import batched_nms

        out = self(images)
        boxes = self.boxes(out).flatten(2).transpose(1, 2).clamp(0, SIDE)
        confidence, labels = out[:, 5:].softmax(1).max(1)
        scores, labels = (out[:, 0].sigmoid() * confidence).flatten(1), labels.flatten(1)
        found = []
        for own, label, score in zip(boxes, labels, scores, strict=True):
            likely = (score >= self.least_score).nonzero()[:, 0]
            kept = likely[batched_nms(own[likely], score[likely], label[likely], self.most_overlap)]
            found.append(Boxes(own[kept], label[kept], score[kept]))
        return found

    def boxes(self, out: Tensor) -> Tensor:
        """Return the boxes ``(N, 4, 6, 6)`` of all cells, as left, top, right, bottom in pixels, for outputs ``(N, 5 + K, 6, 6)``."""
        cells = torch.arange(CELLS, device=out.device, dtype=out.dtype)
        x, y = _CELL * (cells + out[:, 1].sigmoid()), _CELL * (cells[:, None] + out[:, 2].sigmoid())
        half_width, half_height = (0.5 * SIDE * out[:, each].sigmoid() for each in (3, 4))
        return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], 1)

    def loss(self, images: Tensor, truths: Sequence[Boxes]) -> Tensor:
        """Return the loss ``(N,)`` of each image for its true boxes.

        It is the sum of three parts: binary cross-entropy of the objectness over all cells, where a cell holds an object if the centre of
        a true box lies in it; and over these cells the cross-entropy of the class, and a quarter of the sum of the distances of the four
        sides in pixels. Of several boxes in one cell the last counts.
        """
        out = self(images)
        wanted = torch.zeros_like(out[:, 0])
        rows, where_y, where_x, labels, sides, counts = _cells_of(truths, out)
        wanted[rows, where_y, where_x] = 1.0
        total = F.binary_cross_entropy_with_logits(out[:, 0], wanted, reduction="none").sum((1, 2))
        of_class = F.cross_entropy(out[rows, 5:, where_y, where_x], labels, reduction="none")
        of_box = (self.boxes(out)[rows, :, where_y, where_x] - sides).abs().sum(1)
        return total.index_add(0, rows, counts * (of_class + _BOX_WEIGHT * of_box))


def _cells_of(truths: Sequence[Boxes], out: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return image, row and column of the cell of each true box, its class, its sides, and 1 if it counts, 0 if not.

    No value is read back from the device.
    """
    rows = torch.cat([torch.full((len(boxes),), row, device=out.device) for row, boxes in enumerate(truths)])
    sides = torch.cat([boxes.xyxy for boxes in truths]).to(out)
    labels = torch.cat([boxes.labels for boxes in truths]).to(out.device)
    column = ((sides[:, 0] + sides[:, 2]) / (2 * _CELL)).long().clamp(0, CELLS - 1)
    row = ((sides[:, 1] + sides[:, 3]) / (2 * _CELL)).long().clamp(0, CELLS - 1)
    place, order = (rows * CELLS + row) * CELLS + column, torch.arange(len(rows), device=out.device)
    last = torch.full((len(out) * CELLS * CELLS,), -1, device=out.device).scatter_reduce(0, place, order, "amax")
    return rows, row, column, labels, sides, (last[place] == order).to(out.dtype)


def _block(inner: int, outer: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU()]
