"""Where things lie that tests read."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("MER_DATA", ROOT.parent / "shared/data"))
CASES = DATA.parent / "cases"  # inputs that went wrong, each with its right answer
DEMO = ROOT / "realtime/assets/demo.mp4"
PAPERS = DATA.parent / "papers"  # the four texts
