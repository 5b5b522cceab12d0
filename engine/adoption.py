"""Adoption: a stranger's network becomes a frozen copy on the device, and the original stays as it was."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from engine.errors import GibbonError, first_line


def adopted(module: nn.Module, name: str, device: torch.device) -> nn.Module:
    """A copy of ``module`` in evaluation mode, with frozen parameters, on ``device``.

    Networks of ``torch.compile`` are taken out of their wrapping, since its traces hide the rectifiers.

    Raises
    ------
    GibbonError
        It has weights that were never made, or something in it cannot be copied; the sentence says what.
    """
    module = uncompiled(module)
    _refuse_unmade(module, name)
    module = _evaluating(frozen_copy(module, name))
    for path, child in [*module.named_modules()]:
        if path and (plain := uncompiled(child)) is not child:
            module.set_submodule(path, plain)
    # The order of the weights in memory decides the last digits: one order, wherever they come from.
    return module.to(device).to(memory_format=torch.contiguous_format)


def frozen_copy(module: nn.Module, name: str) -> nn.Module:
    """A copy of ``module`` whose parameters ask for no gradient.

    Raises
    ------
    GibbonError
        Something in it cannot be copied; the sentence says what.
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
    """The network inside a wrapping of ``torch.compile``; any other module itself."""
    return uncompiled(module._orig_mod) if type(module).__name__ == "OptimizedModule" else module  # type: ignore[arg-type]


def strip_softmax(module: nn.Module, name: str) -> None:
    """Replace the last ``nn.Softmax`` by nothing.

    Raises
    ------
    GibbonError
        There is none.
    """
    layers = [(path, child) for path, child in module.named_modules() if path and isinstance(child, nn.Softmax)]
    if not layers:
        raise GibbonError(f"The model “{name}” has no Softmax layer that could be removed. Load it with head='log' instead.")
    path = layers[-1][0]
    parent = module.get_submodule(path.rpartition(".")[0])
    setattr(parent, path.rpartition(".")[2], nn.Identity())


class _Copying(TorchFunctionMode):
    """While active, ``copy.deepcopy`` also copies sparse tensors, and those of a graph or of inference mode: without either.

    Old weight and spectral normalisation, pruning, and networks that keep a feature of their last pass hold such tensors.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run ``func``; copy the tensors that cannot copy themselves."""
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
    except NotImplementedError:  # exported by torch.export: its mode was fixed then
        return module


def _refuse_unmade(module: nn.Module, name: str) -> None:
    for path, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if is_lazy(tensor):
            raise GibbonError(
                f"The model “{name}” has a lazy layer that was never run: “{path}” has no weights yet. Run it on an image first."
            )
        if tensor.is_meta:
            raise GibbonError(f"The model “{name}” has no weights: “{path}” is on the meta device. Load its weights first.")
