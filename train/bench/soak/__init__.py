"""`mer-bench soak`: known clips through all of the program, in simulated time, while something fails every so often."""
