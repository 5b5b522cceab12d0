"""Detectors: torchvision's networks with random weights, one's own code, and what is refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import engine
from engine.errors import GibbonError
from engine.object_detection import Boxes, Detector, load
from engine.object_detection.toy.network import GridNetwork

SMALL = {"min_size": 96, "max_size": 128}
QUICK = ("ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn")
LONG = (
    "fcos_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "ssd300_vgg16",
    "retinanet_resnet50_fpn_v2",
)
NETWORKS = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)]


def built(name: str) -> nn.Module:
    from torchvision import models

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        size = {} if "ssd" in name else SMALL
        return models.get_model(name, weights=None, weights_backbone=None, num_classes=4, **size)


def some_images(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 96, 112, generator=torch.Generator().manual_seed(1))


TRUTHS = [Boxes.of([[10, 10, 60, 60]], [3]), Boxes.none()]


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_torchvision_give_boxes_and_a_loss_for_each_image_and_stay_as_they_are(name: str) -> None:
    module = built(name)
    detector = Detector(module, ["none", "a", "b", "c"], name=name, device="cpu")
    before = {key: value.clone() for key, value in detector.module.state_dict().items()}
    modes = [child.training for child in detector.module.modules()]
    state, images = torch.get_rng_state(), some_images().requires_grad_()
    loss = detector.loss(images, TRUTHS)
    gradient = torch.autograd.grad(loss.sum(), images)[0]
    assert loss.shape == (2,)
    assert float(gradient[0].abs().sum()) > 0  # SSD's loss of an image without objects is 0
    assert gradient.isfinite().all()
    found = detector(images.detach())
    assert [type(boxes) for boxes in found] == [Boxes, Boxes]
    assert torch.equal(state, torch.get_rng_state())
    assert modes == [child.training for child in detector.module.modules()] == [False] * len(modes)
    assert all(torch.equal(before[key], value) for key, value in detector.module.state_dict().items())
    # A batch is its single images, and asking again gives the same bits.
    alone = torch.cat([detector.loss(images[row : row + 1].detach(), TRUTHS[row : row + 1]) for row in range(2)])
    assert torch.equal(alone, detector.loss(images.detach(), TRUTHS))
    assert all(each.same(detector(images[row : row + 1].detach())[0]) for row, each in enumerate(found))


@pytest.mark.parametrize("name", NETWORKS[:1])
def test_the_loss_is_the_sum_of_those_that_the_network_gives_in_training_mode(name: str) -> None:
    module = built(name)  # no part of it draws random numbers
    detector = Detector(module, ["none", "a", "b", "c"], device="cpu")
    module.train()
    for child in module.modules():
        if isinstance(child, (nn.BatchNorm2d, nn.Dropout)):
            child.eval()
    image, target = some_images(1)[0], {"boxes": TRUTHS[0].xyxy, "labels": TRUTHS[0].labels}
    wanted = sum(module([image], [target]).values())
    assert detector.loss(image[None], TRUTHS[:1])[0].item() == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_two_threads_may_ask_for_losses_and_boxes_at_once() -> None:
    detector = Detector(built(QUICK[0]), ["none", "a", "b", "c"], device="cpu")
    images = some_images()
    loss, boxes = detector.loss(images, TRUTHS), detector(images)
    wrong: list[str] = []

    def ask(what: str) -> None:
        for _ in range(3):
            same = torch.equal(detector.loss(images, TRUTHS), loss) if what == "loss" else detector(images)[1].same(boxes[1])
            if not same:
                wrong.append(what)

    threads = [threading.Thread(target=ask, args=(what,)) for what in ("loss", "boxes", "loss")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def grid() -> Detector:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Detector(GridNetwork(4), ["a", "b", "c", "d"], (3, 96, 96), name="grid", device="cpu")


def test_the_gradient_of_the_grid_agrees_with_finite_differences() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = GridNetwork(4).double().eval()
    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()
    truths = [Boxes.of([[10, 10, 40, 40], [50, 60, 90, 95]], [3, 1]), Boxes.none()]
    gradient = torch.autograd.grad(network.loss(images, truths).sum(), images)[0]
    way = torch.randn(images.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    with torch.no_grad():
        above, below = (network.loss(images + step * way, truths).sum() for step in (1e-7, -1e-7))
    assert float((above - below) / 2e-7) == pytest.approx(float((gradient * way).sum()), rel=1e-4)


def test_the_loss_of_the_grid_is_the_sum_over_its_cells() -> None:
    detector = grid()
    network, image = detector.module, some_images(1)[:, :, :, :96]
    assert isinstance(network, GridNetwork)
    truths = Boxes.of([[10, 20, 40, 50]], [2])  # its centre (25, 35) lies in the cell of row 2, column 1
    out = network(image)[0].detach()
    sides = network.boxes(out[None])[0, :, 2, 1]
    wanted = torch.nn.functional.softplus(out[0]).sum() - out[0, 2, 1]  # binary cross-entropy with one cell that holds an object
    wanted = wanted - out[5:, 2, 1].log_softmax(0)[2] + 0.25 * (sides - truths.xyxy[0]).abs().sum()
    assert detector.loss(image, [truths])[0].item() == pytest.approx(float(wanted), rel=1e-5)
    u, v, w, h = out[1:5, 2, 1].sigmoid()
    middle = torch.stack([16 * (1 + u), 16 * (2 + v)])
    assert torch.allclose(sides, torch.cat([middle - 48 * torch.stack([w, h]), middle + 48 * torch.stack([w, h])]), atol=1e-4)


def test_of_two_boxes_in_one_cell_of_the_grid_the_last_counts() -> None:
    detector, image = grid(), some_images(1)[:, :, :, :96]
    first, last = [10, 20, 40, 50], [12, 22, 38, 48]  # both have their centre at (25, 35)
    both = detector.loss(image, [Boxes.of([first, last], [2, 1])])
    assert torch.equal(both, detector.loss(image, [Boxes.of([last], [1])]))
    assert not torch.equal(both, detector.loss(image, [Boxes.of([last, first], [1, 2])]))


def test_detections_come_by_falling_score_and_the_weakest_are_left_out() -> None:
    found = grid()(torch.rand(3, 3, 96, 96))
    for boxes in found:
        assert torch.equal(boxes.scores, boxes.scores.sort(descending=True).values)
        assert float(boxes.scores.min()) >= 0.05


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        (Boxes.of([[-1, 0, 10, 10]], [0]), "leaves the image of 96 × 96"),
        (Boxes.of([[90, 0, 97, 10]], [0]), "leaves the image"),
        (Boxes.of([[5, 5, 5, 10]], [0]), "has no area"),
        (Boxes.of([[5, 5, 9, 10]], [4]), "classes 0 to 3"),
    ],
)
def test_true_boxes_that_cannot_be_are_refused(boxes: Boxes, said: str) -> None:
    with pytest.raises(GibbonError, match=said):
        grid().loss(torch.rand(1, 3, 96, 96), [boxes])
    with pytest.raises(GibbonError, match="2 images and 1 sets"):
        grid().loss(torch.rand(2, 3, 96, 96), [boxes])


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.rand(1, 3, 64, 96), "96 × 64 pixels.*takes 96 × 96"),
        (torch.rand(1, 1, 96, 96), "1 channel,.*takes 96 × 96 pixels with 3 channels"),
        (torch.rand(3, 96, 96), r"needs a batch \(N, 3, H, W\)"),
        (255 * torch.rand(1, 3, 96, 96), "Divide 8-bit values by 255"),
        (torch.full((1, 3, 96, 96), torch.nan), "not from 0 to 1"),
        (torch.zeros(1, 3, 96, 96, dtype=torch.uint8), "floats in"),
    ],
)
def test_images_that_do_not_fit_are_refused(images: Tensor, said: str) -> None:
    with pytest.raises(GibbonError, match=said):
        grid()(images)


OWN = """
import torch
from torch import nn
from engine.object_detection import Boxes, Detector

class Middle(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def detect(self, images):
        n, _, h, w = images.shape
        return [Boxes.of([[w / 4, h / 4, w / 2, h / 2]], [1], [float(image.mean())]) for image in images]

    def loss(self, images, boxes):
        return self.weight * images.flatten(1).mean(1)

class Tensors(Middle):
    def loss(self, images, boxes):
        return images.mean()

def good(): return Middle(), ["a", "b"]
def whole(): return Detector(Middle(), ["a", "b"], (3, 20, 20), name="mine")
def network(): return nn.Linear(3, 3), ["a", "b"]
def nothing(): return None
def tensors(): return Tensors(), ["a", "b"]
def fails(): raise RuntimeError("no weights")
def few(): return Middle(), ["a"]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_detectors_from_a_file_run_after_consent_and_have_a_fingerprint(own: Path) -> None:
    with pytest.raises(GibbonError, match="Read it, then allow it"):
        load(f"{own}:good")
    detector = load(f"{own}:good", allow_code=True, device="cpu")
    assert detector.labels == ("a", "b")
    assert detector.source == f"{own.resolve()}:good"
    assert detector(torch.full((1, 3, 8, 8), 0.5))[0].xyxy.tolist() == [[2, 2, 4, 4]]
    again = load(f"{own}:whole", allow_code=True, device="cpu")
    assert again.input_shape == (3, 20, 20)
    assert again.fingerprint != detector.fingerprint
    assert load(f"{own}:good", allow_code=True, device="cpu").fingerprint == detector.fingerprint


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("network", "Linear has no methods detect and loss"),
        ("nothing", "gave something of type NoneType, which is no detector"),
        ("fails", "failed in own.py, line 27: RuntimeError: no weights"),
        ("missing", "has no function “missing”"),
    ],
)
def test_factories_that_return_no_detector_are_refused(own: Path, factory: str, said: str) -> None:
    with pytest.raises(GibbonError, match=said):
        load(f"{own}:{factory}", allow_code=True, device="cpu")


def test_answers_that_are_none_are_refused(own: Path) -> None:
    images = torch.rand(2, 3, 8, 8)
    with pytest.raises(GibbonError, match="One number for each image"):
        load(f"{own}:tensors", allow_code=True, device="cpu").loss(images, [Boxes.none()] * 2)
    with pytest.raises(GibbonError, match="found class 1, but has 1 labels"):
        load(f"{own}:few", allow_code=True, device="cpu")(images)


def test_sources_that_are_none_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(GibbonError, match="Did you mean"):
        load("torchvision:fasterrcnn_resnet50")
    with pytest.raises(GibbonError, match=r"There is no detector “toy-sings”\. Did you mean toy-signs"):
        load("toy-sings")
    with pytest.raises(GibbonError, match=r"downloading was not asked for.*untrained:ssd300_vgg16"):
        load("torchvision:ssd300_vgg16")
    with pytest.raises(GibbonError, match="“resnet18” is a classifier, which finds no boxes"):
        load("untrained:resnet18")
    with pytest.raises(GibbonError, match="“ssd300_vgg16” is a detector of objects, which gives no logits"):
        engine.models.load("torchvision:ssd300_vgg16")
    torch.save({"a": torch.zeros(3)}, tmp_path / "a.pth")
    with pytest.raises(GibbonError, match="does not say which architecture"):
        load(tmp_path / "a.pth")


def test_a_checkpoint_of_torchvisions_network_is_loaded_by_its_architecture(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(built(QUICK[0]).state_dict(), tmp_path / "mine.safetensors")
    names = ["none", "a", "b", "c"]
    detector = load(tmp_path / "mine.safetensors", architecture=f"torchvision:{QUICK[0]}", labels=names, device="cpu")
    assert detector.fingerprint == Detector(built(QUICK[0]), names, device="cpu").fingerprint
    with pytest.raises(GibbonError, match=r"does not fit|shapes differ"):
        load(tmp_path / "mine.safetensors", architecture=f"torchvision:{QUICK[0]}", labels=names[:3], device="cpu")
    assert load(f"untrained:{QUICK[0]}", device="cpu").fingerprint == load(f"untrained:{QUICK[0]}", device="cpu").fingerprint


def test_the_wrapper_for_yolo_in_the_documentation_works() -> None:
    text = (Path(__file__).parents[3] / "docs" / "detectors.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0].split("def detector():")[0]
    place: dict[str, Any] = {}
    exec(compile(code, "detectors.md", "exec"), place)

    class Rows(nn.Module):
        """Two boxes for each image: centre, width and height, objectness, and two class probabilities."""

        def forward(self, images: Tensor) -> Tensor:
            bright = images.flatten(1).mean(1)
            rows = torch.tensor([[8.0, 8, 4, 6, 1, 0.25, 0.75], [9.0, 8, 4, 6, 1, 0.01, 0.02]]).repeat(len(images), 1, 1)
            return torch.cat([rows[:, :, :4], bright[:, None, None].expand(-1, 2, 1), rows[:, :, 5:]], 2)

    def loss_of(network: nn.Module, image: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
        return (network(image)[0, 0, :4] - boxes).abs().sum() - network(image)[0, 0, 4] * labels.sum()

    detector = Detector(place["Yolo"](Rows(), loss_of), ["a", "b"], (3, 16, 16), name="yolo", device="cpu")
    found = detector(torch.full((2, 3, 16, 16), 0.8))
    assert [boxes.xyxy.tolist() for boxes in found] == [[[6, 5, 10, 11]]] * 2
    assert [boxes.labels.tolist() for boxes in found] == [[1]] * 2
    assert found[0].scores[0].item() == pytest.approx(0.6)
    images = torch.full((2, 3, 16, 16), 0.8).requires_grad_()
    loss = detector.loss(images, [Boxes.of([[1, 1, 5, 5]], [1])] * 2)
    assert torch.autograd.grad(loss.sum(), images)[0].abs().sum() > 0
