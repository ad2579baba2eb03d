"""Where the portraits lie that clips are made of, unless one says otherwise."""

import os
from pathlib import Path

PORTRAITS = Path(os.environ.get("MER_DATA", "../shared/data")) / "portraits"
