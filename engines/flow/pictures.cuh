// What comes before the iterations: the pyramid, the warp of the second picture, and the median of the flow.
#pragma once

#include "strips.cuh"

// A picture of height × width at (x, y), bilinear, the edges repeated.
__device__ inline float bilinear(const float* picture, int height, int width, float x, float y) {
    x = clamp(x, 0.f, width - 1.f);
    y = clamp(y, 0.f, height - 1.f);
    const int left = (int)x, top = (int)y;
    const int right = left + 1 < width ? left + 1 : left;
    const float* upper = picture + top * width;
    const float* lower = top + 1 < height ? upper + width : upper;
    const float above = upper[left] + (upper[right] - upper[left]) * (x - left);
    const float below = lower[left] + (lower[right] - lower[left]) * (x - left);
    return above + (below - above) * (y - top);
}

// The pyramid of both pictures: level 0 as float, each further one from the one before. Level k at pyramid + 2·Σ pixels.
template <class Team>
__device__ void build_pyramid(Team team, const Task& task, const unsigned char* pictures, float* pyramid) {
    const int pixels = task.height[0] * task.width[0];
    const int thread = team.rank() * blockDim.x + threadIdx.x, threads = Team::size * blockDim.x;
    for (int i = thread; i < 2 * pixels; i += threads) pyramid[i] = (float)pictures[i];
    float* finer = pyramid;
    for (int level = 1; level < task.levels; ++level) {
        team.sync();
        const int h = task.height[level - 1], w = task.width[level - 1];
        const int height = task.height[level], width = task.width[level];
        float* coarser = finer + 2 * h * w;
        for (int i = thread; i < 2 * height * width; i += threads) {
            const int which = i / (height * width), y = i / width - which * height, x = i % width;
            coarser[i] = bilinear(finer + which * h * w, h, w, (x + 0.5f) * task.grow - 0.5f, (y + 0.5f) * task.grow - 0.5f);
        }
        finer = coarser;
    }
    team.sync();
}

// A pixel of the second picture and its central differences, to be read at once.
struct alignas(16) Sample {
    float value, dx, dy, idle;
};

template <class Team>
__device__ inline void sample(const Strip<Team>& s, const float* picture, Sample* samples) {
    each(s, 0, s.rows, [&](int i, int x, int y) {
        const int row = s.first + y;
        const float* here = picture + row * s.width;
        const float* above = row > 0 ? here - s.width : here;
        const float* below = row + 1 < s.height ? here + s.width : here;
        const float dx = 0.5f * (here[x + 1 < s.width ? x + 1 : x] - here[x > 0 ? x - 1 : 0]);
        samples[s.first * s.width + i] = {here[x], dx, 0.5f * (below[x] - above[x]), 0};
    });
}

// Keys' weights of the four pixels around a point, from their distances 1 + t, t, 1 - t, 2 - t. They add up to 1.
__device__ inline void keys(float t, float cubic, float (&w)[4]) {
    const float s = 1 - t;
    w[0] = cubic * t * s * s;
    w[1] = ((cubic + 2) * t - (cubic + 3)) * t * t + 1;
    w[3] = cubic * s * t * t;
    w[2] = 1 - w[0] - w[1] - w[3];
}

// The second picture and its central differences, taken where the flow leads: sets gx, gy, rho. No data term, that is zeros,
// where it leads out of the picture.
template <class Team>
__device__ inline void warp(const Strip<Team>& s, const Task& task, const float* first, const Sample* samples) {
    const int height = s.height, width = s.width;
    each(s, 0, s.rows, [&](int i, int x, int y) {
        const float u1 = s.at(U1, i), u2 = s.at(U2, i);
        const float to_x = x + u1, to_y = s.first + y + u2;
        const float at_x = clamp(to_x, 0.f, width - 1.f), at_y = clamp(to_y, 0.f, height - 1.f);
        const bool inside = at_x == to_x && at_y == to_y;
        const int left = (int)at_x, top = (int)at_y;
        float wx[4], wy[4], value = 0, gx = 0, gy = 0;
        keys(at_x - left, task.cubic, wx);
        keys(at_y - top, task.cubic, wy);
#pragma unroll 1
        for (int j = 0; j < 4; ++j) {
            const Sample* line = samples + clamp(top - 1 + j, 0, height - 1) * width;
            const float share = j == 0 ? wy[0] : j == 1 ? wy[1] : j == 2 ? wy[2] : wy[3];
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                const Sample sample = line[clamp(left - 1 + k, 0, width - 1)];
                const float weight = share * wx[k];
                value += weight * sample.value;
                gx += weight * sample.dx;
                gy += weight * sample.dy;
            }
        }
        s.at(GX, i) = inside ? gx : 0.f;
        s.at(GY, i) = inside ? gy : 0.f;
        s.at(RHO, i) = inside ? value - gx * u1 - gy * u2 - first[(s.first + y) * width + x] : 0.f;
    });
}

__device__ inline float middle(float a, float b, float c) { return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c)); }

// One component of the flow through a 3 × 3 median, the edges repeated. Of nine numbers in sorted columns the median is
// that of the largest low, the middle middle and the smallest high.
template <class Team>
__device__ inline void median_into(const Strip<Team>& s, Team team, int field, float* out) {
    each(s, 0, s.rows, [&](int i, int x, int y) {
        const int at = s.first + y;
        float* upper = row(s, team, at > 0 ? at - 1 : 0);
        float* here = &s.at(0, i - x);
        float* lower = row(s, team, at + 1 < s.height ? at + 1 : at);
        float low[3], mid[3], high[3];
#pragma unroll
        for (int k = 0; k < 3; ++k) {
            const int column = clamp(x + k - 1, 0, s.width - 1);
            const float a = s.at(upper, field, column), b = s.at(here, field, column), c = s.at(lower, field, column);
            low[k] = fminf(fminf(a, b), c);
            mid[k] = middle(a, b, c);
            high[k] = fmaxf(fmaxf(a, b), c);
        }
        out[i] = middle(fmaxf(fmaxf(low[0], low[1]), low[2]), middle(mid[0], mid[1], mid[2]),
                        fminf(fminf(high[0], high[1]), high[2]));
    });
}

// The whole flow. `scratch` keeps what a thread found until all have read; each thread reads back only what it wrote.
template <class Team>
__device__ void median(const Strip<Team>& s, Team team, float* scratch) {
    float* const one = scratch + s.first * s.width;
    float* const two = one + s.height * s.width;
    median_into(s, team, U1, one);
    median_into(s, team, U2, two);
    team.sync();
    each(s, 0, s.rows, [&](int i, int, int) {
        s.at(U1, i) = one[i];
        s.at(U2, i) = two[i];
    });
    team.sync();
}
