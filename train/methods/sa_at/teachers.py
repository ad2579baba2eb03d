"""The teachers that SA-AT's Table 2 compares: AlexNet (Krizhevsky et al. 2012, in the form of 2014 without its two halves), VGG-16
(Simonyan and Zisserman 2015) and the ResNets of `network`. S is the working size, 256 in the paper.
"""

from __future__ import annotations

from torch import Tensor, nn

from train.methods.sa_at.network import ResNet, initial
from train.methods.sa_at.settings import Model

VGG = (2, 1), (2, 2), (3, 4), (3, 8), (3, 8)  # convolutions of a block, channels as multiples of 64
FULL = 16  # model.width at which the channels are the papers'


class Plain(nn.Module):
    """(B, channels, S, S) → (logits (B, classes), no attention maps): convolutions, then three fully connected layers."""

    def __init__(self, features: nn.Sequential, channels: int, cells: int, hidden: int, classes: int):
        super().__init__()
        self.features, self.cells = features, nn.AdaptiveAvgPool2d(cells)
        first = nn.Linear(channels * cells**2, hidden)
        self.classifier = nn.Sequential(
            *(nn.Flatten(), first, nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, classes)),
        )
        self.apply(initial)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self.classifier(self.cells(self.features(x))), []


def teacher(model: Model, channels: int, classes: int, recompute: bool = False) -> nn.Module:
    """The one that `model` names, untrained: pictures (B, channels, S, S) → (logits (B, classes), attention maps)."""
    if model.teacher == "resnet":
        return ResNet(channels, classes, model.teacher_depth, model.width, recompute)
    return {"alexnet": alexnet, "vgg16": vgg16}[model.teacher](channels, classes, model.width)


def alexnet(channels: int, classes: int, width: int = FULL) -> Plain:
    a, b, c, d, hidden = (number * width // FULL for number in (64, 192, 384, 256, 4096))
    layers = [nn.Conv2d(channels, a, 11, 4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    layers += [nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    for inputs, outputs in ((b, c), (c, d), (d, d)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return Plain(nn.Sequential(*layers, nn.MaxPool2d(3, 2, ceil_mode=True)), d, 6, hidden, classes)


def vgg16(channels: int, classes: int, width: int = FULL) -> Plain:
    layers: list[nn.Module] = []
    inputs = channels
    for convolutions, times in VGG:
        for _ in range(convolutions):
            outputs = times * 64 * width // FULL
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return Plain(nn.Sequential(*layers), inputs, 7, 4096 * width // FULL, classes)
