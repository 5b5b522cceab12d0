"""Values inside a record, such as images without a file and drawn masks."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, field_validator
from torch import Tensor

from engine.errors import GibbonError

_VALUES_LIMIT = 2**26


class Part(BaseModel):
    """A frozen part of a record, which refuses unknown entries.

    The docstrings of its fields are for readers of the code alone: to read them at run time would take a third of a record's import.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Packed(Part):
    """Values kept inside the record, such as an image without a file or a drawn mask."""

    shape: tuple[int, ...]
    zlib: str
    """The deflated little-endian float32 bytes, in Base64."""

    @field_validator("shape")
    @classmethod
    def _sized(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if any(side < 1 for side in shape) or math.prod(shape) > _VALUES_LIMIT:
            raise ValueError("such an array cannot be held")
        return shape

    @classmethod
    def of(cls, values: Tensor) -> Self:
        """Pack a tensor into a record."""
        data = np.ascontiguousarray(values.detach().cpu().numpy().astype("<f4"))
        return cls(shape=tuple(values.shape), zlib=base64.b64encode(zlib.compress(data.tobytes(), 9)).decode())

    def tensor(self) -> Tensor:
        """Unpack the tensor from the record.

        Raises
        ------
        GibbonError
            The bytes are damaged, or their number does not fit the shape.
        """
        size = 4 * math.prod(self.shape)
        try:
            # One byte more than expected suffices to notice excess: a small file must not unpack into all memory.
            data = zlib.decompressobj().decompress(base64.b64decode(self.zlib, validate=True), size + 1)
        except (ValueError, zlib.error):
            data = b""
        if len(data) != size:
            raise GibbonError("The record's packed pixels are damaged. Use the record's original file.")
        return torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32).reshape(self.shape))
