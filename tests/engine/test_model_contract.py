"""One contract of what a model must be: what departs from it is said when the model is made, and in every result; the rest is refused."""

from __future__ import annotations

import copy
import random
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

import engine
from engine import Classifier, attacks
from engine.class_names import class_called
from engine.errors import GibbonError

TEN = [str(number) for number in range(10)]
SHAPE = (3, 16, 16)


def body(classes: int = 10, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, classes)]
    return nn.Sequential(*layers)


class Own(nn.Module):
    """A network whose forward pass a test writes."""

    def __init__(self, forward: Callable[[Own, Tensor], Any], **parts: Any) -> None:
        super().__init__()
        self.n, self.how = body(), forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Any:
        return self.how(self, x)


def made(module: Any, labels: Any = TEN, shape: Any = SHAPE, **more: Any) -> Classifier:
    return Classifier(module, labels, shape, device="cpu", **more)


@pytest.fixture
def x() -> Tensor:
    return torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(1))


# ------------------------------------------------------------------ deterministic

RANDOM = {
    "dropout": lambda s, x: s.n[4](F.dropout(s.n[:4](x))),
    "global noise": lambda s, x: s.n(x + 1e-4 * torch.randn_like(x)),
    "noise on the logits": lambda s, x: s.n(x) + 1e-6 * torch.rand(10),
    "NumPy": lambda s, x: s.n(x * float(np.random.uniform(0.9, 1.0))),  # noqa: NPY002
    "Python": lambda s, x: s.n(x * random.uniform(0.9, 1.0)),
    "a generator of its own": lambda s, x: s.n(x + 0.1 * torch.randn(x.shape, generator=GENERATOR)),
    "seldom": lambda s, x: s.n(x) if random.random() < 0.5 else s.n(0.9 * x),
}
GENERATOR = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("kind", RANDOM)
def test_a_random_model_is_said_to_be_one(kind: str, x: Tensor) -> None:
    random.seed(5)
    classifier = made(Own(RANDOM[kind]))
    assert classifier.contract.random
    assert not classifier.contract.mixes_rows
    (note,) = classifier.card["notes"]
    assert note.startswith("The model is random")
    assert note in engine.run(attacks.FGSM(), classifier, x).remarks
    assert note in engine.run(attacks.Square(max_queries=5), classifier, x).remarks
    assert classifier.to("cpu").contract.random
    assert note in engine.run(attacks.FGSM(), classifier.derive(size=20), torch.rand(1, 3, 20, 20)).remarks


def test_a_generator_that_is_seeded_in_every_pass_is_not_random(x: Tensor) -> None:
    def forward(s: Own, x: Tensor) -> Tensor:
        noise = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(3))
        torch.rand(2)  # drawn and not used
        return s.n(x + 0.1 * noise)

    classifier = made(Own(forward))
    assert classifier.contract == engine.contract.Contract()
    assert "notes" not in classifier.card
    assert engine.run(attacks.FGSM(), classifier, x).remarks == ()


def test_looking_at_a_model_moves_no_random_state() -> None:
    noisy = Own(lambda s, x: s.n(x + torch.randn_like(x) * random.random() * np.random.rand()))  # noqa: NPY002
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index,union-attr]  # noqa: NPY002
    made(noisy).derive(before=[torch.rand_like])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()  # type: ignore[index,union-attr]  # noqa: NPY002


def jitter(images: Tensor) -> Tensor:
    """A random preprocessing."""
    return images + 0.1 * torch.rand_like(images)


def stretched(images: Tensor) -> Tensor:
    """A preprocessing that looks at the whole batch."""
    return (images - images.amin()) / (images.amax() - images.amin())


def test_a_derived_classifier_has_a_contract_of_its_own(x: Tensor) -> None:
    plain = made(body())
    noisy, mixing = plain.derive(before=[jitter]), plain.derive(before=[stretched])
    assert (noisy.contract.random, noisy.contract.mixes_rows) == (True, False)
    assert (mixing.contract.random, mixing.contract.mixes_rows) == (False, True)
    assert plain.derive(activations={plain.sites[0].name: torch.rand_like}).contract.random
    assert plain.contract == plain.derive(before=[torch.round, nn.Dropout()]).contract
    assert any("random" in remark for remark in engine.run(attacks.FGSM(), noisy, x).remarks)
    assert "notes" not in plain.card


# ------------------------------------------------------------------ a row independent of its batch


def batch_norm() -> nn.Module:
    module = body()
    return nn.Sequential(module[0], nn.BatchNorm2d(8, track_running_stats=False), *module[1:])


def quantised() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(body(), {nn.Linear})


MIXING: dict[str, Callable[[], nn.Module]] = {
    "batch norm without statistics": batch_norm,
    "centred on the batch": lambda: Own(lambda s, x: s.n(x - 0.01 * x.mean())),
    "divided by the number of images": lambda: Own(lambda s, x: s.n(x) / len(x)),
    "quantised by the batch's range": quantised,
    "in bfloat16": lambda: Own(lambda s, x: s.n(x - x.mean().bfloat16())).bfloat16(),
}


@pytest.mark.parametrize("kind", MIXING)
def test_a_model_that_judges_batches_is_said_to_do_so(kind: str, x: Tensor) -> None:
    classifier = made(MIXING[kind]())
    assert (classifier.contract.mixes_rows, classifier.contract.random) == (True, False)
    (note, *_) = classifier.card["notes"]
    assert note.startswith("The model does not judge an image alone")
    assert note in engine.run(attacks.Square(max_queries=3), classifier, x).remarks


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("width", [1, 32])
def test_rounding_is_not_taken_for_company(dtype: torch.dtype, width: int) -> None:
    """Other numbers of rows are computed by other kernels; a deep network with large logits makes the most of it."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 8 * width, 3), nn.ReLU()]
    for _ in range(4):
        layers += [nn.Conv2d(8 * width, 8 * width, 3, padding=1), nn.BatchNorm2d(8 * width), nn.GELU()]
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32 * width, 10), nn.LayerNorm(10)).to(dtype)
    assert made(module).contract == engine.contract.Contract()


# ------------------------------------------------------------------ finite, floating, one row an image

REFUSED: dict[str, tuple[Callable[[], nn.Module], tuple[str, ...]]] = {
    "whole numbers": (lambda: Own(lambda s, x: (100 * s.n(x)).round().long()), ("int64 instead of floating logits",)),
    "a verdict": (lambda: Own(lambda s, x: s.n(x) > 0), ("torch.bool instead of floating logits",)),
    "infinite": (lambda: Own(lambda s, x: s.n(x) / 0), ("NaN or infinite logits although all its weights are finite",)),
    "overflow": (lambda: Own(lambda s, x: (s.n(x) * 3e4) * 3e4).half(), ("in float16, but not in float32", "module.float()")),
    "a dict": (lambda: Own(lambda s, x: {"logits": s.n(x)}), ("gives dict for two images",)),
    "a map": (lambda: body()[:3], ("not two rows of logits",)),
    "one image": (lambda: Own(lambda s, x: s.n(x.view(1, 3, 16, 16))), ("takes one image at a time", "wrapper")),
    "eight images": (lambda: Own(lambda s, x: s.n(x.view(8, 3, 16, 16))), ("takes 8 images at a time",)),
    "never one": (
        lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(768, track_running_stats=False), nn.Linear(768, 10)),
        ("fails on one",),
    ),
    "squeezed": (lambda: Own(lambda s, x: s.n(x).squeeze(0)), ("for one image, not one row of logits",)),
    "CUDA": (lambda: Own(lambda s, x: s.n(x.cuda())), ("asks for CUDA", "x.device")),
    "types": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 1).double(), nn.Flatten(), nn.Linear(1024, 10)),
        ("float32, float64", "module.float()"),
    ),
    "another size": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)), ("It runs on (3, 32, 32)",)),
    "another channel": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10)), ("It runs on (1, 28, 28)",)),
    "two inputs": (lambda: Two(), ("missing 1 required positional argument", "takes the images alone")),
    "another fault": (lambda: Own(lambda s, x: s.n(x) + torch.zeros(3)), ("look at its forward pass",)),
    "lazy": (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), ("lazy layer that was never run",)),
    "meta": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 10, device="meta")), ("has no weights",)),
}


class Two(nn.Module):
    def forward(self, images: Tensor, mask: Tensor) -> Tensor:
        return images * mask


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_names_the_cause_and_the_cure(kind: str) -> None:
    make, words = REFUSED[kind]
    with pytest.raises(GibbonError) as refusal:
        made(make(), name="mine")
    for word in ("“mine”", *words):
        assert word in str(refusal.value)


def test_damaged_weights_are_named() -> None:
    module = body()
    module[4].bias.data[3] = torch.inf
    with pytest.raises(GibbonError, match=r"“4\.bias” holds such values"):
        made(module)


def test_probabilities_are_seen_in_half_precision_too() -> None:
    with pytest.raises(GibbonError, match="ends in probabilities"):
        made(nn.Sequential(body(), nn.Softmax(1)).bfloat16())
    with pytest.raises(GibbonError, match="no probabilities, so head='log'"):
        made(body(), head="log")


def test_the_outputs_of_a_sigmoid_are_noted(x: Tensor) -> None:
    classifier = made(nn.Sequential(body(), nn.Sigmoid()))
    assert classifier.contract.squashed
    assert any("as after a sigmoid" in remark for remark in engine.run(attacks.FGSM(), classifier, x).remarks)
    assert not made(nn.Sequential(body(), nn.Sigmoid()), head="log").contract.squashed
    small = body()
    small[4].weight.data = small[4].weight.data.abs() / 100  # its logits lie in [0, 1] on images, and not everywhere
    small[4].bias.data.fill_(0.5)
    with torch.no_grad():
        assert bool(((small(x) >= 0) & (small(x) <= 1)).all())
    assert not made(small).contract.squashed
    nn.init.zeros_(small[4].weight)
    assert not made(small).contract.squashed


# ------------------------------------------------------------------ pixels and logits


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_pixels_stay_float32_whatever_the_weights_are(dtype: torch.dtype, x: Tensor) -> None:
    classifier = made(body().to(dtype), mean=[0.5] * 3, std=[0.25] * 3)
    assert classifier.dtype is classifier(x).dtype is torch.float32
    for level in (0, 100, 200, 254):
        for attack in (attacks.FGSM(eps=1 / 255), attacks.PGD(eps=1 / 255, steps=10)):
            found = engine.run(attack, classifier, torch.full((1, *SHAPE), level / 255))
            assert found.adversarial.dtype is torch.float32
            torch.testing.assert_close(found.norms["linf"], torch.tensor([1 / 255]), rtol=1e-5, atol=0)
    recorded = classifier.record(x).activations["1"]
    assert recorded.dtype is torch.float32
    with torch.no_grad():
        expected = classifier.module(((x - 0.5) / 0.25).to(dtype))
    assert torch.equal(classifier(x), expected.float())


def test_a_first_parameter_of_another_type_does_not_choose_for_all(x: Tensor) -> None:
    for odd in (torch.float64, torch.bfloat16):
        module = Own(lambda s, x: s.n(x) * s.scale.float())
        module.register_parameter("scale", nn.Parameter(torch.ones(1, dtype=odd)))
        assert next(module.parameters()).dtype is odd
        classifier = made(module)
        assert classifier.dtype is torch.float32
        torch.testing.assert_close(classifier(x), body()(x))
    assert made(body().double()).dtype is torch.float64


@pytest.mark.parametrize("kind", ["double at the end", "autocast inside", "bfloat16 at the end"])
def test_logits_are_cast_once_where_they_enter(kind: str, x: Tensor) -> None:
    def autocast(s: Own, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return s.n(x)

    hows = {
        "double at the end": lambda s, x: s.n(x).double(),
        "autocast inside": autocast,
        "bfloat16 at the end": lambda s, x: s.n(x).bfloat16(),
    }
    classifier = made(Own(hows[kind]))
    assert classifier(x).dtype is classifier.score(x).dtype is torch.float32
    several = (
        attacks.DeepFool(),
        attacks.FMN(steps=5),
        attacks.DDN(steps=5),
        attacks.CarliniWagnerL2(steps=5),
        attacks.CarliniWagnerLinf(),
    )
    for attack in several:
        assert engine.run(attack, classifier, x).logits.dtype is torch.float32


# ------------------------------------------------------------------ strangers' modules


def kept_feature() -> nn.Module:
    def forward(s: Own, x: Tensor) -> Tensor:
        s.kept = [{"feature": s.n[0](x)}]
        return s.n[1:](s.kept[0]["feature"])

    module = Own(forward)
    module(torch.rand(2, *SHAPE))
    return module


def normalised(how: Callable[[nn.Module], object], layer: int) -> nn.Module:
    module = body()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        how(module[layer])
    module(torch.rand(2, *SHAPE))
    return module


def pruned() -> nn.Module:
    from torch.nn.utils import prune

    module = body()
    prune.l1_unstructured(module[0], "weight", 0.3)
    return module


def scripted(how: str) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = body().eval()
        if how == "freeze":
            return torch.jit.freeze(torch.jit.script(module))
        return torch.jit.script(module) if how == "script" else torch.jit.trace(module, torch.rand(2, *SHAPE))


def in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return body()


STRANGERS: dict[str, Callable[[], nn.Module]] = {
    "weight_norm": lambda: normalised(nn.utils.weight_norm, 4),
    "spectral_norm": lambda: normalised(nn.utils.spectral_norm, 0),
    "parametrised": lambda: normalised(nn.utils.parametrizations.weight_norm, 4),
    "pruned": pruned,
    "kept feature": kept_feature,
    "traced": lambda: scripted("trace"),
    "scripted": lambda: scripted("script"),
    "frozen": lambda: scripted("freeze"),
    "compiled": lambda: torch.compile(body().eval(), backend="eager"),
    "compiled in part": lambda: nn.Sequential(torch.compile(body()[:3].eval(), backend="eager"), *body()[3:]),
    "in inference mode": in_inference_mode,
    "reentrant checkpoint": lambda: Own(lambda s, x: s.n[2:](checkpoint(s.n[:2], x, use_reentrant=True))),
}


@pytest.mark.parametrize("kind", STRANGERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_strangers_module_is_copied_and_attacked(kind: str, x: Tensor) -> None:
    module = STRANGERS[kind]()
    classifier = made(module)
    with torch.no_grad():
        torch.testing.assert_close(classifier(x), module.eval()(x) if kind != "frozen" else module(x))
    assert classifier.contract.differentiable
    assert not any(parameter.requires_grad for parameter in classifier.module.parameters())
    result = engine.run(attacks.PGD(steps=2), classifier, x)
    assert bool((result.norms["linf"] > 0).all())
    assert len(classifier.fingerprint) == 16
    assert classifier.fingerprint == made(STRANGERS[kind]()).fingerprint
    if "compiled" in kind:
        assert len(classifier.record(x).activations) == 1


def test_what_cannot_be_copied_is_named() -> None:
    module = body()
    module[2].lock = threading.Lock()
    with pytest.raises(GibbonError, match=r"its attribute “2\.lock” cannot be copied"):
        made(module)


# ------------------------------------------------------------------ fingerprints


class Extra(nn.Linear):
    """A layer with state beside its tensors."""

    value: Any = None

    def get_extra_state(self) -> Any:
        return self.value

    def set_extra_state(self, state: Any) -> None: ...


def with_extra(value: Any) -> str:
    torch.manual_seed(0)
    layer = Extra(768, 10)
    layer.value = value
    return made(nn.Sequential(nn.Flatten(), layer)).fingerprint


def test_the_fingerprint_knows_state_of_any_kind() -> None:
    dense = torch.arange(12.0).reshape(3, 4) * (torch.arange(12).reshape(3, 4) % 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = [torch.quantize_per_tensor(dense, scale, 0, torch.qint8) for scale in (0.1, 0.2)]
        csr = dense.to_sparse_csr()
        values: list[Any] = [None, {}, {"v": 1}, {"v": 2}, {"v": 2.0}, [1, 2], (1, 2), b"12", "12", np.arange(3), np.arange(3.0), {1, 2}]
        values += [dense, dense.to_sparse(), csr, (2 * dense).to_sparse(), dense.bfloat16(), dense.bool(), dense + 1j, *quantised]
        prints = [with_extra(value) for value in values]
        assert prints == [with_extra(value.clone() if isinstance(value, Tensor) else copy.deepcopy(value)) for value in values]
    assert len(set(prints)) == len(values)
    with pytest.raises(GibbonError, match="no fingerprint"):
        with_extra(iter(lambda: 1, 2))


def test_the_fingerprints_of_ordinary_models_are_those_of_old_records() -> None:
    """The bytes that were hashed when the first records were written, spelled out."""
    import hashlib
    import json

    classifier = made(body(), mean=[0.1, 0.2, 0.3], std=[0.5, 0.25, 0.125])
    mean, std = ([[[torch.tensor(v).item()]] for v in values] for values in ([0.1, 0.2, 0.3], [0.5, 0.25, 0.125]))
    found = hashlib.sha256(repr((classifier.module, "logits", SHAPE, mean, std)).encode())
    for name, value in sorted(body().state_dict().items()):
        found.update(f"{name}{value.dtype}{tuple(value.shape)}".encode() + value.numpy().tobytes())
    expected = hashlib.sha256((found.hexdigest() + json.dumps(({}, {}, [], SHAPE))).encode()).hexdigest()[:16]
    assert classifier.fingerprint == expected


# ------------------------------------------------------------------ gradients

NO_GRADIENT: dict[str, Callable[[], nn.Module]] = {
    "quantised": quantised,
    "NumPy inside": lambda: Own(lambda s, x: s.n(torch.from_numpy(x.cpu().numpy()))),
    "detached": lambda: Own(lambda s, x: s.n(x.detach())),
    "a list": lambda: Own(lambda s, x: torch.tensor(s.n(x).tolist())),
    "rounded by its own function": lambda: Own(lambda s, x: s.n(NoWayBack.apply(x))),
}


class NoWayBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> None:
        return None


@pytest.mark.parametrize("kind", NO_GRADIENT)
def test_a_model_without_gradients_is_for_attacks_on_scores(kind: str, x: Tensor) -> None:
    classifier = made(NO_GRADIENT[kind]())
    assert not classifier.contract.differentiable
    assert any("passes no gradient" in note for note in classifier.card["notes"])
    for attack in (attacks.PGD(steps=2), attacks.DeepFool(), attacks.JSMA()):
        with pytest.raises(GibbonError, match="passes no gradient to its input"):
            engine.run(attack, classifier, x)
    scores = engine.run(attacks.Square(max_queries=5), classifier, x)
    assert not any("gradient" in remark for remark in scores.remarks)
    assert classifier.threads() >= 1


CHECKPOINTED: dict[str, Callable[[Own, Tensor], Tensor]] = {
    "plain": lambda s, x: s.n(x),
    "checkpoint": lambda s, x: s.n[2:](checkpoint(s.n[:2], x, use_reentrant=False)),
    "reentrant": lambda s, x: s.n[2:](checkpoint(s.n[:2], x, use_reentrant=True)),
    "sequential": lambda s, x: s.n[4](checkpoint_sequential(s.n[:4], 2, x, use_reentrant=False)),
    "nested": lambda s, x: checkpoint(lambda y: s.n[2:](checkpoint(s.n[:2], y, use_reentrant=False)), x, use_reentrant=False),
}


@pytest.mark.parametrize("kind", CHECKPOINTED)
def test_checkpointed_layers_are_bounded_and_replaced_as_others(kind: str, x: Tensor) -> None:
    plain, classifier = (made(Own(CHECKPOINTED[name])) for name in ("plain", kind))
    assert not classifier.contract.computes_again
    site = classifier.sites[0].name
    for changes in ({}, {"activations": {site: torch.tanh}}, {"bounds": {site: 0.05}}):
        gradients = []
        for model in (plain.derive(**changes), classifier.derive(**changes)):  # type: ignore[arg-type]
            z = x.clone().requires_grad_()
            gradients.append(torch.autograd.grad(model(z)[:, 0].sum(), z)[0])
        torch.testing.assert_close(gradients[1], gradients[0])
    bounded = engine.run(attacks.PGD(steps=2), classifier.derive(bounds={site: 0.05}), x)
    assert torch.equal(bounded.adversarial, engine.run(attacks.PGD(steps=2), plain.derive(bounds={site: 0.05}), x).adversarial)


def test_checkpoints_elsewhere_compute_again_as_ever(x: Tensor) -> None:
    calls: list[int] = []

    def layer(y: Tensor) -> Tensor:
        calls.append(1)
        return y.sin()

    for reentrant in (True, False):
        calls.clear()
        checkpoint(layer, x.clone().requires_grad_(), use_reentrant=reentrant).sum().backward()
        assert len(calls) == 2


class Again(torch.autograd.Function):
    """A checkpoint of somebody's own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        with torch.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            return torch.autograd.grad(torch.relu(x), x, gradient)[0]


def test_a_checkpoint_of_ones_own_is_found_out() -> None:
    classifier = made(Own(lambda s, x: s.n[2:](Again.apply(s.n[0](x)))))
    assert classifier.contract.computes_again
    with pytest.raises(GibbonError, match="again in the backward pass"):
        classifier.derive(bounds={classifier.sites[0].name: 1.0})


def test_inference_mode_around_the_caller_changes_nothing(x: Tensor) -> None:
    expected = engine.run(attacks.PGD(steps=3), made(body()), x, torch.arange(4))
    with torch.inference_mode():
        inside = [engine.run(attacks.PGD(steps=3), made(body()), images, torch.arange(4)) for images in (x, x.clone())]
        classifier = made(body()).derive(before=[nn.Conv2d(3, 3, 1)])
    for result in inside:
        assert torch.equal(result.adversarial, expected.adversarial)
    assert bool((engine.run(attacks.PGD(steps=2), classifier, x).norms["linf"] > 0).all())


# ------------------------------------------------------------------ rectifiers that vary


def test_rectifier_calls_that_vary_from_pass_to_pass(x: Tensor) -> None:
    def forward(s: Own, x: Tensor) -> Tensor:
        s.passes = getattr(s, "passes", 0) + 1
        return s.n(torch.relu(x) if s.passes % 2 else x)

    classifier = made(Own(forward))
    assert classifier.contract.sites_vary
    assert classifier.sites == ()
    assert any("other rectifiers" in note for note in classifier.card["notes"])
    assert classifier.record(x).activations == {}
    assert engine.explain.observe(classifier, x[0], x[1]).layers == ()


def test_rectifier_calls_that_vary_with_the_image(x: Tensor) -> None:
    classifier = made(Own(lambda s, x: s.n(torch.relu(x) if bool((x < 0.01).all()) else x)))
    (site,) = classifier.sites
    dark = torch.zeros_like(x)
    assert list(classifier.record(x).activations) == [site.name]
    assert classifier.record(dark).activations == {}
    assert engine.explain.observe(classifier, dark[0], dark[1]).layers == ()
    for work in (lambda: classifier.record(dark, [site.name]), lambda: classifier.derive(bounds={site.name: 1.0})(dark)):
        with pytest.raises(GibbonError, match="2 rectifier calls in this pass and 1 when it was loaded"):
            work()


# ------------------------------------------------------------------ arguments


def test_labels_come_in_many_forms() -> None:
    expected = ("cat", "dog", "bird")
    hugging, inverse = {"2": "bird", "0": "cat", "1": "dog"}, {"dog": 1, "bird": 2, "cat": 0}
    for labels in (list(expected), {0: "cat", 2: "bird", 1: "dog"}, hugging, inverse, np.array(expected), iter(expected)):
        assert made(body(3), labels).labels == expected
    assert made(body(3), torch.arange(3)).labels == made(body(3), range(3)).labels == ("0", "1", "2")


def test_classes_of_one_name_are_told_apart() -> None:
    assert made(body(4), ["crane", "dog", "crane", "dog (1)"]).labels == ("crane (0)", "dog", "crane (2)", "dog (1)")
    told = made(body(5), ["a", "a", "a (0)", "b", "a (0)"]).labels
    assert len(set(told)) == 5
    again = made(body(5), told)
    assert again.labels == told
    assert again.fingerprint == made(body(5), TEN[:5]).fingerprint


def test_a_name_that_several_classes_share_is_refused_and_a_class_is_found_by_what_it_is_called() -> None:
    shared = made(body(4), ["crane", "Dog", "crane", "7"]).labels
    for labels in (shared, ("crane", "Dog", "crane", "7")):
        with pytest.raises(GibbonError, match=r"^Two classes are called crane: 0 and 2\. Give the number\.$"):
            class_called("crane", labels)
        assert [class_called(text, labels) for text in ("dog", "0", " 2 ", "7")] == [1, 0, 2, 3]
    assert [class_called(text, shared) for text in ("crane (0)", "Crane (2)")] == [0, 2]
    assert [class_called(text, ("Polish", "polish")) for text in ("Polish", "polish")] == [0, 1]
    with pytest.raises(GibbonError, match="Two classes are called POLISH: 0 and 1"):
        class_called("POLISH", ("Polish", "polish"))
    with pytest.raises(GibbonError, match=r"no class “dgo” for --target\. Did you mean “Dog”"):
        class_called("dgo", shared, "--target")
    with pytest.raises(GibbonError, match="--label 4 is no class: the model has 0 to 3"):
        class_called("4", shared, "--label")


ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "no module": ((None, TEN, SHAPE), {}, "is of type NoneType, not a torch module"),
    "a function": ((len, TEN, SHAPE), {}, "Put it into the forward of an nn.Module"),
    "a class": ((nn.Sequential, TEN, SHAPE), {}, r"is the class Sequential.*Write Sequential\("),
    "no labels": ((body(), None, SHAPE), {}, "The labels are None"),
    "a number of labels": ((body(), 10, SHAPE), {}, "The labels are the int 10"),
    "a text of labels": ((body(3), "abc", SHAPE), {}, "The labels are the str 'abc'"),
    "empty labels": ((body(), [], SHAPE), {}, "There are no labels"),
    "a set of labels": ((body(3), {"a", "b", "c"}, SHAPE), {}, "which has no order"),
    "labels with None": ((body(3), ["a", None, "c"], SHAPE), {}, "hold None, which is no name"),
    "nested labels": ((body(3), [["a"], ["b"], ["c"]], SHAPE), {}, "which is no name"),
    "numbers missing": ((body(3), {0: "a", 1: "b", 3: "c"}, SHAPE), {}, "does not number its classes from 0 to 2"),
    "a side": ((body(), TEN, 224), {}, "The input shape is 224. Give"),
    "two sides": ((body(), TEN, (16, 16)), {}, r"The input shape is \(16, 16\)"),
    "a batch": ((body(), TEN, (1, 3, 16, 16)), {}, r"with the number of images. Give \(3, 16, 16\)"),
    "a text of sides": ((body(), TEN, "abc"), {}, "The input shape is 'abc'"),
    "fractions": ((body(), TEN, (3, 16.5, 16)), {}, "The input shape is"),
    "no pixels": ((body(), TEN, (3, 0, 16)), {}, "at least one pixel"),
    "too many pixels": ((body(), TEN, (3, 10**9, 16)), {}, "no side may have more"),
    "mean a text": ((body(), TEN, SHAPE), {"mean": "imagenet"}, "The mean of the model “unnamed” is 'imagenet'"),
    "mean of two": ((body(), TEN, SHAPE), {"mean": [0.5, 0.5]}, r"mean has the shape \(2,\)"),
    "mean a picture": ((body(), TEN, (3, 3, 3)), {"mean": np.ones((3, 3))}, "Give one value per channel"),
    "mean NaN": ((body(), TEN, SHAPE), {"mean": float("nan")}, "Give finite numbers"),
    "std 0": ((body(), TEN, SHAPE), {"std": [0.0, 0.2, 0.2]}, "pixels are divided by it"),
    "std negative": ((body(), TEN, SHAPE), {"std": -1.0}, "Give values above 0"),
    "head": ((body(), TEN, SHAPE), {"head": "softmax"}, "There is no head 'softmax'"),
    "device": ((body(), TEN, SHAPE), {"device": "banana"}, "“banana”"),
}


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_an_argument_of_another_kind_is_a_sentence(kind: str) -> None:
    given, more, words = ARGUMENTS[kind]
    with pytest.raises(GibbonError, match=words):
        Classifier(*given, **{"device": "cpu", **more})


@pytest.mark.parametrize(
    "form", [list, tuple, np.array, torch.tensor, lambda v: torch.tensor(v).reshape(1, 3, 1, 1), lambda v: np.float32(v)]
)
def test_mean_and_std_come_in_many_forms(form: Callable[[list[float]], Any]) -> None:
    mean, std = [0.5, 0.25, 0.125], [0.5, 1.0, 2.0]
    assert made(body(), mean=form(mean), std=form(std)).normalisation == (tuple(mean), tuple(std))
    assert made(body(), mean=0.5, std=np.float64(0.25)).normalisation == ((0.5,) * 3, (0.25,) * 3)


DERIVED: dict[str, tuple[dict[str, Any], str]] = {
    "size 0": ({"size": 0}, "at least one pixel"),
    "size below 0": ({"size": -5}, "at least one pixel"),
    "size huge": ({"size": 10**8}, "no side may have more"),
    "size a text": ({"size": "large"}, "The size is 'large'"),
    "size of three": ({"size": (3, 16, 16)}, "Give one number, or"),
    "size a fraction": ({"size": 16.5}, "The size is 16.5"),
    "bounds a text": ({"bounds": "1"}, "The bounds are '1'"),
    "a bound a text": ({"bounds": {"1": "2.0"}}, "The bound at “1” is '2.0'"),
    "a bound NaN": ({"bounds": {"1": float("nan")}}, "The bound at “1” is NaN"),
    "a bound of 0": ({"bounds": {"1": 0.0}}, "would silence the layer"),
    "no such site": ({"bounds": {"7": 1.0}}, "no rectifier call named “7”"),
    "activation None": ({"activations": {"1": None}}, "The activation at “1” is None"),
    "activations a function": ({"activations": torch.tanh}, "Give a mapping from the name of a site"),
    "an activation of another shape": ({"activations": {"1": torch.sum}}, "a row for each row"),
    "before a text": ({"before": "blur"}, "The preprocessing is 'blur'"),
    "before a class": ({"before": [nn.ReLU]}, "not a function"),
    "before that fails": ({"before": [nn.Conv2d(1, 1, 3)]}, "The preprocessing fails on a tensor"),
    "before that rounds": ({"before": [torch.isfinite]}, "Return a floating tensor"),
}


@pytest.mark.parametrize("kind", DERIVED)
def test_deriving_with_an_argument_of_another_kind_is_a_sentence(kind: str) -> None:
    arguments, words = DERIVED[kind]
    with pytest.raises(GibbonError, match=words):
        made(body()).derive(**arguments)


def test_a_single_preprocessing_stands_for_itself(x: Tensor) -> None:
    classifier = made(body())
    assert torch.equal(classifier.derive(before=nn.AvgPool2d(3, 1, 1))(x), classifier.derive(before=[nn.AvgPool2d(3, 1, 1)])(x))  # type: ignore[arg-type]
