"""The kinds of error that this package raises. `realtime` turns them into its own `ModelError`."""


class EngineError(Exception):
    """A network or a flow engine cannot be had. Its text is one line, made to be shown to the user as it is."""


class GpuLost(EngineError):
    """The GPU failed while running: out of memory, or gone. Whoever catches it goes on with the CPU."""
