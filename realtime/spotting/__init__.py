"""Spotting: when did a face move, and was it a micro-expression.

Front end (`resting`) → does it move or rest (`waking`) → what is under way (`episode`) → its edges (`course`) → what it
was (`verify`, `kinds`); `spotter` leads from one to the next.
"""

from realtime.spotting.apex import apex_of_clip
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.spotter import Spotter
from realtime.spotting.verify import Verifier

__all__ = ["Reading", "Spotter", "SpotterSettings", "Verifier", "apex_of_clip"]
