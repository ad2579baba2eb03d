// The kernels as functions of a library for the host; with -DONCE a program that runs each of them once, on a small
// picture, for the thread sanitizer.
#include <cooperative_groups.h>

#include <cstdio>
#include <cstdlib>

#include "kernels.cu"

namespace {
// The parameters of a launch, as the driver takes them: bytes in the order and alignment of the kernel's own.
template <class T>
T unpack(const unsigned char* parameters, int bytes) {
    T task;
    if ((int)sizeof task != bytes) {
        std::fprintf(stderr, "a launch's parameters: got %d bytes, expected %d\n", bytes, (int)sizeof task);
        std::abort();
    }
    std::memcpy(&task, parameters, sizeof task);
    return task;
}
}  // namespace

extern "C" {
void run_tvl1_near(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const Task task = unpack<Task>(parameters, bytes);
    shim::launch(grid, Cluster::size, threads, floats, [&] { tvl1_near(task); });
}
void run_tvl1_far(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const Task task = unpack<Task>(parameters, bytes);
    shim::launch(grid, Cluster::size, threads, floats, [&] { tvl1_far(task); });
}
void run_tvl1_alone(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const Task task = unpack<Task>(parameters, bytes);
    shim::launch(grid, 1, threads, floats, [&] { tvl1_alone(task); });
}
void run_grey_faces(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const GreyTask task = unpack<GreyTask>(parameters, bytes);
    shim::launch(grid, 1, threads, floats, [&] { grey_faces(task); });
}
void run_face_maps(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const MapTask task = unpack<MapTask>(parameters, bytes);
    shim::launch(grid, 1, threads, floats, [&] { face_maps(task); });
}
void run_cut_puzzles(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const PuzzleTask task = unpack<PuzzleTask>(parameters, bytes);
    shim::launch(grid, 1, threads, floats, [&] { cut_puzzles(task); });
}
}

#ifdef ONCE
// Each kernel once on small pictures, for the thread sanitizer: it ends the program with another status where two threads
// touch the same memory without a barrier between.
int main() {
    constexpr int kHeight = 40, kWidth = 36, kMap = 9, kPixels = kHeight * kWidth;
    std::vector<unsigned char> views(3 * 2 * kPixels);
    for (int i = 0; i < (int)views.size(); ++i) {
        const int x = i / 3 % kWidth, y = i / 3 / kWidth % kHeight, second = i / 3 / kPixels;
        views[i] = (unsigned char)(128 + 60 * std::sin(0.7 * (x - second)) + 60 * std::sin(0.5 * (y + second)));
    }
    View table[2] = {{0, kHeight, kWidth, -2, 1, kWidth, kHeight}};
    table[1] = table[0];
    table[1].offset = 3 * kPixels;
    constexpr int kFace = 37;
    std::vector<unsigned char> faces(2 * kFace * kFace);
    const GreyTask grey = {views.data(), table, faces.data(), kFace};
    shim::launch(2, 1, 4, 0, [&] { grey_faces(grey); });

    struct alignas(16) Room {
        float values[1 << 16];
    };
    auto room = std::make_unique<Room>();
    std::vector<float> flow(2 * kFace * kFace);
    Task task = {faces.data(), flow.data(), room->values, 1 << 16, 0, 3, 2, 2, 6, 3, {37, 30, 24}, {37, 30, 24}};
    task.step = 0.25f / 0.3f, task.bound = 0.045f, task.theta = 0.3f, task.epsilon2 = 1e-4f;
    task.grow = 1.25f, task.cubic = -0.75f, task.floor = 1.2e-7f;
    for (int kind = 0; kind < 3; ++kind) {
        task.plane = (kind == 2 ? kFace : 5) * kFace;
        const int floats = kPartials + (kind == 0 ? FIELDS * task.plane : 0);
        const auto kernel = kind == 0 ? tvl1_near : kind == 1 ? tvl1_far : tvl1_alone;
        shim::launch(kind == 2 ? 1 : Cluster::size, kind == 2 ? 1 : Cluster::size, 2, floats, [&] { kernel(task); });
    }

    std::vector<float> maps(3 * kMap * kMap), puzzles(3 * kMap * kMap);
    MapTask map = {flow.data(), maps.data(), kFace, kMap, 2, {0.4f, 0.2f, 0.1f}};
    shim::launch(3, 1, 4, 3 * kMap * kMap, [&] { face_maps(map); });
    const PuzzleTask puzzle = {maps.data(), puzzles.data(), kMap, {{0, 3, 0, 4}, {0, 3, 4, 8}, {5, 9, 1, 8}}};
    shim::launch(3, 1, 4, 0, [&] { cut_puzzles(puzzle); });

    float sum = 0;
    for (float value : puzzles) sum += value;
    std::printf("done %d\n", std::isfinite(sum));
}
#endif
