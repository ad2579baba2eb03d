"""What can go wrong for a person at the keyboard, and the exit code each kind ends with.

Every message is one line: what was got, what was expected, what to do. The commands print it without a
traceback (`realtime.cli.common`); anything that is not a `MerError` is a defect of ours and keeps its traceback.
"""

ON_WINDOWS = "Windows by itself is not enough, its processes cannot share memory as this program needs it: run it in WSL 2 or Docker (see the README)"


class MerError(Exception):
    """A mistake or a fault outside the program. Its text is shown to the user as it is."""

    exit_code = 1


class UsageError(MerError):
    """The command line or the configuration does not make sense."""

    exit_code = 2


class SourceError(MerError):
    """A camera, file or stream could not be opened, or holds no video."""

    exit_code = 3


class BrokenSourceError(SourceError):
    """A source broke off partway (truncated file, stream gone for good). Events found before that are kept."""

    exit_code = 4


class ModelError(MerError):
    """A network is unknown, missing, damaged, or not what its manifest says."""

    exit_code = 5


class OutputError(MerError):
    """A result could not be written (path, permissions, full disk). lost: how many events with it."""

    exit_code = 6
    lost = 0


class MissingPartError(MerError):
    """A system library or an optional package is not installed, or a GPU is asked for where there is none."""

    exit_code = 7
