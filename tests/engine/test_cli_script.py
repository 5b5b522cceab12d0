"""What a person at a Python prompt meets: mistakes as one sentence, and values that can be printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.artifacts import Lazy
from engine.data import DataSet
from engine.errors import GibbonError
from engine.evaluate import transfer
from engine.record import saving


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: attacks.PGD(epsilon=0.1), "PGD has no parameter “epsilon”. Did you mean eps?"),  # type: ignore[call-arg]
        (lambda: attacks.PGD(eps=8), "eps: 8 is more than the whole range [0, 1]. In grey levels write 8/255."),
        (lambda: attacks.PGD(eps=255), "In grey levels 255 is the whole range already: write 8/255, say."),
        (lambda: attacks.PGD(step_size=2), "step_size: 2 is more than the whole range [0, 1]. In grey levels write 2/255."),
        (lambda: attacks.MIFGSM(step_size=2), "step_size: 2 is more than the whole range [0, 1]."),
        (lambda: attacks.PGD(norm="l0"), "norm: “l0” is none of linf, l2, l1."),
    ],
)
def test_a_bad_parameter_is_one_line(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(GibbonError) as caught:
        make()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_tensor_or_no_classifier_is_said(small: engine.Classifier, images: Tensor) -> None:
    attack: Any = attacks.FGSM()
    with pytest.raises(GibbonError, match="type ndarray, but a tensor is needed"):
        engine.run(attack, small, np.zeros((1, 3, 8, 8), np.float32))  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match=r"type Flatten\. Wrap the network"):
        engine.run(attack, nn.Flatten(), images)  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match=r"type str: 'signs'\. Load it"):
        transfer(engine.run(attack, small, images.float()), ["signs"])  # type: ignore[list-item]


def test_a_class_in_place_of_an_attack_and_a_number_in_place_of_classes(small: engine.Classifier, images: Tensor) -> None:
    one: Any = images[:1].float()
    with pytest.raises(GibbonError, match=r"PGD is a kind of operation, .* Write PGD\(\)\."):
        engine.run(attacks.PGD, small, one)  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match="of type str: 'pgd'"):
        engine.run("pgd", small, one)  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match=r"The targets are the one number 1, .* Write torch\.tensor\(\[1\]\)\."):
        engine.run(attacks.FGSM(), small, one, targets=1)
    with pytest.raises(GibbonError, match=r"The labels are the one number 2, .* Write torch\.full\(\(6,\), 2\)\."):
        engine.run(attacks.FGSM(), small, images.float(), labels=2)


def test_the_row_of_a_bad_target_is_told_where_there_are_several(small: engine.Classifier, images: Tensor) -> None:
    same = torch.ones(6, dtype=torch.int64)
    with pytest.raises(GibbonError, match=r"own label \(row 0\), so"):
        engine.run(attacks.FGSM(), small, images.float(), same, same)
    with pytest.raises(GibbonError, match="own label, so"):
        engine.run(attacks.FGSM(), small, images[:1].float(), same[:1], same[:1])


def test_values_print_in_one_short_line(small: engine.Classifier, images: Tensor) -> None:
    result = engine.run(attacks.FGSM(), small, images.float())
    shown = repr(result)
    assert f"{int(result.success.sum())} of 6 images adversarial" in shown
    assert len(shown) < 120
    made: list[str] = []

    def make() -> dict[str, int]:
        made.append("")
        return {"a": 1}

    lazy = Lazy(make)
    assert repr(lazy) == "Lazy(not made yet)"
    assert not made
    assert lazy["a"] == 1
    assert repr(lazy) == "Lazy(a)"
    data = DataSet("some:test", ("a", "b"), torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), "here")
    assert repr(data) == "DataSet('some:test', 4 images of 1 x 2 x 2, 2 classes)"


def test_the_cure_for_rounding_is_one_the_attack_has() -> None:
    assert "--eight-bit yes" in saving._cure(attacks.DDN())
    assert "larger eps" not in saving._cure(attacks.DDN(eight_bit=True))
    assert "larger eps" in saving._cure(attacks.PGD())
