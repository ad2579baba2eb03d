"""The joint loss of Dual-ATME (Sec. 3.3.3 and 3.5)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def focal(logits: Tensor, target: Tensor, gamma: float = 2.0, weight: Tensor | None = None) -> Tensor:
    """Focal loss (Lin et al. 2017), a scalar: cross-entropy, less for what is already classified well.

    logits: (B, K). target: (B, K), rows that sum to 1 (mixed labels are allowed). weight: (K,), how much each class
    counts in the mean over the batch; None: all alike.
    """
    log_p = F.log_softmax(logits, dim=1)
    counted = target if weight is None else target * weight
    return -(counted * (1 - log_p.exp()) ** gamma * log_p).sum() / counted.sum()


def dissimilarity(v_e: Tensor, v_p: Tensor) -> Tensor:
    """L_con = 1 − cos(V_e, V_p), mean over the batch (Sec. 3.3.3). Both (B, C, H, W)."""
    return (1 - torch.cosine_similarity(v_e.flatten(1), v_p.flatten(1), dim=1)).mean()
