"""What a movement was before a head, an eyelid and the stretch hid it: a small network that has seen rendered faces alone.

It takes a flow map as every network does, and gives the flow of the expression alone, at half the resolution, in its own unit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.data.augment import mirror
from train.methods.kernel_ridge.network import movement

WIDE, BOTTLE, DROP = 32, 128, 0.2
EPOCHS, BATCH, RATE, DECAY = 8, 64, 2e-3, 1e-2
HALF = 14
SIDES = torch.tensor([-1.0, 1.0])[:, None, None]


class Decoder(nn.Module):
    """full_face (B, 3, 28, 28) → (B, 2, 14, 14): the expression's own flow, its mean square 1 where the network is sure."""

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (6, WIDE, WIDE):
            layers += [nn.Conv2d(channels, WIDE, 3, padding=1), nn.BatchNorm2d(WIDE), nn.ReLU()]
        layers.insert(3, nn.AvgPool2d(2))
        self.places = nn.Sequential(*layers, nn.AvgPool2d(2))
        size = WIDE * (HALF // 2) ** 2
        self.whole = nn.Sequential(
            nn.Flatten(), nn.Dropout(DROP), nn.Linear(size, BOTTLE), nn.ReLU(), nn.Dropout(DROP), nn.Linear(BOTTLE, 2 * HALF**2)
        )

    def forward(self, full_face: Tensor) -> Tensor:
        seen = torch.cat([full_face, movement(full_face, True) / 2], 1)
        return self.whole(self.places(seen)).unflatten(1, (2, HALF, HALF))


def wanted(expression: Tensor) -> Tensor:
    """The true flow (B, 2, 28, 28) → (B, 2, 14, 14), its mean square 1: how large it was, the stretch has hidden for good."""
    small = F.avg_pool2d(expression, 2)
    return small / small.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-6)


def trained(full_face: Tensor, expression: Tensor, seed: int) -> Decoder:
    """Least squares on rendered maps (N, 3, 28, 28) and their truths (N, 2, 28, 28), half of each batch mirrored."""
    torch.manual_seed(seed)
    random, network, truth = torch.Generator().manual_seed(seed), Decoder(), wanted(expression)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * (len(truth) // BATCH))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(truth), generator=random).split(BATCH):
            if len(rows) < BATCH:
                continue
            turned = torch.rand(BATCH, 1, 1, 1, generator=random) < 0.5
            seen, right = full_face[rows], truth[rows]
            seen, right = torch.where(turned, mirror(seen), seen), torch.where(turned, right.flip(-1) * SIDES, right)
            loss = F.mse_loss(network(seen), right)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
    return network.eval()
