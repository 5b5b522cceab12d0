"""Explanations of networks that fail when loaded. A cause is named only where a trial has confirmed it."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Tensor, nn

from engine.devices import is_out_of_memory
from engine.errors import GibbonError, first_line

_BATCHES = (3, 4, 8, 16, 32, 64)
_SIDES = (28, 32, 64, 96, 128, 224, 256, 299, 384)
_CHANNELS = (3, 1, 4)


def explained(error: Exception, module: nn.Module, images: Tensor, name: str) -> GibbonError:
    """Explain why a network fails on ``images`` ``(2, C, H, W)``, with the remedy that a trial confirmed.

    The trials, in order: memory, the arguments, one image alone, other numbers of images, one type for all weights, other sizes.
    """
    shape = tuple(images.shape[1:])
    failed = f"The model “{name}” fails on an image of shape {shape}: {first_line(error)}"
    if is_out_of_memory(error):
        return GibbonError(
            f"The model “{name}” needs more memory for an image of shape {shape} than {images.device} has. Choose another device."
        )
    if isinstance(error, TypeError) and "argument" in str(error):
        return GibbonError(f"{failed} Wrap it so that its forward takes the images alone.")
    if _runs(module, images[:1]):
        return GibbonError(
            f"The model “{name}” takes one image at a time and fails on two: {first_line(error)} "
            "Its number of images was fixed, as by view(1, -1) or an export: let it vary, or call the module on row after row in a wrapper."
        )
    if found := _batch(module, images):
        return GibbonError(
            f"The model “{name}” takes {found} images at a time and no other number: {first_line(error)} "
            "Export it with a number of images that may vary."
        )
    if (cause := _device(error, module, images)) is not None:
        return GibbonError(f"{failed} {cause}")
    if _runs_in_one_type(module, images):
        types = ", ".join(sorted({str(value.dtype).removeprefix("torch.") for value in _floating(module)}))
        return GibbonError(f"{failed} Its weights are of types that do not fit together ({types}). Convert them to one: module.float().")
    if (other := _shape(module, images)) is not None:
        return GibbonError(f"{failed} It runs on {other}: give the input shape that it was trained for.")
    if _channels_differ(module, shape[0]):
        return GibbonError(
            f"{failed} Its first convolution takes another number of channels. Give the input shape that it was trained for."
        )
    return GibbonError(
        f"{failed} It fails on other common sizes, too: look at its forward pass, or give the input shape that it was trained for."
    )


def not_finite(module: nn.Module, images: Tensor, name: str) -> GibbonError:
    """Explain that a network returns NaN or infinite logits, with the cause that a trial confirmed."""
    said = f"The model “{name}” gives NaN or infinite logits"
    for path, value in (*module.named_parameters(), *module.named_buffers()):
        if value.is_floating_point() and value.layout is torch.strided and not bool(value.isfinite().all()):
            return GibbonError(f"{said}: its weights are damaged, “{path}” holds such values. Load another file.")
    if images.dtype in (torch.float16, torch.bfloat16) and _finite_in_float32(module, images):
        kind = str(images.dtype).removeprefix("torch.")
        return GibbonError(f"{said} in {kind}, but not in float32: its values leave the range of that type. Convert it: module.float().")
    return GibbonError(
        f"{said} although all its weights are finite. Look for a division by zero, a logarithm or a root in its forward pass."
    )


def _runs(module: nn.Module, images: Tensor) -> bool:
    try:
        with torch.no_grad():
            output = module(images)
    except Exception:
        return False
    return not isinstance(output, Tensor) or (output.dim() > 0 and len(output) == len(images))


def _batch(module: nn.Module, images: Tensor) -> int | None:
    return next((count for count in _BATCHES if _runs(module, images[:1].expand(count, -1, -1, -1).contiguous())), None)


def _shape(module: nn.Module, images: Tensor) -> tuple[int, int, int] | None:
    channels, height, width = images.shape[1:]
    same = itertools.product(dict.fromkeys((channels, *_CHANNELS)), dict.fromkeys(((height, width), *((side, side) for side in _SIDES))))
    for c, (h, w) in same:
        if (c, h, w) != (channels, height, width) and _runs(module, images.new_full((2, c, h, w), 0.5)):
            return c, h, w
    return None


def _device(error: Exception, module: nn.Module, images: Tensor) -> str | None:
    text = str(error).lower()
    if "same device" in text:
        return f"A tensor in it is not on {images.device}: make it a buffer (register_buffer), so that it moves with the module."
    if images.device.type == "cpu" and any(sign in text for sign in ("cuda", "nvidia")):
        return "Its forward pass asks for CUDA, which is not here. Let it use the device of the images: x.device."
    return None


def _runs_in_one_type(module: nn.Module, images: Tensor) -> bool:
    if len({value.dtype for value in _floating(module)}) < 2:
        return False
    try:
        return _runs(copy.deepcopy(module).float(), images.float())
    except Exception:
        return False


def _finite_in_float32(module: nn.Module, images: Tensor) -> bool:
    try:
        output = copy.deepcopy(module).float()(images.float())
    except Exception:
        return False
    return bool(output.isfinite().all())


def _floating(module: nn.Module) -> list[Tensor]:
    return [value for value in (*module.parameters(), *module.buffers()) if value.is_floating_point()]


def _channels_differ(module: nn.Module, channels: int) -> bool:
    first = next((child for child in module.modules() if isinstance(child, nn.Conv2d)), None)
    return first is not None and first.in_channels != channels
