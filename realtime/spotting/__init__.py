"""Spotting: when did a face move, and was it a micro-expression.

How far a face is from rest, and whether it moves (`resting`), its last seconds and what is under way (`memory`), for as long
as its views can be compared (`stretch`) → a movement's edges (`course`) → what it was (`verify`, `kinds`); `spotter` leads
from one to the next. A clip that was cut to its movement has no rest (`cut`).
"""

from realtime.spotting.cut import apex_of_clip
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.spotter import Spotter
from realtime.spotting.verify import Verifier

__all__ = ["Reading", "Spotter", "SpotterSettings", "Verifier", "apex_of_clip"]
