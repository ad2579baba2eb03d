// The kernels as functions of a library for the host; with -DONCE a program that runs each of them once, on a small
// picture and in memory of just the size that they need, for the sanitizers.
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
void run_stack_faces(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const StackTask task = unpack<StackTask>(parameters, bytes);
    shim::launch(grid, 1, threads, floats, [&] { stack_faces(task); });
}
void run_colour_faces(int grid, int threads, int floats, const unsigned char* parameters, int bytes) {
    const ColourTask task = unpack<ColourTask>(parameters, bytes);
    shim::launch(grid, 1, threads, floats, [&] { colour_faces(task); });
}
}

#ifdef ONCE
// A sanitizer ends the program with another status where two threads touch the same memory without a barrier between, or
// one reads or writes outside an array or a block's shared memory.
int main() {
    constexpr int kHeight = 40, kWidth = 36, kFace = 37, kSmall = 30, kSmallest = 24;
    constexpr View kBoxes[] = {
        {0, kHeight, kWidth, -2, 1, kWidth, kHeight},             // grows
        {0, kHeight, kWidth, -9, -4, kWidth + 7, kHeight + 9},    // shrinks
        {0, kHeight, kWidth, -19, -17, 2 * kFace - 19, 2 * kFace - 17},  // is halved
        {0, kHeight, kWidth, 50, 60, 200, 261},                   // has nothing of the view
    };
    constexpr int kPairs = sizeof kBoxes / sizeof *kBoxes;
    std::vector<unsigned char> views(3 * 2 * kHeight * kWidth);
    for (int i = 0; i < (int)views.size(); ++i) {
        const int x = i / 3 % kWidth, y = i / 3 / kWidth % kHeight, second = i / (3 * kHeight * kWidth);
        views[i] = (unsigned char)(128 + 60 * std::sin(0.7 * (x - second)) + 60 * std::sin(0.5 * (y + second)));
    }
    std::vector<View> table;
    for (const View& box : kBoxes)
        for (int which = 0; which < 2; ++which) {
            table.push_back(box);
            table.back().offset = 3 * kHeight * kWidth * which;
        }
    std::vector<unsigned char> faces(2 * kPairs * kFace * kFace);
    const GreyTask grey = {views.data(), table.data(), faces.data(), kFace};
    const int tables = 2 * kFace * sizeof(Taps) / sizeof(float);
    shim::launch(2 * kPairs * kBands, 1, 3, tables, [&] { grey_faces(grey); });

    std::vector<float> flows(2 * kPairs * kFace * kFace);
    Task task = {faces.data(), flows.data(), nullptr, 0, 0, 3, 2, 2, 6, 3, {kFace, kSmall, kSmallest}, {kFace, kSmall, kSmallest}};
    task.step = 0.25f / 0.3f, task.bound = 0.045f, task.theta = 0.3f, task.epsilon2 = 1e-4f;
    task.grow = 1.25f, task.cubic = -0.75f, task.floor = 1.2e-7f;
    for (int kind = 0; kind < 3; ++kind) {
        const int team = kind == 2 ? 1 : Cluster::size;
        task.plane = (kFace + team - 1) / team * kFace;
        const int state = FIELDS * task.plane, pixels = kFace * kFace;
        task.room = 8 * pixels + 2 * (pixels + kSmall * kSmall + kSmallest * kSmallest) + (kind == 0 ? 0 : team * state);
        task.room = (task.room + 3) / 4 * 4;
        const int pairs = kind == 2 ? kPairs : 1;
        std::vector<Sample> room(pairs * task.room / 4);
        task.workspace = &room[0].value;
        const auto kernel = kind == 0 ? tvl1_near : kind == 1 ? tvl1_far : tvl1_alone;
        shim::launch(pairs * team, team, 2, kPartials + (kind == 0 ? state : 0), [&] { kernel(task); });
    }

    float sum = 0;
    for (const int side : {9, 28, kFace}) {
        std::vector<float> maps(3 * kPairs * side * side), puzzles(maps.size());
        const MapTask map = {flows.data(), maps.data(), kFace, side, 2, {0.4f, 0.2f, 0.1f}};
        const int floats = side * (int)(sizeof(Taps) / sizeof(float)) + 3 * side * side + kFace * side;
        shim::launch(3 * kPairs, 1, 3, floats, [&] { face_maps(map); });
        const PuzzleTask puzzle = {maps.data(), puzzles.data(), side, {{0, 3, 0, 4}, {0, 3, 4, 8}, {5, 9, 1, 8}}};
        shim::launch(3 * kPairs, 1, 3, 0, [&] { cut_puzzles(puzzle); });
        for (float value : puzzles) sum += value;
    }
    for (const int grid : {1, 2, 4}) {  // the flows of two pairs each, the faces of four pictures
        const int channels = 6 + 2 * grid * grid, side = 9;
        std::vector<float> stacks(kPairs / 2 * channels * side * side);
        const StackTask stack = {faces.data(), flows.data(), stacks.data(), kFace, side, grid, channels};
        const int floats = side * (int)(sizeof(Taps) / sizeof(float)) + kFace * side + side * side;
        shim::launch(kPairs / 2 * channels, 1, 3, floats, [&] { stack_faces(stack); });
        for (float value : stacks) sum += value;
    }
    std::vector<float> pictures(2 * kPairs * 3 * kFace * kFace);
    const ColourTask colour = {views.data(), table.data(), pictures.data(), kFace};
    shim::launch(2 * kPairs * kBands, 1, 3, 2 * kFace * sizeof(Lean) / sizeof(float), [&] { colour_faces(colour); });
    for (float value : pictures) sum += value;
    std::printf("done %d\n", std::isfinite(sum));
}
#endif
