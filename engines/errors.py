"""The one kind of error that this package raises. `realtime` turns it into its own `ModelError`."""


class EngineError(Exception):
    """A network or a flow engine cannot be had. Its text is one line, made to be shown to the user as it is."""
