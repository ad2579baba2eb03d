"""SKD-TSTSAN (Zhu et al. 2024): three streams, magnified, with attention and temporal shift.

For five classes it has 2,946,214 parameters: magnifiers 566,320, main network 1,044,312, auxiliary ones 1,335,582.
Shapes are those of two flow fields (T = 2 temporal domains) and a batch of B; "stack" is as in
`realtime.naming.inputs.skd_tstsan`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from train.methods.moext.magnification import Magnifier

CLASSIFIERS = "", "1of3", "2of3"  # the deepest, then the auxiliary ones, by how much of the network they stand on (Table 7)


class ECA(nn.Module):
    """Enhanced efficient channel attention (Sec. 3.2): a 1-D convolution over the channels' means and maxima."""

    def __init__(self, channels: int):
        super().__init__()
        size = int((math.log2(channels) + 1) / 2)
        size += 1 - size % 2  # Eq. 3, the nearest odd: 3 at 64 channels, 5 at 128
        self.across = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        mean, most = x.mean((2, 3))[:, None], x.amax((2, 3))[:, None]  # (B, 1, C)
        weight = torch.sigmoid(self.across(mean) + self.across(most))  # Eq. 2
        return x * weight[:, 0, :, None, None]  # Eq. 4


class Shift(nn.Module):
    """Bi-directional temporal shift (Sec. 3.3): 1/8 of the channels come from the next domain, 1/8 from the one before.

    (B·T, C, H, W), the domains of a sample side by side; zeros where there is no next or no one before.
    """

    def __init__(self, domains: int, share: int = 8):
        super().__init__()
        self.domains, self.share = domains, share

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(0, (-1, self.domains))  # (B, T, C, H, W)
        fold = x.shape[2] // self.share
        blank = torch.zeros_like(x[:, :1, :fold])
        earlier = torch.cat([x[:, 1:, :fold], blank], 1)
        later = torch.cat([blank, x[:, :-1, fold : 2 * fold]], 1)
        return torch.cat([earlier, later, x[:, :, 2 * fold :]], 2).flatten(0, 1)


class Stream(nn.Module):
    """Three blocks, an auxiliary branch after the first and the second of them. `domains` > 1: with temporal shift."""

    def __init__(self, inputs: int, eca: bool, domains: int, distil: bool):
        super().__init__()

        def layer(into: int, out: int, kernel: int = 3, padding: int = 1, shift: bool = True) -> list[nn.Module]:
            parts = [Shift(domains)] if shift and domains > 1 else []
            parts += [nn.Conv2d(into, out, kernel, padding=padding), nn.BatchNorm2d(out), nn.ReLU()]
            return [*parts, ECA(out)] if eca else parts  # Sec. 3.2: after each layer of the L-stream

        self.blocks = nn.ModuleList(
            [
                nn.Sequential(*layer(inputs, 64, 5, 0, shift=False), nn.MaxPool2d(5, 2, 2)),  # (B, 64, 10, 10)
                nn.Sequential(*layer(64, 64), *layer(64, 64), nn.AvgPool2d(3, 2, 1)),  # (B, 64, 5, 5)
                nn.Sequential(*layer(64, 128), *layer(128, 128)),  # (B, 128, 5, 5)
            ]
        )
        self.auxiliary = nn.ModuleList([nn.Sequential(*layer(64, 128), *layer(128, 128)) for _ in range(2 if distil else 0)])
        self.domains = domains

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B·T, inputs, 24, 24) → features (B, 128) of the deepest block, then of the auxiliary branches, if any."""
        first = self.blocks[0](x)
        second = self.blocks[1](first)
        deepest = self.blocks[2](second)
        maps = [deepest, *(branch(x) for branch, x in zip(self.auxiliary, (first, second)))]
        # Figure 4: the domains' features are averaged
        return [x.mean((2, 3)).unflatten(0, (-1, self.domains)).mean(1) for x in maps]


class SKDTSTSAN(nn.Module):
    """stack (B, 34 + 2·fields, 48, 48) in [0, 1] → (logits, features), lists: the deepest first, then the two others.

    logits (B, classes) each, features (B, 384) each. The paper's ablations: `magnify` off feeds the pictures as they
    are, `eca` off leaves the attention out, `shift` off feeds all flow fields as channels of one picture (Figure 4a),
    `distil` off leaves out the auxiliary classifiers.
    """

    def __init__(
        self,
        classes: int = 5,
        fields: int = 2,
        magnify: bool = True,
        eca: bool = True,
        shift: bool = True,
        distil: bool = True,
        amplification: float = 2.0,
        dropout: float = 0.2,
    ):
        super().__init__()
        self.domains = fields if shift else 1
        flow = 2 * fields // self.domains  # channels of one picture of the T-stream
        channels = {"S": 1, "L": 16, "T": flow}
        magnifiers = {s: Magnifier(c, amplification) for s, c in channels.items()} if magnify else {}
        self.magnifiers = nn.ModuleDict(magnifiers)
        self.streams = nn.ModuleDict(
            {s: Stream(32 if magnify else c, eca and s == "L", self.domains if s == "T" else 1, distil) for s, c in channels.items()}
        )
        self.dropout = nn.Dropout(dropout)
        self.classifiers = nn.ModuleList([nn.Linear(384, classes) for _ in range(3 if distil else 1)])

    def classify_anew(self, classes: int) -> None:
        """Untrained classifiers for so many classes, in place of those that are there."""
        self.classifiers = nn.ModuleList([nn.Linear(384, classes, device=old.weight.device) for old in self.classifiers])

    def forward(self, stack: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        return self.classify(self.magnified(stack))

    def magnified(self, stack: Tensor) -> dict[str, Tensor]:
        """What each stream's convolutions take in: (B, 32, 24, 24) of S and L, (B·T, 32, 24, 24) of T."""
        # [−1, 1], as Oh et al.'s pictures; where no movement lies in a stretched flow is lost, so its middle stands for it
        stack = 2 * stack - 1
        s_apex, s_onset, l_apex, l_onset = stack[:, :34].split([1, 1, 16, 16], 1)
        flow = stack[:, 34:].unflatten(1, (self.domains, -1)).flatten(0, 1)  # (B·T, 2, 48, 48)
        after = {"S": s_apex, "L": l_apex, "T": flow}
        before = {"S": s_onset, "L": l_onset, "T": None}
        return {s: magnifier(before[s], after[s]) for s, magnifier in self.magnifiers.items()} or after

    def classify(self, pictures: dict[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """(logits (B, classes), features (B, 384)) of each of the three classifiers, from what the streams take."""
        streams = [stream(pictures[s]) for s, stream in self.streams.items()]
        features = [torch.cat(parts, 1) for parts in zip(*streams)]  # 3 × (B, 384)
        logits = [classify(self.dropout(x)) for classify, x in zip(self.classifiers, features)]
        return logits, features


class Deployed(nn.Module):
    """What is exported: stack (B, 34 + 2·fields, 48, 48) → probabilities (B, classes) of the deepest classifier."""

    def __init__(self, network: SKDTSTSAN):
        super().__init__()
        self.network = network

    def forward(self, stack: Tensor) -> Tensor:
        """(B, 38, 48, 48) → probabilities (B, classes)."""
        return self.network(stack)[0][0].softmax(1)

    def without_auxiliaries(self) -> Deployed:
        """The same, rid of the auxiliary branches and classifiers (Sec. 3.4: for training only), in place."""
        for stream in self.network.streams.values():
            stream.auxiliary = nn.ModuleList()
        self.network.classifiers = self.network.classifiers[:1]
        return self

    def answers(self, stack: Tensor) -> dict[str, Tensor]:
        """Probabilities (B, classes) of each of CLASSIFIERS that is there."""
        return {name: logits.softmax(1) for name, logits in zip(CLASSIFIERS, self.network(stack)[0])}

    def features(self, stack: Tensor) -> dict[str, Tensor]:
        """What each of them reads, (B, 384)."""
        return dict(zip(CLASSIFIERS, self.network(stack)[1]))
