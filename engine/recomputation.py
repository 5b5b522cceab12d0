"""Checkpointed layers without recomputation: nothing is computed a second time in the backward pass.

``torch.utils.checkpoint`` drops activations and calls the layers again while gradients are computed. A bound or a replaced activation acts
in the forward pass only, so that the gradients of such layers would be those of another network; and its reentrant form cannot be
differentiated by ``torch.autograd.grad`` at all. Within `computed_once`, which holds for the calling thread alone, checkpoints call their
function and nothing else.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.utils import checkpoint

_GENERATORS = ("_checkpoint_without_reentrant_generator_impl", "_checkpoint_without_reentrant_generator")
"""Generators around a call of the form that is not reentrant: the first step runs before the call, the second after it."""


class _Plain(threading.local):
    depth = 0


_plain = _Plain()


@contextmanager
def computed_once() -> Iterator[None]:
    """While active, checkpoints in this thread call their function directly."""
    _plain.depth += 1
    try:
        yield
    finally:
        _plain.depth -= 1


def _around() -> Iterator[None]:
    yield


def _install() -> None:
    """Wrap the two forms of the checkpoint once; outside of `computed_once` they behave as before.

    The wrapped names are torch's own, since networks import ``checkpoint`` itself by name, long before they are loaded here. Where a
    version of torch has other names, nothing is wrapped, and the inspection of a network finds out that it computes layers again.
    """
    for name in _GENERATORS:
        if hasattr(checkpoint, name):
            setattr(checkpoint, name, _unless_plain(getattr(checkpoint, name), lambda *args, **kwargs: _around()))
    reentrant = checkpoint.CheckpointFunction
    reentrant.apply = staticmethod(_unless_plain(reentrant.apply, lambda function, preserve, *args: function(*args)))


def _unless_plain(usual: Callable[..., Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(usual)
    def chosen(*args: Any, **kwargs: Any) -> Any:
        return (plain if _plain.depth else usual)(*args, **kwargs)

    return chosen


_install()
