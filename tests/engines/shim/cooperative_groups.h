// Stands in for CUDA where the kernels are compiled for the host: one thread of the system for each thread of a kernel, real
// barriers, shared memory that is each block's own. What races here races there, and the thread sanitizer sees it.
#pragma once

#include <barrier>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)

struct Index {
    unsigned x;
};
inline thread_local Index threadIdx, blockIdx, blockDim;

namespace shim {
struct Cluster {
    std::barrier<> everyone;
    std::vector<std::unique_ptr<std::barrier<>>> blocks;
    std::vector<std::vector<float>> memory;

    Cluster(int size, int threads, int floats) : everyone(size * threads), memory(size) {
        // what nobody wrote is no number, so that using it shows
        for (auto& block : memory) block.assign(floats, NAN);
        for (int k = 0; k < size; ++k) blocks.push_back(std::make_unique<std::barrier<>>(threads));
    }
};
inline thread_local Cluster* cluster;
inline thread_local int rank;
inline thread_local std::optional<std::barrier<>::arrival_token> arrived;

// grid blocks of `threads` threads, in clusters of `size`, one cluster after the other.
template <class Kernel>
void launch(int grid, int size, int threads, int floats, Kernel kernel) {
    for (int first = 0; first < grid; first += size) {
        Cluster whole(size, threads, floats);
        std::vector<std::thread> running;
        for (int k = 0; k < size * threads; ++k)
            running.emplace_back([&, k] {
                cluster = &whole;
                rank = k / threads;
                threadIdx.x = k % threads;
                blockIdx.x = first + rank;
                blockDim.x = threads;
                kernel();
            });
        for (auto& thread : running) thread.join();
    }
}
}  // namespace shim

inline void __syncthreads() { shim::cluster->blocks[shim::rank]->arrive_and_wait(); }
inline float* dynamic_shared() { return shim::cluster->memory[shim::rank].data(); }

constexpr int kWarp = 1;  // threads in step with each other: none
inline float warp_sum(float value) { return value; }

namespace cooperative_groups {
struct cluster_group {
    unsigned block_rank() const { return shim::rank; }
    void sync() const {
        if (shim::arrived) std::abort();  // CUDA has one barrier a cluster: no second one between its two halves
        shim::cluster->everyone.arrive_and_wait();
    }
    void barrier_arrive() const {
        if (shim::arrived) std::abort();
        shim::arrived.emplace(shim::cluster->everyone.arrive());
    }
    void barrier_wait() const {
        if (!shim::arrived) std::abort();
        shim::cluster->everyone.wait(std::move(*shim::arrived));
        shim::arrived.reset();
    }
    float* map_shared_rank(float* mine, int rank) const {
        return shim::cluster->memory[rank].data() + (mine - shim::cluster->memory[shim::rank].data());
    }
};
inline cluster_group this_cluster() { return {}; }
}  // namespace cooperative_groups
