// What a team's blocks work on: a level of the pyramid, cut into strips of rows, one block a strip.
#pragma once

#include "common.cuh"

constexpr int kLevels = 8;  // at most, as in launches.py

struct Task {
    const unsigned char* pictures;  // pairs × 2 × height × width
    float* flows;                   // pairs × height × width × 2
    float* workspace;               // pairs × room
    long long room;                 // floats of workspace a pair, see `room` in launches.py
    int plane;                      // floats of an array of the state: the pixels of the largest strip
    int levels, warps, rounds, iterations, check;
    int height[kLevels], width[kLevels];
    float step, bound, theta, epsilon2, grow, cubic, floor;  // step = τ/θ, bound = λθ, grow = 1 / scale step
};

// What is kept of a pixel: the flow; its dual variables; and for a warp the gradient of the warped picture, and the residual
// less gradient · flow.
enum Field { U1, U2, P11, P12, P21, P22, GX, GY, RHO, FIELDS };

// The rows [first, first + rows) of a level, owned by one block, and where their state is.
template <class Team>
struct Strip {
    float* state;
    int plane;                       // floats of one field, where fields are apart
    int height, width, first, rows;  // of the level; of the strip in it
    int owners;                      // blocks of the team that own rows
    int x, y, step_x, step_y;        // where this thread begins in the strip, and how far apart its pixels are

    // Field k of pixel i. In shared memory the fields of a pixel stand together: one address for all of them, and neighbours
    // 9 words apart, which are 32 different banks. In global memory fields are apart, for whole lines to be read.
    __device__ float& at(float* from, int k, int i) const { return from[Team::packed ? i * FIELDS + k : k * plane + i]; }
    __device__ float& at(int k, int i) const { return at(state, k, i); }
};

template <class Team>
__device__ inline int first_row(const Strip<Team>& s, int rank) { return (int)((long long)s.height * rank / s.owners); }

// Calls act(index in the strip, x, row of the strip) for this thread's share of the strip's rows [from, to).
template <class Team, class Act>
__device__ inline void each(const Strip<Team>& s, int from, int to, Act act) {
    int x = s.x, y = s.y + from;
    for (int i = from * s.width + (int)threadIdx.x; y < to; i += (int)blockDim.x) {
        act(i, x, y);
        x += s.step_x;
        y += s.step_y;
        if (x >= s.width) {
            x -= s.width;
            ++y;
        }
    }
}

template <class Team>
__device__ inline void set_level(Strip<Team>& s, Team team, const Task& task, int level, float* state) {
    const int rank = team.rank();
    s.height = task.height[level];
    s.width = task.width[level];
    s.owners = s.height < Team::size ? s.height : Team::size;
    s.first = rank < s.owners ? first_row(s, rank) : s.height;
    s.rows = rank < s.owners ? first_row(s, rank + 1) - s.first : 0;
    s.y = (int)threadIdx.x / s.width;
    s.x = (int)threadIdx.x - s.y * s.width;
    s.step_y = (int)blockDim.x / s.width;
    s.step_x = (int)blockDim.x - s.step_y * s.width;
    s.state = state;
    s.plane = task.plane;
}

// The strip that holds row y of the level, this block's or another's, shifted so that its first pixel is the row's first.
template <class Team>
__device__ inline float* row(const Strip<Team>& s, Team team, int y) {
    if (y >= s.first && y < s.first + s.rows) return &s.at(0, (y - s.first) * s.width);
    int rank = y < s.first ? team.rank() - 1 : team.rank() + 1;
    while (y < first_row(s, rank)) --rank;
    while (y >= first_row(s, rank + 1)) ++rank;
    return &s.at(team.state_of(s.state, (long long)FIELDS * s.plane, rank), 0, (y - first_row(s, rank)) * s.width);
}
