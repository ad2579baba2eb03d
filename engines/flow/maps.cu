// From views to the flow maps that networks take, around the flow of tvl1.cu: what realtime/naming/inputs (face.py, flow_map.py,
// dual_atme.py) does on the CPU with OpenCV, here without leaving the GPU. Resizing and blurring follow OpenCV's rules.
//
// What a line's pixels are made of is worked out once a block, and read back from shared memory. Worked out beside the loops
// that it drives, the loops ran past their ends on sm_90 (nvcc 13.0.88, with -O1 and above, not with -O0).
#pragma once

#include "common.cuh"

// Where the pixels of a view lie, and the box that is cut out of it, in those pixels; it may reach outside them.
struct View {
    long long offset;  // of its first byte in `pixels`, height × width × 3, BGR
    int height, width, left, top, right, bottom;
};

// The source pixels that a pixel of a shrunk line covers, and their shares of it: INTER_AREA.
struct Taps {
    int from, count;
    float first, between, last;
    __device__ float weight(int k) const { return k == 0 ? first : k == count - 1 ? last : between; }
    static __device__ Taps of(int at, int source, int size);
};

__device__ inline Taps Taps::of(int at, int source, int size) {
    const double scale = (double)source / size;
    const double begin = at * scale, end = begin + scale;
    const double cell = fmin(scale, source - begin);
    int whole_end = (int)floor(end);
    whole_end = whole_end < source - 1 ? whole_end : source - 1;
    int whole = (int)ceil(begin);
    whole = whole < whole_end ? whole : whole_end;
    const bool head = whole - begin > 1e-3, tail = end - whole_end > 1e-3;
    Taps t;
    t.from = head ? whole - 1 : whole;
    t.count = (whole_end - whole) + (head ? 1 : 0) + (tail ? 1 : 0);
    t.between = (float)(1 / cell);
    t.last = tail ? (float)(fmin(fmin(end - whole_end, 1.), cell) / cell) : t.between;
    t.first = head ? (float)((whole - begin) / cell) : t.count == 1 ? t.last : t.between;
    return t;
}

// What INTER_AREA does with 8 bits where a side grows: two neighbours, in whole numbers, 2048 for 1.
struct Pull {
    int from, to, near, far;  // two pixels and their weights
    static __device__ Pull of(int at, int source, int size);
};

__device__ inline Pull Pull::of(int at, int source, int size) {
    const double scale = (double)source / size, inverse = (double)size / source;
    int from = (int)floor(at * scale);
    float part = (float)((at + 1) - (from + 1) * inverse);
    part = part <= 0 ? 0 : part - floorf(part);
    if (from >= source - 1) {
        from = source - 1;
        part = 0;
    }
    return {from, from + 1 < source ? from + 1 : from, (int)rintf((1 - part) * 2048), (int)rintf(part * 2048)};
}

// Taps or Pulls for each pixel of a line of `size`, made of `source` pixels. They can be read after the next barrier.
template <class Entry>
__device__ inline void tabulate(Entry* table, int source, int size) {
    for (int at = threadIdx.x; at < size; at += blockDim.x) table[at] = Entry::of(at, source, size);
}

__device__ inline int inside(int value, int size) { return value < 0 ? 0 : value < size ? value : size - 1; }

// Grey of the crop's pixel (x, y) as cvtColor makes it, in 1/32768 steps.
__device__ inline int grey(const unsigned char* pixels, const View& view, int x, int y) {
    const long long row = inside(view.top + y, view.height);
    const unsigned char* p = pixels + view.offset + 3 * (row * view.width + inside(view.left + x, view.width));
    return (p[0] * 3735 + p[1] * 19235 + p[2] * 9798 + (1 << 14)) >> 15;
}

constexpr int kBands = 8;  // blocks a view, as in launches.py

struct GreyTask {
    const unsigned char* pixels;
    const View* views;
    unsigned char* faces;  // views × face × face
    int face;
};

// A pixel of a shrunk face. OpenCV rounds halves up where both sides are halved, and only there.
__device__ inline unsigned char shrunk(const GreyTask& task, const View& view, const Taps& rows, const Taps& columns,
                                       bool halved) {
    float sum = 0;
    for (int j = 0; j < rows.count; ++j) {
        float line = 0;
        for (int k = 0; k < columns.count; ++k)
            line += columns.weight(k) * (float)grey(task.pixels, view, columns.from + k, rows.from + j);
        sum += rows.weight(j) * line;
    }
    return (unsigned char)(halved ? floorf(sum + 0.5f) : rintf(fminf(fmaxf(sum, 0.f), 255.f)));
}

// A pixel of a face that grew on some side.
__device__ inline unsigned char grown(const GreyTask& task, const View& view, const Pull& rows, const Pull& columns) {
    int lines[2];
    for (int j = 0; j < 2; ++j) {
        const int row = j == 0 ? rows.from : rows.to;
        lines[j] = grey(task.pixels, view, columns.from, row) * columns.near +
                   grey(task.pixels, view, columns.to, row) * columns.far;
    }
    const int sum = ((rows.near * (lines[0] >> 4)) >> 16) + ((rows.far * (lines[1] >> 4)) >> 16);
    return (unsigned char)((sum + 2) >> 2);
}

// The faces cut out of the views, grey. kBands blocks a view, each a band of its rows. Shared memory: 2 × face entries.
extern "C" __global__ void __launch_bounds__(512) grey_faces(const __grid_constant__ GreyTask task) {
    const View view = task.views[blockIdx.x / kBands];
    const int face = task.face, band = blockIdx.x % kBands;
    const int height = view.bottom - view.top, width = view.right - view.left;
    unsigned char* const out = task.faces + (long long)(blockIdx.x / kBands) * face * face;
    const int end = face * (band + 1) / kBands * face;
    const int first = face * band / kBands * face + (int)threadIdx.x;
    if (height >= face && width >= face) {
        Taps* const rows = reinterpret_cast<Taps*>(dynamic_shared());
        Taps* const columns = rows + face;
        tabulate(rows, height, face);
        tabulate(columns, width, face);
        __syncthreads();
        const bool halved = height == 2 * face && width == 2 * face;
        for (int i = first; i < end; i += blockDim.x)
            out[i] = shrunk(task, view, rows[i / face], columns[i % face], halved);
    } else {
        Pull* const rows = reinterpret_cast<Pull*>(dynamic_shared());
        Pull* const columns = rows + face;
        tabulate(rows, height, face);
        tabulate(columns, width, face);
        __syncthreads();
        for (int i = first; i < end; i += blockDim.x) out[i] = grown(task, view, rows[i / face], columns[i % face]);
    }
}

constexpr int kReach = 16;

struct MapTask {
    const float* flows;  // pairs × face × face × 2
    float* maps;         // pairs × 3 × map × map
    int face, map, reach;
    float weights[kReach + 1];  // of the Gaussian, from its centre outwards
};

// Central differences inside, one-sided at the borders, as numpy.gradient.
__device__ inline float slope(const float* flow, int at, int position, int size, int step) {
    const int low = position > 0 ? at - step : at, high = position + 1 < size ? at + step : at;
    const float rise = flow[2 * high] - flow[2 * low];
    return high - low == 2 * step ? rise / 2 : rise;
}

// Channel 0 or 1: the flow; 2: the size of the strain tensor ½(∇f + ∇fᵀ).
__device__ inline float field(const float* flow, int channel, int x, int y, int face) {
    const int at = y * face + x;
    if (channel < 2) return flow[2 * at + channel];
    const float u_x = slope(flow, at, x, face, 1), u_y = slope(flow, at, y, face, face);
    const float v_x = slope(flow + 1, at, x, face, 1), v_y = slope(flow + 1, at, y, face, face);
    return sqrtf(u_x * u_x + v_y * v_y + 0.5f * ((u_y + v_x) * (u_y + v_x)));
}

// Halves the values until the least and the greatest stand first. `count` values each, at least one.
__device__ inline void extremes(float* low, float* high, int count) {
    for (int half = (count + 1) / 2; count > 1; count = half, half = (count + 1) / 2) {
        __syncthreads();
        for (int i = threadIdx.x; i + half < count; i += blockDim.x) {
            low[i] = fminf(low[i], low[i + half]);
            high[i] = fmaxf(high[i], high[i + half]);
        }
    }
    __syncthreads();
}

// One block a channel of a pair: resized, stretched over 0 … 255, blurred, less its median, over 128. Shared memory, in
// floats: the taps of a side, 5 × map; three maps; and what the columns' taps make of each row, face × map.
extern "C" __global__ void __launch_bounds__(512) face_maps(const __grid_constant__ MapTask task) {
    const int map = task.map, face = task.face, pixels = map * map;
    Taps* const taps = reinterpret_cast<Taps*>(dynamic_shared());  // rows and columns are alike: both are square
    float* const one = dynamic_shared() + map * (int)(sizeof(Taps) / sizeof(float));
    float* const two = one + pixels;
    float* const three = two + pixels;
    float* const lines = three + pixels;
    const float* flow = task.flows + (long long)(blockIdx.x / 3) * face * face * 2;
    const int channel = blockIdx.x % 3;
    tabulate(taps, face, map);
    __syncthreads();
    for (int i = threadIdx.x; i < face * map; i += blockDim.x) {
        const int y = i / map;
        const Taps& columns = taps[i % map];
        float line = 0;
        for (int k = 0; k < columns.count; ++k) line += columns.weight(k) * field(flow, channel, columns.from + k, y, face);
        lines[i] = line;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) {
        const Taps& rows = taps[i / map];
        float sum = 0;
        for (int j = 0; j < rows.count; ++j) sum += rows.weight(j) * lines[(rows.from + j) * map + i % map];
        one[i] = two[i] = three[i] = sum;
    }
    extremes(two, three, pixels);
    const float low = two[0], stretch = 255.f / fmaxf(three[0] - low, 1e-6f);
    __syncthreads();
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) {
        const float* line = one + i / map * map;
        float sum = task.weights[0] * ((line[i % map] - low) * stretch);
        for (int k = 1; k <= task.reach; ++k)
            sum += task.weights[k] * ((line[inside(i % map - k, map)] - low) * stretch +
                                      (line[inside(i % map + k, map)] - low) * stretch);
        two[i] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) {
        float sum = task.weights[0] * two[i];
        for (int k = 1; k <= task.reach; ++k)
            sum += task.weights[k] * (two[inside(i / map - k, map) * map + i % map] +
                                      two[inside(i / map + k, map) * map + i % map]);
        three[i] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) {
        int rank = 0;  // each value's own: equal ones are told apart by their place
        for (int k = 0; k < pixels; ++k) rank += three[k] < three[i] || (three[k] == three[i] && k < i);
        if (rank == (pixels - 1) / 2) one[0] = three[i];
        if (rank == pixels / 2) one[1] = three[i];
    }
    __syncthreads();
    const float median = (one[0] + one[1]) / 2;
    float* const out = task.maps + (long long)blockIdx.x * pixels;
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) out[i] = (three[i] - median) / 128.f;
}

struct PuzzleTask {
    const float* maps;  // pairs × 3 × map × map
    float* puzzles;     // the same
    int map;
    int boxes[3][4];  // top, bottom, left, right of the left brow, the right brow and the mouth, in the map
};

// Both brows, half a map each way, above the mouth, which is as wide as the map. One block a channel of a pair.
extern "C" __global__ void __launch_bounds__(512) cut_puzzles(const __grid_constant__ PuzzleTask task) {
    const int map = task.map, half = map / 2;
    const float* const from = task.maps + (long long)blockIdx.x * map * map;
    float* const out = task.puzzles + (long long)blockIdx.x * map * map;
    for (int i = threadIdx.x; i < map * map; i += blockDim.x) {
        const int y = i / map, x = i % map;
        const int which = y >= half ? 2 : x >= half ? 1 : 0;
        const int* box = task.boxes[which];
        const int height = box[1] - box[0], width = box[3] - box[2];
        float at_y = (y % half + 0.5f) * height / half - 0.5f;
        float at_x = which == 2 ? (x + 0.5f) * width / map - 0.5f : (x % half + 0.5f) * width / half - 0.5f;
        at_y = fminf(fmaxf(at_y, 0.f), height - 1.f);
        at_x = fminf(fmaxf(at_x, 0.f), width - 1.f);
        const int top = (int)at_y, left = (int)at_x;
        const float fy = at_y - top, fx = at_x - left;
        const float* upper = from + (box[0] + top) * map + box[2];
        const float* lower = from + (box[0] + inside(top + 1, height)) * map + box[2];
        const int right = inside(left + 1, width);
        const float above = upper[left] * (1 - fx) + upper[right] * fx;
        const float below = lower[left] * (1 - fx) + lower[right] * fx;
        out[i] = above * (1 - fy) + below * fy;
    }
}
