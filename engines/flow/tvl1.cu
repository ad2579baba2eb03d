// TV-L1 flow (Zach, Pock, Bischof 2007) of a batch of pairs, one team of blocks a pair, one launch a batch. It computes
// what engines/flow/cpu.py computes; that file says why each step is as it is.
//
// A team's blocks own strips of rows. Nine numbers a pixel live with the strip for as long as a level lasts (`Strip`): in a
// cluster in shared memory, so that iterations touch nothing else; where that is too small, or without clusters, in global
// memory, where they stay in the L2 cache. Pictures, medians and the flow between two levels go through global memory.
#include "pictures.cuh"

// One step of the flow on the strip's rows [from, to): thresholding, then the divergence of the duals. `above`: the last row
// of the strip above, nullptr at the top. Returns this thread's squared change.
template <class Team>
__device__ inline float primal(const Strip<Team>& s, const Task& task, int from, int to, float* above) {
    float change = 0;
    each(s, from, to, [&](int i, int x, int y) {
        const float u1 = s.at(U1, i), u2 = s.at(U2, i), gx = s.at(GX, i), gy = s.at(GY, i);
        const float residual = s.at(RHO, i) + (gx * u1 + gy * u2), square = gx * gx + gy * gy;
        const float along = clamp(-residual / fmaxf(square, task.floor), -task.bound, task.bound);
        const float left11 = x > 0 ? s.at(P11, i - 1) : 0.f, left21 = x > 0 ? s.at(P21, i - 1) : 0.f;
        float up12 = 0, up22 = 0;
        if (y > 0) {
            up12 = s.at(P12, i - s.width);
            up22 = s.at(P22, i - s.width);
        } else if (above) {
            up12 = s.at(above, P12, x);
            up22 = s.at(above, P22, x);
        }
        const float next1 = u1 + along * gx + task.theta * ((s.at(P11, i) - left11) + (s.at(P12, i) - up12));
        const float next2 = u2 + along * gy + task.theta * ((s.at(P21, i) - left21) + (s.at(P22, i) - up22));
        s.at(U1, i) = next1;
        s.at(U2, i) = next2;
        change += (next1 - u1) * (next1 - u1) + (next2 - u2) * (next2 - u2);
    });
    return change;
}

// One step of the duals on the strip's rows [from, to). `below`: the first row of the strip below, nullptr at the bottom.
template <class Team>
__device__ inline void dual(const Strip<Team>& s, const Task& task, int from, int to, float* below) {
    each(s, from, to, [&](int i, int x, int y) {
        const float u1 = s.at(U1, i), u2 = s.at(U2, i);
        const bool right = x + 1 < s.width;
        const float x1 = right ? s.at(U1, i + 1) - u1 : 0.f, x2 = right ? s.at(U2, i + 1) - u2 : 0.f;
        float y1 = 0, y2 = 0;
        if (y + 1 < s.rows) {
            y1 = s.at(U1, i + s.width) - u1;
            y2 = s.at(U2, i + s.width) - u2;
        } else if (below) {
            y1 = s.at(below, U1, x) - u1;
            y2 = s.at(below, U2, x) - u2;
        }
        const float shrink1 = 1.f / (1.f + task.step * sqrtf(x1 * x1 + y1 * y1));
        const float shrink2 = 1.f / (1.f + task.step * sqrtf(x2 * x2 + y2 * y2));
        s.at(P11, i) = (s.at(P11, i) + task.step * x1) * shrink1;
        s.at(P12, i) = (s.at(P12, i) + task.step * y1) * shrink1;
        s.at(P21, i) = (s.at(P21, i) + task.step * x2) * shrink2;
        s.at(P22, i) = (s.at(P22, i) + task.step * y2) * shrink2;
    });
}

// The sum of `mine` over the block's threads, always added in the same order; in partial[0] after the next barrier.
__device__ inline void block_sum(float mine, float* partial) {
    mine = warp_sum(mine);
    if (threadIdx.x % kWarp == 0) partial[1 + threadIdx.x / kWarp] = mine;
    __syncthreads();
    if (threadIdx.x == 0) {
        float sum = 0;
        for (int k = 0; k < ((int)blockDim.x + kWarp - 1) / kWarp; ++k) sum += partial[1 + k];
        partial[0] = sum;
    }
}

// Iterations between two warps; true where the flow came to rest. The waits are as late as they can be: a barrier with the
// other strips passes while a block works on the rows that touch none of them.
template <class Team>
__device__ bool iterate(const Strip<Team>& s, Team team, const Task& task, float* partial) {
    const int rank = team.rank();
    float* const above = s.rows > 0 && rank > 0 ? row(s, team, s.first - 1) : nullptr;
    float* const below = s.rows > 0 && rank + 1 < s.owners ? row(s, team, s.first + s.rows) : nullptr;
    const int one = s.rows > 0 ? 1 : 0;
    bool waiting = false;
    for (int n = 1; n <= task.iterations; ++n) {
        const bool measured = n % task.check == 0;
        float change = primal(s, task, one, s.rows, above);
        if (waiting) team.wait();
        change += primal(s, task, 0, one, above);
        team.arrive();
        __syncthreads();
        dual(s, task, 0, s.rows - 1, below);
        team.wait();
        dual(s, task, s.rows - one, s.rows, below);
        if (measured) block_sum(change, partial);
        team.arrive();
        __syncthreads();
        waiting = !measured;
        if (measured) {
            team.wait();
            float sum = 0;
#pragma unroll
            for (int k = 0; k < Team::size; ++k) sum += team.shared_of(partial, k)[0];
            if (sum <= task.epsilon2 * (float)(s.height * s.width)) return true;
        }
    }
    if (waiting) team.wait();
    return false;
}

// One level, from the flow that stands in the strip.
template <class Team>
__device__ void solve_level(const Strip<Team>& s, Team team, const Task& task, const float* first, const Sample* samples,
                            float* scratch, float* partial) {
    for (int k = 0; k < task.warps; ++k) {
        team.sync();
        warp(s, task, first, samples);
        bool rests = false;
        for (int round = 0; round < task.rounds && !rests; ++round) {
            median(s, team, scratch);
            rests = iterate(s, team, task, partial);
        }
    }
}

template <class Team>
__device__ void solve(Team team, const Task& task, float* state, float* workspace, float* partial) {
    const long long pair = team.number();
    const long long pixels = task.height[0] * task.width[0];
    Sample* const samples = reinterpret_cast<Sample*>(workspace);
    float* const scratch = workspace + 4 * pixels;
    float* const coarse = scratch + 2 * pixels;
    float* const pyramid = coarse + 2 * pixels;
    build_pyramid(team, task, task.pictures + pair * 2 * pixels, pyramid);
    long long at = 0;
    for (int level = 0; level < task.levels; ++level) at += 2LL * task.height[level] * task.width[level];
    Strip<Team> s;
    for (int level = task.levels - 1; level >= 0; --level) {
        set_level(s, team, task, level, state);
        const int area = s.height * s.width;
        at -= 2LL * area;
        const bool coarsest = level + 1 == task.levels;
        const int h = coarsest ? 1 : task.height[level + 1], w = coarsest ? 1 : task.width[level + 1];
        const float scale_x = (float)w / s.width, scale_y = (float)h / s.height;
        each(s, 0, s.rows, [&](int i, int x, int y) {
            const float from_x = (x + 0.5f) * scale_x - 0.5f, from_y = (s.first + y + 0.5f) * scale_y - 0.5f;
            s.at(U1, i) = coarsest ? 0.f : bilinear(coarse, h, w, from_x, from_y) * task.grow;
            s.at(U2, i) = coarsest ? 0.f : bilinear(coarse + h * w, h, w, from_x, from_y) * task.grow;
            s.at(P11, i) = s.at(P12, i) = s.at(P21, i) = s.at(P22, i) = 0;
        });
        sample(s, pyramid + at + area, samples);
        solve_level(s, team, task, pyramid + at, samples, scratch, partial);
        float* const flow = task.flows + pair * 2 * pixels;
        each(s, 0, s.rows, [&](int i, int, int) {
            const int whole = s.first * s.width + i;
            if (level > 0) {
                coarse[whole] = s.at(U1, i);
                coarse[area + whole] = s.at(U2, i);
            } else {
                flow[2 * whole] = s.at(U1, i);
                flow[2 * whole + 1] = s.at(U2, i);
            }
        });
        team.sync();  // the coarse flow is whole; and no block leaves while another reads its shared memory
    }
}

// The pairs of a batch, with the state where the team keeps it. Shared memory begins with room for sums.
constexpr int kPartials = 64;

template <class Team>
__device__ inline void solve_far(Team team, const Task& task) {
    float* const workspace = task.workspace + team.number() * task.room;
    const long long strip = (long long)FIELDS * task.plane;
    solve(team, task, workspace + task.room - (Team::size - team.rank()) * strip, workspace, dynamic_shared());
}

extern "C" __global__ void __launch_bounds__(1024) tvl1_alone(const __grid_constant__ Task task) {
    solve_far(Alone(), task);
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
extern "C" __global__ void __cluster_dims__(Cluster::size, 1, 1) __launch_bounds__(1024)
    tvl1_far(const __grid_constant__ Task task) {
    solve_far(Far(), task);
}

extern "C" __global__ void __cluster_dims__(Cluster::size, 1, 1) __launch_bounds__(1024)
    tvl1_near(const __grid_constant__ Task task) {
    const Near team;
    float* const workspace = task.workspace + team.number() * task.room;
    solve(team, task, dynamic_shared() + kPartials, workspace, dynamic_shared());
}
#endif
