"""What a confidence is worth: Platt's sigmoid (1999) on people that the verifier was not trained on."""

from __future__ import annotations

import numpy as np
import torch

from realtime.spotting.verify import EVERY, Found, Suspicion
from train.bench.spotting.score import Interval, match
from train.verifier.collect import Recording
from train.verifier.fit import Windows
from train.verifier.network import VerifierNetwork

LEAST = 0.05  # so unsure that hardly any of them are true


def calibrated(network: VerifierNetwork, pairs: list[tuple[np.ndarray, Recording]]) -> tuple[float, float]:
    """(slope, shift) that turn the network's log-odds of "micro" into those of a detection being true.

    pairs: truths as N×3 seconds (onset, apex, offset), and the series of a clip. A detection is true as in `score.match`.
    """
    from sklearn.linear_model import LogisticRegression

    confidence, true = [], []
    for micro, recording in pairs:
        found = detections(network, recording, LEAST)
        taken = match(tuple(Interval(*row) for row in micro), tuple(Interval(f.onset, f.apex, f.offset) for f in found))
        confidence += [f.confidence for f in found]
        true += [i in taken for i in range(len(found))]
    odds = np.log(np.clip(confidence, 1e-6, 1 - 1e-6) / (1 - np.clip(confidence, 1e-6, 1 - 1e-6)))
    line = LogisticRegression().fit(odds[:, None], true)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def detections(network: VerifierNetwork, recording: Recording, least: float) -> list[Found]:
    """What the live loop would report of a recorded series, but for the edges, which it places more finely."""
    windows = Windows([recording])
    index = windows.all[::EVERY]
    found: list[Found] = []
    suspicion, stretch = Suspicion(least), -1
    for some in np.array_split(index, max(len(index) // 512, 1)):
        if not len(some):
            continue
        with torch.inference_mode():
            logits, times = network(torch.from_numpy(windows.take(some)))
        for i, score, ago in zip(some, logits.softmax(1)[:, 0].tolist(), times.numpy(), strict=True):
            if recording.begins[i] != stretch:
                suspicion, stretch = Suspicion(least), recording.begins[i]
            suspicion.consider(float(recording.t[i]), score, ago)
            if one := suspicion.settled(float(recording.t[i])):
                found.append(one)
    return found
