// Inputs of networks that look at faces themselves, as realtime/naming/inputs makes them on the CPU with OpenCV: SKD-TSTSAN's stack
// of faces, blocks of faces and flow fields (skd_tstsan.py), and colour pictures (moext.py, sa_at.py).
#include "maps.cu"

struct StackTask {
    const unsigned char* faces;  // movements × 4 × face × face: onset, apex, apex, offset
    const float* flows;          // movements × 2 × face × face × 2: onset to apex, apex to offset
    float* stacks;               // movements × channels × side × side
    int face, side, grid, channels;
};

// To [0, 1]; a picture of one value becomes the middle.
__device__ inline float stretched(float value, float low, float high) {
    return high - low > 1e-6f ? (value - low) / (high - low) : 0.5f;
}

// The least and the greatest of `count` values into *low and *high; `room` holds two floats for each thread.
template <class Value>
__device__ inline void range(Value value, int count, float* room, float* low, float* high) {
    float* const lows = room;
    float* const highs = room + blockDim.x;
    float least = value(0), greatest = least;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        least = fminf(least, value(i));
        greatest = fmaxf(greatest, value(i));
    }
    lows[threadIdx.x] = least;
    highs[threadIdx.x] = greatest;
    extremes(lows, highs, blockDim.x);
    *low = lows[0];
    *high = highs[0];
    __syncthreads();
}

// face × face values as side × side in `small`, columns first; INTER_AREA. `lines` holds face × side floats.
template <class Value>
__device__ inline void shrink(Value value, const Taps* taps, int face, int side, float* lines, float* small) {
    for (int i = threadIdx.x; i < face * side; i += blockDim.x) {
        const Taps& columns = taps[i % side];
        float line = 0;
        for (int k = 0; k < columns.count; ++k) line += columns.weight(k) * value(i / side * face + columns.from + k);
        lines[i] = line;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < side * side; i += blockDim.x) {
        const Taps& rows = taps[i / side];
        float sum = 0;
        for (int j = 0; j < rows.count; ++j) sum += rows.weight(j) * lines[(rows.from + j) * side + i % side];
        small[i] = sum;
    }
    __syncthreads();
}

// One block a channel of a movement: apex, onset, grid² blocks of the apex, as many of the onset, u₁ v₁ u₂ v₂. Shared memory,
// in floats: the taps of a side, 5 × side; a face's lines, face × side; and a channel.
extern "C" __global__ void __launch_bounds__(512) stack_faces(const __grid_constant__ StackTask task) {
    const int face = task.face, side = task.side, grid = task.grid, blocks = grid * grid;
    const int channel = blockIdx.x % task.channels;
    const long long movement = blockIdx.x / task.channels;
    Taps* const taps = reinterpret_cast<Taps*>(dynamic_shared());
    float* const lines = dynamic_shared() + side * (int)(sizeof(Taps) / sizeof(float));
    float* const small = lines + face * side;
    float* const out = task.stacks + (long long)blockIdx.x * side * side;
    float low, high;
    tabulate(taps, face, side);
    __syncthreads();
    if (channel >= 2 + 2 * blocks) {
        const int component = channel - 2 - 2 * blocks;
        const float* flow = task.flows + (movement * 2 + component / 2) * face * face * 2 + component % 2;
        shrink([flow](int i) { return flow[2 * i]; }, taps, face, side, lines, small);
        range([small](int i) { return small[i]; }, side * side, lines, &low, &high);
        for (int i = threadIdx.x; i < side * side; i += blockDim.x) out[i] = stretched(small[i], low, high);
        return;
    }
    const bool apex = channel == 0 || (channel >= 2 && channel < 2 + blocks);
    const unsigned char* picture = task.faces + (movement * 4 + (apex ? 1 : 0)) * face * face;
    range([picture](int i) { return (float)picture[i]; }, face * face, lines, &low, &high);
    if (channel < 2) {
        shrink([picture](int i) { return (float)picture[i]; }, taps, face, side, lines, small);
        for (int i = threadIdx.x; i < side * side; i += blockDim.x) out[i] = stretched(small[i], low, high);
        return;
    }
    const int step = face / grid, which = (channel - 2) % blocks;
    const unsigned char* corner = picture + which / grid * step * face + which % grid * step;
    for (int i = threadIdx.x; i < side * side; i += blockDim.x) {
        const float y = fminf(fmaxf((i / side + 0.5f) * step / side - 0.5f, 0.f), step - 1.f);
        const float x = fminf(fmaxf((i % side + 0.5f) * step / side - 0.5f, 0.f), step - 1.f);
        const int top = (int)y, left = (int)x, right = inside(left + 1, step);
        const unsigned char* upper = corner + top * face;
        const unsigned char* lower = corner + inside(top + 1, step) * face;
        const float above = upper[left] + (upper[right] - upper[left]) * (x - left);
        const float below = lower[left] + (lower[right] - lower[left]) * (x - left);
        out[i] = stretched(above + (below - above) * (y - top), low, high);
    }
}

// INTER_LINEAR with 8 bits: two neighbours of where a pixel lies, in whole numbers.
struct Lean : Pull {
    static __device__ Lean of(int at, int source, int size);
};

__device__ inline Lean Lean::of(int at, int source, int size) {
    float part = (float)((at + 0.5) * ((double)source / size) - 0.5);
    const int from = (int)floorf(part);
    part -= from;
    Lean lean;
    lean.from = inside(from, source);
    lean.to = inside(from + 1, source);
    lean.near = (int)rintf((1 - part) * 2048);
    lean.far = (int)rintf(part * 2048);
    return lean;
}

struct ColourTask {
    const unsigned char* pixels;
    const View* views;
    float* pictures;  // views × 3 × size × size, RGB, whole numbers
    int size;
};

// The boxes of the views as colour pictures. kBands blocks a view, each a band of its rows. Shared memory: 2 × size entries.
extern "C" __global__ void __launch_bounds__(512) colour_faces(const __grid_constant__ ColourTask task) {
    const View view = task.views[blockIdx.x / kBands];
    const int size = task.size, band = blockIdx.x % kBands;
    Lean* const rows = reinterpret_cast<Lean*>(dynamic_shared());
    Lean* const columns = rows + size;
    tabulate(rows, view.bottom - view.top, size);
    tabulate(columns, view.right - view.left, size);
    __syncthreads();
    float* const out = task.pictures + (long long)(blockIdx.x / kBands) * 3 * size * size;
    const unsigned char* const pixels = task.pixels + view.offset;
    const int end = size * (band + 1) / kBands * size;
    for (int i = size * band / kBands * size + (int)threadIdx.x; i < end; i += blockDim.x) {
        const Lean row = rows[i / size], column = columns[i % size];
        const long long upper = inside(view.top + row.from, view.height), lower = inside(view.top + row.to, view.height);
        const int left = inside(view.left + column.from, view.width), right = inside(view.left + column.to, view.width);
        for (int colour = 0; colour < 3; ++colour) {
            const unsigned char* p = pixels + 2 - colour;
            const int above = p[3 * (upper * view.width + left)] * column.near + p[3 * (upper * view.width + right)] * column.far;
            const int below = p[3 * (lower * view.width + left)] * column.near + p[3 * (lower * view.width + right)] * column.far;
            const int sum = ((row.near * (above >> 4)) >> 16) + ((row.far * (below >> 4)) >> 16);
            out[colour * size * size + i] = (float)((sum + 2) >> 2);
        }
    }
}
