// All kernels, as one unit to compile: by nvcc (`python -m engines.flow.fatbin`), and by the tests for the host.
#include "stacks.cu"
#include "tvl1.cu"
