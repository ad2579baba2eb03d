// What both kernel files share: the threads that work on one pair, and how they wait for each other.
//
// The tests compile these very files for the host, where tests/engines/shim stands in for CUDA: hence no warp-level code
// but `warp_sum`, no inline assembly, and shared memory through `dynamic_shared` only.
#pragma once

#include <cooperative_groups.h>

#ifdef __CUDACC__
__device__ inline float* dynamic_shared() {
    extern __shared__ float memory[];
    return memory;
}

// The sum over the calling thread's warp, in its lane 0. All lanes must call it.
constexpr int kWarp = 32;
__device__ inline float warp_sum(float value) {
    for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
    return value;
}
#endif

template <class T>
__device__ inline T clamp(T value, T low, T high) { return value < low ? low : value > high ? high : value; }

// A team is the blocks that solve one pair together; `rank` is this block's number in it, `packed` the layout of its state.
// arrive() … wait() is one barrier in two halves: what a block does in between needs nothing of the others.

// One block alone, its state in global memory: nobody to wait for but its own threads.
struct Alone {
    static constexpr int size = 1;
    static constexpr bool packed = false;
    __device__ int rank() const { return 0; }
    __device__ int number() const { return blockIdx.x; }
    __device__ void sync() const { __syncthreads(); }
    __device__ void arrive() const {}
    __device__ void wait() const {}
    __device__ float* shared_of(float* mine, int) const { return mine; }
    __device__ float* state_of(float* mine, long long, int) const { return mine; }
};

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
// A cluster: blocks on neighbouring multiprocessors that wait for each other and read each other's shared memory.
struct Cluster {
    static constexpr int size = 8;  // the most that every GPU with clusters grants
    __device__ int rank() const { return (int)cooperative_groups::this_cluster().block_rank(); }
    __device__ int number() const { return blockIdx.x / size; }
    __device__ void sync() const { cooperative_groups::this_cluster().sync(); }
    __device__ void arrive() const { cooperative_groups::this_cluster().barrier_arrive(); }
    __device__ void wait() const { cooperative_groups::this_cluster().barrier_wait(); }
    // where another block of the team keeps what stands at `mine` in this block's shared memory
    __device__ float* shared_of(float* mine, int rank) const {
        return cooperative_groups::this_cluster().map_shared_rank(mine, rank);
    }
};

// Its state in shared memory.
struct Near : Cluster {
    static constexpr bool packed = true;
    __device__ float* state_of(float* mine, long long, int rank) const { return shared_of(mine, rank); }
};

// Its state in global memory, `apart` floats from block to block, for pairs too large for shared memory.
struct Far : Cluster {
    static constexpr bool packed = false;
    __device__ float* state_of(float* mine, long long apart, int rank) const {
        return mine + (rank - this->rank()) * apart;
    }
};
#endif
