"""Spotting: when did a face move, and was it a micro-expression.

Front end, and does it move or rest (`resting`) → the last seconds, and what is under way (`memory`) → its edges (`course`) →
what it was (`verify`, `kinds`); `spotter` leads from one to the next.
"""

from realtime.spotting.cut import apex_of_clip
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.spotter import Spotter
from realtime.spotting.verify import Verifier

__all__ = ["Reading", "Spotter", "SpotterSettings", "Verifier", "apex_of_clip"]
