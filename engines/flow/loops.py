"""The loops of TV-L1 over single-precision pictures, compiled by numba. `engines.flow.cpu` says what they add up to.

Rules that make them fast: columns innermost and without branches, so that LLVM makes vectors of them; no two arrays of a
call overlap, and LLVM is told so (`_Distinct`); nothing is allocated.

All loops stand in this one file and take their constants as arguments: numba's cache of compiled code notices a change
of this file, and of no other.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.core.compiler import Compiler

from engines.compiled import compiled

# Everything but `ninf`: constants of fast mathematics that hold as long as no value is NaN, which no picture has.
FAST = {"nnan", "nsz", "arcp", "contract", "afn", "reassoc"}
f32 = np.float32


class _Distinct(Compiler):
    """Array arguments are `noalias`, as numba marks them in its own parallel loops.

    Without that LLVM would have to compare the ends of every two arrays first; with more than a few it gives up, and
    the loop is not vectorised at all.
    """

    def define_pipelines(self):
        self.state.flags.noalias = True
        return super().define_pipelines()


def loop(function):
    """Compiled, letting go of the interpreter's lock."""
    # put whole into their callers: left apart, numba would run another copy of them, of other bits, from its cache
    options = {"nogil": True, "fastmath": FAST, "error_model": "numpy", "pipeline_class": _Distinct, "forceinline": True}
    return compiled(function, **options)


@loop
def resize(source, height, width, out, out_height, out_width, step_y, step_x, gain):
    """Bilinear, between pixel centres, edges repeated, times `gain`. step: pixels of `source` for one of `out`."""
    for y in range(out_height):
        at_y = min(max((f32(y) + f32(0.5)) * step_y - f32(0.5), f32(0)), f32(height - 1))
        top = np.int32(at_y)
        low = min(top + 1, height - 1)
        share_y = at_y - f32(top)
        for x in range(out_width):
            at_x = min(max((f32(x) + f32(0.5)) * step_x - f32(0.5), f32(0)), f32(width - 1))
            left = np.int32(at_x)
            right = min(left + 1, width - 1)
            share = at_x - f32(left)
            upper = source[top, left] + (source[top, right] - source[top, left]) * share
            lower = source[low, left] + (source[low, right] - source[low, left]) * share
            out[y, x] = gain * (upper + (lower - upper) * share_y)


@loop
def sample(picture, height, width, out):
    """(value, ∂x, ∂y) of each pixel side by side, by central differences, as one warp needs them: out[y + 1, x + 1].

    `out` is (height + 3)×(width + 3)×4; its rim repeats the edge, so that a bicubic neighbourhood is always whole.
    """
    for row in range(height + 3):
        y = min(max(row - 1, 0), height - 1)
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for column in range(width + 3):
            x = min(max(column - 1, 0), width - 1)
            out[row, column, 0] = picture[y, x]
            out[row, column, 1] = f32(0.5) * (picture[y, min(x + 1, width - 1)] - picture[y, max(x - 1, 0)])
            out[row, column, 2] = f32(0.5) * (picture[below, x] - picture[above, x])


@loop
def warp(first, samples, u, v, gx, gy, rho, inverse, height, width, cubic, floor):
    """The second picture taken where the flow leads, and the data term there, linear around that flow.

    gx, gy: ∇I₁(x + u₀). rho: the part of ρ(u) = I₁(x + u₀) + ∇I₁·(u − u₀) − I₀ that does not hang on u. inverse:
    1 / |∇I₁|². Where the flow leads out of the picture, all are 0 (`inverse` anything): no data term.
    """
    one, right, bottom = f32(1), f32(width - 1), f32(height - 1)
    for y in range(height):
        for x in range(width):
            to_x, to_y = f32(x) + u[y, x], f32(y) + v[y, x]
            at_x, at_y = min(max(to_x, f32(0)), right), min(max(to_y, f32(0)), bottom)
            inside = one if (at_x == to_x) & (at_y == to_y) else f32(0)
            i, j = np.int32(at_x), np.int32(at_y)
            # Keys' four weights at distances 1 + t, t, s, 1 + s; they add up to 1
            t = at_x - f32(i)
            s = one - t
            a0, a3 = cubic * t * s * s, cubic * s * t * t
            a1 = ((cubic + f32(2)) * t - (cubic + f32(3))) * t * t + one
            a2 = one - a0 - a1 - a3
            t = at_y - f32(j)
            s = one - t
            b0, b3 = cubic * t * s * s, cubic * s * t * t
            b1 = ((cubic + f32(2)) * t - (cubic + f32(3))) * t * t + one
            b2 = one - b0 - b1 - b3
            value, dx, dy, _ = _row(samples, j, i, b0 * a0, b0 * a1, b0 * a2, b0 * a3, f32(0), f32(0), f32(0), f32(0))
            value, dx, dy, _ = _row(samples, j + 1, i, b1 * a0, b1 * a1, b1 * a2, b1 * a3, value, dx, dy, _)
            value, dx, dy, _ = _row(samples, j + 2, i, b2 * a0, b2 * a1, b2 * a2, b2 * a3, value, dx, dy, _)
            value, dx, dy, _ = _row(samples, j + 3, i, b3 * a0, b3 * a1, b3 * a2, b3 * a3, value, dx, dy, _)
            dx, dy = dx * inside, dy * inside
            gx[y, x], gy[y, x] = dx, dy
            rho[y, x] = (value - dx * u[y, x] - dy * v[y, x] - first[y, x]) * inside
            inverse[y, x] = one / max(dx * dx + dy * dy, floor)


@njit(inline="always")
def _row(samples, j, i, w0, w1, w2, w3, a, b, c, d):
    """Adds a row of four neighbours to four sums, the last of them idle: four fill a vector."""
    p, q, r, s = samples[j, i], samples[j, i + 1], samples[j, i + 2], samples[j, i + 3]
    return (
        a + w0 * p[0] + w1 * q[0] + w2 * r[0] + w3 * s[0],
        b + w0 * p[1] + w1 * q[1] + w2 * r[1] + w3 * s[1],
        c + w0 * p[2] + w1 * q[2] + w2 * r[2] + w3 * s[2],
        d + w0 * p[3] + w1 * q[3] + w2 * r[3] + w3 * s[3],
    )


@loop
def median(picture, low, middle, high, out, height, width):
    """3×3 median, edges repeated. low, middle, high: width + 2 numbers to work with, the sorted columns of three rows.

    Of nine numbers in sorted columns the median is that of the largest low, the middle middle and the smallest high.
    """
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            p, q, r = picture[above, x], picture[y, x], picture[below, x]
            least, most = min(p, q), max(p, q)
            low[x + 1], high[x + 1] = min(least, r), max(most, r)
            middle[x + 1] = min(most, max(least, r))
        low[0], middle[0], high[0] = low[1], middle[1], high[1]
        low[width + 1], middle[width + 1], high[width + 1] = low[width], middle[width], high[width]
        for x in range(width):
            lowest = max(max(low[x], low[x + 1]), low[x + 2])
            highest = min(min(high[x], high[x + 1]), high[x + 2])
            p, q, r = middle[x], middle[x + 1], middle[x + 2]
            central = max(min(p, q), min(max(p, q), r))
            out[y, x] = max(min(lowest, central), min(max(lowest, central), highest))
    for y in range(height):
        for x in range(width):
            picture[y, x] = out[y, x]


@loop
def iterate(u, v, u_x, u_y, v_x, v_y, gx, gy, rho, inverse, inner, height, width, count, bound, theta, step):
    """`count` primal-dual iterations; the sum over pixels of the squared change of (u, v) in the last one.

    u_x, u_y, v_x, v_y: the dual variables of u and v; the pixel (x, y) stands at [y + 1, x + 1], zeros before it.
    inner: 1 for a column with a right neighbour, else 0. width: a multiple of 16; beyond the picture's edge everything
    is 0 and stays 0. bound = λθ, step = τ/θ.

    All iterations run in one sweep over the rows, each one row behind the one before: row y of the next needs rows up
    to y + 1 of this one only. So a row is in the fastest cache while all of them pass over it.
    """
    change = f32(0)
    for front in range(height + count):
        for k in range(count):
            y = front - k
            if 0 <= y < height:
                moved = f32(0)
                for x in range(width):
                    a, b, was_u, was_v = gx[y, x], gy[y, x], u[y, x], v[y, x]
                    # thresholding: the step along ∇I₁ that brings ρ to 0, no longer than λθ|∇I₁|
                    along = -(rho[y, x] + a * was_u + b * was_v) * inverse[y, x]
                    along = min(max(along, -bound), bound)
                    # u ← v + θ div p, by backward differences
                    div_u = (u_x[y + 1, x + 1] - u_x[y + 1, x]) + (u_y[y + 1, x + 1] - u_y[y, x + 1])
                    div_v = (v_x[y + 1, x + 1] - v_x[y + 1, x]) + (v_y[y + 1, x + 1] - v_y[y, x + 1])
                    by_u, by_v = along * a + theta * div_u, along * b + theta * div_v
                    u[y, x], v[y, x] = was_u + by_u, was_v + by_v
                    moved += by_u * by_u + by_v * by_v
                if k == count - 1:
                    change += moved
            if 0 < y <= height:  # row y - 1 has its lower neighbour now: its dual follows, by forward differences
                last = f32(0) if y == height else f32(1)
                for x in range(width):
                    edge = inner[x]
                    a, b = (u[y - 1, x + 1] - u[y - 1, x]) * edge, (u[y, x] - u[y - 1, x]) * last
                    shrink = f32(1) / (f32(1) + step * np.sqrt(a * a + b * b))
                    u_x[y, x + 1] = (u_x[y, x + 1] + step * a) * shrink
                    u_y[y, x + 1] = (u_y[y, x + 1] + step * b) * shrink
                    a, b = (v[y - 1, x + 1] - v[y - 1, x]) * edge, (v[y, x] - v[y - 1, x]) * last
                    shrink = f32(1) / (f32(1) + step * np.sqrt(a * a + b * b))
                    v_x[y, x + 1] = (v_x[y, x + 1] + step * a) * shrink
                    v_y[y, x + 1] = (v_y[y, x + 1] + step * b) * shrink
    return change


@loop
def solve(
    first,
    samples,
    u,
    v,
    u_x,
    u_y,
    v_x,
    v_y,
    gx,
    gy,
    rho,
    inverse,
    inner,
    low,
    middle,
    high,
    spare,
    width,
    warps,
    rounds,
    iterations,
    check,
    enough,
    bound,
    theta,
    step,
    cubic,
    floor,
):
    """One scale: several warps, each iterated until an iteration changes the flow by no more than `enough`."""
    height, wide = first.shape[0], inner.shape[0]
    for _ in range(warps):
        warp(first, samples, u, v, gx, gy, rho, inverse, height, width, cubic, floor)
        change = enough + f32(1)
        for _ in range(rounds):
            if change <= enough:
                break
            median(u, low, middle, high, spare, height, width)
            median(v, low, middle, high, spare, height, width)
            done = 0
            while done < iterations and change > enough:
                change = iterate(u, v, u_x, u_y, v_x, v_y, gx, gy, rho, inverse, inner, height, wide, check, bound, theta, step)
                done += check
