"""A GPU that is not there, for finding mixed devices and waits without one.

    with pretended_gpu() as gpu:
        classifier = engine.models.load("signs", device="cuda")
        result = engine.run(attacks.PGD(), classifier, images)
    print(gpu.waits.most_common(5))

A pretended tensor says that it lies on ``cuda:0``, holds its values on the CPU, and refuses to meet a tensor of the CPU as a GPU does.
Every read that would make a program wait for the device (``.item()``, ``.tolist()``, ``.cpu()``, ``nonzero``, ``equal``, a boolean index)
is counted by the line of the engine that asked. With ``float64=False`` it refuses float64, as Apple's GPUs do.

It finds tensors left on the CPU, generators of the wrong device, ``.numpy()`` on the device, and waits. It cannot find wrong kernels, too
little memory, or lost time. The mode belongs to the thread that entered it.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

import engine

DEVICE = torch.device("cuda", 0)
_ENGINE = f"{Path(engine.__file__).parent}{os.sep}"
_ASKS_A_VALUE = {"_local_scalar_dense", "is_nonzero", "equal"}
"""Operations whose answer is a Python value."""
_SIZE_DEPENDS_ON_VALUES = {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "repeat_interleave"}
"""Operations that wait since the shape of what they give depends on values."""
_TAKES_CPU_INDICES = {"index", "index_put", "index_put_", "_index_put_impl_", "lift_fresh", "lift"}
_FORWARDED: dict[str, Callable[..., Any]] = {
    "torch.cuda.is_available": lambda: True,
    "torch.cuda.current_device": lambda: 0,
    "torch.cuda.device_count": lambda: 1,
    "torch.cuda.get_device_name": lambda *_: "pretended GPU",
    "torch.cuda._lazy_init": lambda: None,
    "torch.cuda.synchronize": lambda *_: None,
    "torch.cuda.is_initialized": lambda: True,
    "torch.cuda.empty_cache": lambda: None,
    "torch.cuda.get_rng_state": lambda *_: torch.get_rng_state(),
    "torch.cuda.set_rng_state": lambda *_: None,
    "torch.cuda.mem_get_info": lambda *_: (8 << 30, 16 << 30),
    "torch.accelerator.is_available": lambda: True,
    "torch.accelerator.current_accelerator": lambda **_: torch.device("cuda"),
    "torch.accelerator.current_device_index": lambda: 0,
    "torch.accelerator.device_count": lambda: 1,
    "torch.accelerator.synchronize": lambda *_: None,
    "torch.accelerator.empty_cache": lambda: None,
}
"""What torch says of its devices, and what it says while the GPU is pretended."""


@dataclass
class Gpu:
    """What happened on the pretended device."""

    float64: bool = True
    """Whether it knows float64."""
    operations: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    """How often which line of the engine waited for the device."""
    uploads: Counter[str] = field(default_factory=Counter)
    """How often which line copied a tensor to the device."""

    @property
    def waited(self) -> int:
        """How often the program waited in all."""
        return self.waits.total()


_gpu = Gpu()


def _asking_line() -> str:
    """The innermost line of the engine on the stack."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        place, line = frame.f_code.co_filename, frame.f_lineno
        if place.startswith(_ENGINE):
            return f"{Path(place).relative_to(_ENGINE).as_posix()}:{line} {linecache.getline(place, line).strip()}"
        frame = frame.f_back
    return "outside of the engine"


class Pretended(torch.Tensor):
    """A tensor that says that it lies on the device; its values lie in ``held``, on the CPU."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, real: torch.Tensor) -> Pretended:
        # To torch's C++ code it is a meta tensor: the one device without kernels that every build has.
        tensor = torch.Tensor._make_wrapper_subclass(
            cls,
            real.shape,
            strides=real.stride(),
            storage_offset=real.storage_offset(),
            dtype=real.dtype,
            layout=real.layout,
            device=torch.device("meta"),
            requires_grad=real.requires_grad,
        )
        tensor.held = real
        return tensor

    def __init__(self, real: torch.Tensor) -> None: ...

    __torch_function__ = torch._C._disabled_torch_function_impl

    device = property(lambda self: DEVICE)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    is_meta = property(lambda self: False)

    def __repr__(self) -> str:
        return f"Pretended({self.held!r})"

    def tolist(self) -> Any:
        _gpu.waits[_asking_line()] += 1
        return self.held.tolist()

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()

    def __deepcopy__(self, memo: dict[int, Any]) -> torch.Tensor:
        copied: torch.Tensor = Pretended(self.held.detach().clone())
        if isinstance(self, torch.nn.Parameter):
            copied = torch.nn.Parameter(copied, requires_grad=self.requires_grad)
        else:
            copied.requires_grad_(self.requires_grad)
        memo[id(self)] = copied
        return copied

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Sees operations without a pretended tensor, too: those that make one (``torch.zeros(..., device="cuda")``)."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(func, args, kwargs or {})


def _mapped(tree: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """Return a tree of arguments with every value of a kind changed. Torch's own trees take most of a test's time."""
    if isinstance(tree, kind):
        return change(tree)
    if isinstance(tree, tuple | list):
        return type(tree)([_mapped(value, kind, change) for value in tree])
    if isinstance(tree, dict):
        return {name: _mapped(value, kind, change) for name, value in tree.items()}
    return tree


def _tensors_of(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, tuple | list):
        for value in tree:
            yield from _tensors_of(value)


def _real(tree: Any) -> Any:
    return _mapped(tree, Pretended, lambda tensor: tensor.held)


def _pretended(tree: Any) -> Any:
    def wrap(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype == torch.float64 and not _gpu.float64:
            raise TypeError(f"Cannot convert a tensor to float64, which this device does not know, at {_asking_line()}")
        return tensor if isinstance(tensor, Pretended) else Pretended(tensor)

    return _mapped(tree, torch.Tensor, wrap)


def _dispatch(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do an operation on the CPU's values, with the device's rules."""
    _gpu.operations += 1
    name = func.overloadpacket.__name__
    tensors = list(_tensors_of((args, tuple(kwargs.values()))))
    there = any(isinstance(tensor, Pretended) for tensor in tensors)
    wanted = torch.device(kwargs["device"]) if kwargs.get("device") is not None else None
    if wanted is not None and wanted.type == "meta":  # what C++ sees of a pretended tensor
        wanted = DEVICE
    if name in ("_to_copy", "to"):
        return _copied(func, args, kwargs, there, wanted)
    if name == "copy_":
        func(*_real(args), **_real(kwargs))
        into, of = args[0], args[1]
        if isinstance(into, Pretended) != isinstance(of, Pretended):
            (_gpu.waits if isinstance(of, Pretended) else _gpu.uploads)[_asking_line()] += 1
        return into
    if there and name in _ASKS_A_VALUE | _SIZE_DEPENDS_ON_VALUES:
        _gpu.waits[_asking_line()] += 1
    if name in _ASKS_A_VALUE:
        return func(*_real(args), **_real(kwargs))
    if not there and (wanted is None or wanted.type != "cuda"):
        return func(*args, **kwargs)
    return _done_there(func, args, kwargs, tensors, there, wanted)


def _copied(func: Any, args: Any, kwargs: dict[str, Any], there: bool, wanted: torch.device | None) -> Any:
    """Copy to a device, another type, or another order in memory."""
    to_cpu = wanted.type == "cpu" if wanted is not None else not there
    copied = func(*_real(args), **{**_real(kwargs), **({"device": torch.device("cpu")} if "device" in kwargs else {})})
    if to_cpu:
        if there:
            _gpu.waits[_asking_line()] += 1
        return copied
    if not there:
        _gpu.uploads[_asking_line()] += 1
    return _pretended(copied)


def _done_there(func: Any, args: Any, kwargs: dict[str, Any], tensors: Any, there: bool, wanted: torch.device | None) -> Any:
    name = func.overloadpacket.__name__
    mixed = [tensor for tensor in tensors if not isinstance(tensor, Pretended) and tensor.dim() > 0]
    if there and (wanted is None or wanted.type == "cuda") and mixed and name not in _TAKES_CPU_INDICES:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({func}) at {_asking_line()}"
        )
    real = dict(_real(kwargs))
    if real.get("generator") is not None:
        raise RuntimeError(f"Expected a 'cuda' device type for generator but found 'cpu' ({func}) at {_asking_line()}")
    if wanted is not None:
        real["device"] = torch.device("cpu")
    real.pop("pin_memory", None)
    made = func(*_real(args), **real)
    if wanted is not None and wanted.type == "cpu":
        return made
    made = _pretended(made)
    return return_and_correct_aliasing(func, args, kwargs, made) if there else made


@contextlib.contextmanager
def pretended_gpu(*, float64: bool = True) -> Iterator[Gpu]:
    """Pretend in this thread that there is one GPU, ``cuda:0``."""
    global _gpu
    before, _gpu = _gpu, Gpu(float64)
    homes = {name: (torch.cuda if name.startswith("torch.cuda.") else torch.accelerator) for name in _FORWARDED}
    said = {name: getattr(homes[name], name.rpartition(".")[2]) for name in _FORWARDED}
    for name, answer in _FORWARDED.items():
        setattr(homes[name], name.rpartition(".")[2], answer)
    with contextlib.suppress(AttributeError):
        torch._C._ensureCUDADeviceGuardSet()
    lifted = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with _Mode():
            yield _gpu
    finally:
        torch._C._set_only_lift_cpu_tensors(lifted)
        for name, answer in said.items():
            setattr(homes[name], name.rpartition(".")[2], answer)
        _gpu = before
