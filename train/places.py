"""Where the data lie that are no part of the project, unless one says otherwise."""

import os
from pathlib import Path


def data() -> Path:
    """The folder that MER_DATA names."""
    return Path(os.environ.get("MER_DATA", "../shared/data"))


def portraits() -> Path:
    """What clips are made of."""
    return data() / "portraits"
