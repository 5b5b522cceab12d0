"""Adoption of a network from outside: a frozen copy on the device, while the original stays unchanged."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from engine.errors import GibbonError, first_line


def adopted(module: nn.Module, name: str, device: torch.device) -> nn.Module:
    """Return a copy of ``module`` in evaluation mode, with frozen parameters, on ``device``.

    Networks of ``torch.compile`` are unwrapped, since its traces hide the rectifiers.

    Raises
    ------
    GibbonError
        The network has uninitialised weights, or a part that cannot be copied; the sentence names it.
    """
    module = uncompiled(module)
    _refuse_unmade(module, name)
    module = _evaluating(frozen_copy(module, name))
    for path, child in [*module.named_modules()]:
        if path and (plain := uncompiled(child)) is not child:
            module.set_submodule(path, plain)
    # The memory order of the weights decides the last digits, so it is made the same whatever they were before.
    return module.to(device).to(memory_format=torch.contiguous_format)


def frozen_copy(module: nn.Module, name: str) -> nn.Module:
    """Return a copy of ``module`` whose parameters require no gradient.

    Raises
    ------
    GibbonError
        A part of it cannot be copied; the sentence names it.
    """
    try:
        copied = _copy(module)
    except Exception as error:
        path = _culprit(module)
        what = f"its attribute “{path}” cannot be copied" if path else "it cannot be copied"
        raise GibbonError(
            f"The model “{name}” is copied before it is frozen, but {what}: {first_line(error)} "
            "Take it out of the module, or make it where it is used."
        ) from error
    assert isinstance(copied, nn.Module)
    for parameter in copied.parameters():  # one by one, since a TorchScript module cannot do it at once
        parameter.requires_grad_(False)
    return copied


def uncompiled(module: nn.Module) -> nn.Module:
    """Return the network inside a wrapper of ``torch.compile``, or the module itself where there is none."""
    return uncompiled(module._orig_mod) if type(module).__name__ == "OptimizedModule" else module  # type: ignore[arg-type]


def strip_softmax(module: nn.Module, name: str) -> None:
    """Remove the last ``nn.Softmax`` of the network in place.

    Raises
    ------
    GibbonError
        The network has no such module.
    """
    layers = [(path, child) for path, child in module.named_modules() if path and isinstance(child, nn.Softmax)]
    if not layers:
        raise GibbonError(f"The model “{name}” has no Softmax layer that could be removed. Load it with head='log' instead.")
    path = layers[-1][0]
    parent = module.get_submodule(path.rpartition(".")[0])
    setattr(parent, path.rpartition(".")[2], nn.Identity())


class _Copying(TorchFunctionMode):
    """Mode in which ``copy.deepcopy`` also copies sparse tensors and detaches those of a graph or of inference mode.

    Old weight and spectral normalisation, pruning, and networks that keep a feature of their last pass hold such tensors.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``, and copy tensors that have no copy of their own."""
        if func is Tensor.__deepcopy__:
            tensor, memo = args
            if not tensor.is_leaf or tensor.is_inference() or tensor.layout is not torch.strided:
                plain = tensor.detach().clone()
                return memo.setdefault(id(tensor), nn.Parameter(plain, False) if isinstance(tensor, nn.Parameter) else plain)
        return func(*args, **(kwargs or {}))


def _copy(value: Any) -> Any:
    with torch.inference_mode(False), torch.no_grad(), _Copying():
        return copy.deepcopy(value)


def _culprit(module: nn.Module) -> str:
    for path, child in module.named_modules():
        for key, value in vars(child).items():
            if key == "_modules":
                continue
            try:
                _copy(value)
            except Exception:
                return f"{path}.{key}".lstrip(".")
    return ""


def _evaluating(module: nn.Module) -> nn.Module:
    try:
        return module.eval()
    except NotImplementedError:  # torch.export fixes the mode, and its modules refuse to change it
        return module


def _refuse_unmade(module: nn.Module, name: str) -> None:
    for path, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if is_lazy(tensor):
            raise GibbonError(
                f"The model “{name}” has a lazy layer that was never run: “{path}” has no weights yet. Run it on an image first."
            )
        if tensor.is_meta:
            raise GibbonError(f"The model “{name}” has no weights: “{path}” is on the meta device. Load its weights first.")
