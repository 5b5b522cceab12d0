"""Results and classifiers in notebooks: well-formed HTML, pictures that are the images, foreign text escaped, no scripts."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import engine
from engine import attacks
from engine.artifacts import Map, Picture, Table
from engine.operation import Attack
from engine.result import Reason, Result
from tests.engine.conftest import small_network
from tests.engine.test_replays import FIRST, misread, signs
from tests.engine.variants import situation

VOID = {"img", "br"}


class Reader(HTMLParser):
    """Checks that every tag is closed in order, and collects text, tags and pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.open = "", set[str](), list[str]()
        self.feed(html)
        self.close()
        assert not self.open, self.open
        assert "script" not in self.tags

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def pictures(html: str) -> list[np.ndarray]:
    """The inline pictures as arrays."""
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(text)))) for text in found]


def levels(image: Tensor) -> np.ndarray:
    return (image * 255).round().byte().permute(1, 2, 0).numpy()


def test_an_attack_shows_clean_and_adversarial_image() -> None:
    classifier, image = signs()
    result = engine.run(attacks.PGD(eps=8 / 255, steps=5), classifier, image[None], labels=torch.tensor([14]))
    html = result._repr_html_()
    text, shown = Reader(html).text, pictures(html)
    assert np.array_equal(shown[0], levels(image))
    assert np.array_equal(shown[1], levels(result.adversarial[0]))
    assert "label Stop: adversarial, first at step" in text
    assert "8/255" in text
    assert classifier.fingerprint in text


def test_an_image_that_was_misread_before_is_not_called_adversarial() -> None:
    classifier, image = signs()
    text = Reader(engine.run(attacks.FGSM(), classifier, image[None], labels=torch.tensor([3]))._repr_html_()).text
    assert "nothing to do: the model reads the clean image that way already" in text
    assert "adversarial, first" not in text


def test_a_batch_is_counted_with_those_misread_before_apart() -> None:
    classifier, image = signs()
    labels = torch.tensor([14] * 9 + [3] * 2)
    result = engine.run(attacks.PGD(eps=16 / 255, steps=10), classifier, image.expand(11, -1, -1, -1), labels=labels)
    html = result._repr_html_()
    assert "9 of 11 images adversarial, 2 misread already without the attack." in Reader(html).text
    assert "The first 8 of 11 are shown." in html
    assert len(pictures(html)) == 24


@pytest.mark.parametrize("attack", [each for each in FIRST.values() if "data" not in each.uses], ids=lambda attack: attack.slug)
def test_every_attack_s_result_is_well_formed(attack: Attack) -> None:
    classifier = engine.Classifier(small_network(seed=0), ["<b>&", "“q”", "c'", 'd"', "日本"], (3, 8, 8), name="<i>small</i>", device="cpu")
    clean = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    given = situation(attack, classifier, clean)
    if "start" in attack.uses:
        given["start"] = torch.stack([misread(classifier, image) for image in clean])
    if "stickers" in attack.uses:
        given["mask"] = torch.zeros(1, 8, 8).index_fill_(1, torch.tensor([2, 3]), 1)
    result = engine.run(attack, classifier, clean, **given)
    reader = Reader(result._repr_html_())
    assert {"b", "i"} & reader.tags <= {"b"}
    assert "<i>small</i>" in reader.text


def test_grey_images_and_images_of_many_channels() -> None:
    for channels, count in ((1, 3), (5, 0)):
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * 36, 4))
        classifier = engine.Classifier(network, list("abcd"), (channels, 6, 6), device="cpu")
        result = engine.run(attacks.FGSM(eps=0.1), classifier, torch.rand(1, channels, 6, 6))
        html = result._repr_html_()
        Reader(html)
        assert len(pictures(html)) == count


def test_no_perturbation_is_grey() -> None:
    classifier, image = signs()
    result = engine.run(attacks.PGD(eps=1e-9, steps=1), classifier, image[None])
    assert (pictures(result._repr_html_())[2] >= 0).all()


def test_a_classifier_says_what_it_takes_and_how_good_it_is() -> None:
    classifier, _ = signs()
    text = Reader(classifier._repr_html_()).text
    assert "3 × 32 × 32 in [0, 1]" in text
    assert "98.2 % on gtsrb:test" in text
    assert "43 classes" in text
    bounded = classifier.derive(bounds={classifier.sites[0].name: 2.5})
    assert f"{classifier.sites[0].name} at most 2.5" in Reader(bounded._repr_html_()).text


def test_other_results_show_their_tables_maps_and_pictures() -> None:
    artifacts = {
        "table": Table(("eps", "share"), ((0.5, 0.25), (1.0, None)), "Accuracy & <eps>", units={"share": "share"}),
        "map": Map(torch.linspace(0, 1, 36).reshape(1, 6, 6), "Map"),
        "picture": Picture(torch.rand(3, 6, 6), "Picture"),
    }
    result = Result(attacks.FGSM(), Reason.FINISHED, 1.0, 0, 0, artifacts, {})
    html = result._repr_html_()
    assert "Accuracy & <eps>" in Reader(html).text
    assert "25.0 %" in html
    assert len(pictures(html)) == 2
