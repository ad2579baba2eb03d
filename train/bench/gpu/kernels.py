"""The GPU's kernels, each run on faces of the demo clip, beside what the CPU makes of the same, and how long the flow takes:
a child of `mer-bench gpu`. --small: one movement and no times, for compute-sanitizer; --tiny: each kernel once on a small
face, and nothing compared, for its racecheck, which takes a thousand times as long.

    python -P -m train.bench.gpu.kernels [--small | --tiny]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from engines import device
from engines.errors import EngineError
from engines.flow import CPU, cuda, lanes, launches
from realtime.cli.terminal import percentiles
from realtime.naming import examples
from realtime.naming.inputs import dual_atme, flow_map, sa_at, skd_tstsan
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.naming.recognizer import moments_of
from realtime.records import Moments

TIMES = 20
STACK = skd_tstsan.FACE, skd_tstsan.SIDE, skd_tstsan.GRID
TINY = 48  # pixels a side
FLOW, MAPS = 1e-3, 1e-3  # largest mean differences: pixels, and units of a map within ±2


def main(small: bool) -> int:
    """Print one line for each; 1 where one is further off than it may be."""
    many = [moments_of(one) for one in examples.movements()][: 1 if small else None]
    far, begun = 0, time.perf_counter()
    cuda.ready()  # raises where a kernel does not find the answers that ship beside it
    print(f"self-checks: right; with loading {1000 * (time.perf_counter() - begun):.0f} ms", flush=True)
    for side in (128,) if small else (128, 224):
        pairs = [faces(one, side) for one in many]
        flows = cuda.tvl1_many(pairs)
        off = [np.linalg.norm(flow - CPU(*pair), axis=2) for flow, pair in zip(flows, pairs, strict=True)]
        far += told(f"flow, {side}²", off, "px", FLOW)
        for count in () if small else (1, 64):
            timed(f"{count} pair{'s' * (count > 1)} of {side}²", [pairs[at % len(pairs)] for at in range(count)])
    there = cuda.flow_maps([(one.onset, one.apex, crop_box(one.points)) for one in many], flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING)
    puzzles = cuda.puzzles(there, dual_atme.PUZZLE).numpy()
    maps = there.numpy()
    expected = [on_cpu(one) for one in many]
    far += told("flow map", [np.abs(found - one["full_face"][0]) for found, one in zip(maps, expected, strict=True)], "", MAPS)
    far += told("puzzle", [np.abs(found - one["puzzle"][0]) for found, one in zip(puzzles, expected, strict=True)], "", MAPS)
    found = cuda.stacks([(one.onset, one.apex, one.offset, crop_box(one.points)) for one in many], *STACK).numpy()
    wanted = [skd_tstsan.from_moments(one, CPU)["stack"][0] for one in many]
    far += told("stack", [np.abs(here - there) for here, there in zip(found, wanted, strict=True)], "", MAPS)
    found = cuda.colours([(one.apex, crop_box(one.points)) for one in many], sa_at.SIZE).numpy()
    wanted = [sa_at.from_moments_apex(one)["apex"][0] for one in many]
    far += told("colours", [np.abs(here - there) for here, there in zip(found, wanted, strict=True)], "levels", MAPS)
    return min(far, 1)


def tiny() -> int:
    """Each kernel once."""
    one, size = moments_of(examples.movements()[0]), flow_map.MAP
    with device.active():
        lane = lanes.Lane(lanes.Kernels())  # not those that check themselves
        maps, pieces = (lane.there(name, 12 * size * size) for name in ("maps", "pieces"))
        stack, box = lane.there("stack", 4 * launches.channels(skd_tstsan.GRID) * skd_tstsan.SIDE**2), crop_box(one.points)
        for kernel in lane.kernels.flows:
            lane.maps([(one.onset, one.apex, box)], TINY, size, flow_map.SMOOTHING, maps, kernel)
            lane.launch(launches.cut_puzzles(maps, pieces, 1, size, dual_atme.PUZZLE))
            lane.stacks([(one.onset, one.apex, one.offset, box)], TINY, skd_tstsan.SIDE, skd_tstsan.GRID, stack)
            lane.colours([(one.apex, box)], TINY, stack)
            print(f"{kernel}, {TINY}², and what surrounds it: run", flush=True)
        lane.close()
    return 0


def timed(what: str, pairs: list) -> None:
    """Print what the flow of these takes in all, on the GPU and on all cores of the CPU."""
    for where, many in (("GPU", cuda.tvl1_many), ("CPU", CPU.many)):
        many(pairs)
        taken = []
        for _ in range(TIMES):
            begun = time.perf_counter()
            many(pairs)
            taken.append(1000 * (time.perf_counter() - begun))
        print(f"{what}, {where}: p50 / p95 {' / '.join(f'{value:.2f}' for value in percentiles(taken, 50, 95))} ms", flush=True)


def faces(one: Moments, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Onset and apex as networks see them: side×side uint8 grey, twice."""
    box = crop_box(one.points)
    return grey(crop(one.onset, box), side), grey(crop(one.apex, box), side)


def on_cpu(one: Moments) -> dict[str, np.ndarray]:
    """Flow map and the puzzle cut from it, as the stream makes them without a GPU, 1×3×28×28 float32 each."""
    return dual_atme.from_moments(one, CPU)


def told(what: str, off: list[np.ndarray], unit: str, most: float) -> bool:
    """Print how far the GPU is from the CPU; whether that is too far. off: the distances of each, of any shape, in `unit`."""
    mean, worst = float(np.mean([one.mean() for one in off])), float(max(one.max() for one in off))
    wrong = not mean <= most  # not a number is wrong, too
    print(f"{what}: {len(off)} compared, {mean:.1e} {unit} in the mean, {worst:.1e} at most{': WRONG' * wrong}", flush=True)
    return wrong


if __name__ == "__main__":
    try:
        sys.exit(tiny() if "--tiny" in sys.argv else main("--small" in sys.argv))
    except EngineError as error:
        sys.exit(str(error))
