"""A support vector machine as a torch module: its support vectors, the kernel, the votes of one class against another.

scikit-learn finds the machine (libsvm, double precision); this says the same as its `decision_function`, and can be
exported and run live like any network. Nothing in it is learnt by gradients.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from sklearn.svm import SVC

# Of the softmax over decision values, which count votes and so lie about one apart. It makes probabilities of them and
# changes no decision. 0.85 has the lowest log loss on people left out of the real flow maps (0.7: 1% more), 0.6 on
# synthetic sequences (LBP-TOP).
TEMPERATURE = 0.7
NEVER = -1e4  # decision value of a class that the machine has not seen


class SupportVectors(nn.Module):
    """x (B, D) → decision values (B, classes), as of sklearn.svm.SVC(decision_function_shape="ovr")."""

    def __init__(self, machine: SVC, classes: int):
        """Take over what scikit-learn has found.

        Args:
            machine: fitted, with an "rbf" or "linear" kernel, on labels that are indices below `classes`.
        """
        super().__init__()
        seen = len(machine.classes_)
        pairs = list(combinations(range(seen), 2))
        # of libsvm's layout: row r of dual_coef_ holds each vector's weight against the r-th of the other classes
        owner = np.repeat(np.arange(seen), machine.n_support_)  # (S,)
        weights = np.zeros((len(owner), len(pairs)))  # (S, pairs)
        signs = np.zeros((len(pairs), classes))  # +1 where a pair's first class is, −1 where its second
        for pair, (first, second) in enumerate(pairs):
            weights[owner == first, pair] = machine.dual_coef_[second - 1, owner == first]
            weights[owner == second, pair] = machine.dual_coef_[first, owner == second]
            signs[pair, machine.classes_[[first, second]]] = 1, -1
        bias = machine.intercept_
        if seen == 2:  # scikit-learn turns the sign of two classes, so that positive means the second
            weights, bias = -weights, -bias
        unseen = np.full(classes, NEVER)
        unseen[machine.classes_] = 0
        vectors, self.gamma = machine.support_vectors_, 0.0
        if machine.kernel == "rbf":
            self.gamma, self.vectors = float(machine._gamma), _constant(vectors)
        else:  # the vectors add up to one plane a pair: in double precision here, rather than in single precision later
            weights = vectors.T @ weights  # (D, pairs)
        self.weights, self.bias, self.signs, self.unseen = map(_constant, (weights, bias, signs, unseen))

    def forward(self, x: Tensor) -> Tensor:
        like = self.kernel(x) if self.gamma else x
        pairs = like @ self.weights + self.bias  # (B, pairs), positive: the first class
        won = (pairs >= 0).to(pairs.dtype)
        votes = won @ self.signs.clamp(min=0) + (1 - won) @ (-self.signs).clamp(min=0)  # (B, classes)
        confidence = pairs @ self.signs
        return votes + confidence / (3 * (confidence.abs() + 1)) + self.unseen  # confidence breaks ties between votes

    def kernel(self, x: Tensor) -> Tensor:
        """(B, D) → (B, S): exp(−γ|x − s|²), how like each support vector x is."""
        distance = x.square().sum(1, keepdim=True) + self.vectors.square().sum(1) - 2 * x @ self.vectors.T
        return torch.exp(-self.gamma * distance)


def _constant(array: np.ndarray) -> nn.Parameter:
    """A number that is counted among the network's parameters, and is never trained."""
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(array, np.float32)), requires_grad=False)
