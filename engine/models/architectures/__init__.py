"""The architectures that can be trained by name. Digits are MNIST's, signs GTSRB's, objects CIFAR-10's; some ship with weights."""

from __future__ import annotations

from engine.data.labels import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS
from engine.models.architectures.alexnet import AlexNetObjects
from engine.models.architectures.architecture import Architecture
from engine.models.architectures.digits import Digits
from engine.models.architectures.gda import CNNDigits, CNNObjects, ResNetDigits
from engine.models.architectures.logistic import LogisticDigits
from engine.models.architectures.maxout import Maxout, MaxoutDigits
from engine.models.architectures.objects import Objects
from engine.models.architectures.signs import Signs

ARCHITECTURES: dict[str, Architecture] = {
    "digits": Architecture(
        name="digits",
        network=Digits,
        input_shape=(1, 28, 28),
        labels=DIGIT_LABELS,
        mean=(0.1307,),
        std=(0.3081,),
        data_set="mnist",
    ),
    "signs": Architecture(
        name="signs",
        network=Signs,
        input_shape=(3, 32, 32),
        labels=SIGN_LABELS,
        mean=(0.34, 0.31, 0.32),
        std=(0.28, 0.27, 0.28),
        data_set="gtsrb",
    ),
    "objects": Architecture(
        name="objects",
        network=Objects,
        input_shape=(3, 32, 32),
        labels=CIFAR10_LABELS,
        mean=(0.49, 0.48, 0.45),
        std=(0.25, 0.24, 0.26),
        data_set="cifar10",
    ),
    "digits-maxout": Architecture(
        name="digits-maxout",
        network=MaxoutDigits,
        input_shape=(1, 28, 28),
        labels=DIGIT_LABELS,
        mean=(0.0,),
        std=(1.0,),
        data_set="mnist",
    ),
    "digits-logistic": Architecture(
        name="digits-logistic",
        network=LogisticDigits,
        input_shape=(1, 28, 28),
        labels=("3", "7"),
        mean=(0.0,),
        std=(1.0,),
        data_set="mnist",
    ),
    "digits-cnn": Architecture(
        name="digits-cnn",
        network=CNNDigits,
        input_shape=(1, 28, 28),
        labels=DIGIT_LABELS,
        mean=(0.0,),
        std=(1.0,),
        data_set="mnist",
    ),
    "digits-resnet": Architecture(
        name="digits-resnet",
        network=ResNetDigits,
        input_shape=(1, 28, 28),
        labels=DIGIT_LABELS,
        mean=(0.0,),
        std=(1.0,),
        data_set="mnist",
    ),
    "objects-cnn": Architecture(
        name="objects-cnn",
        network=CNNObjects,
        input_shape=(3, 32, 32),
        labels=CIFAR10_LABELS,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        data_set="cifar10",
    ),
    "objects-alexnet": Architecture(
        name="objects-alexnet",
        network=AlexNetObjects,
        input_shape=(3, 32, 32),
        labels=CIFAR10_LABELS,
        mean=(0.49, 0.48, 0.45),
        std=(0.25, 0.24, 0.26),
        data_set="cifar10",
    ),
}

__all__ = [
    "ARCHITECTURES",
    "AlexNetObjects",
    "Architecture",
    "CNNDigits",
    "CNNObjects",
    "Digits",
    "LogisticDigits",
    "Maxout",
    "MaxoutDigits",
    "Objects",
    "ResNetDigits",
    "Signs",
]
