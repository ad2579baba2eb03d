"""Spotting: when did a face move, and was it a micro-expression.

Front end (`resting`) → state (`spotter`) → the movement and its edges (`movement`) → what it was (`verify`).
"""

from realtime.spotting.apex import apex_of_clip
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.spotter import Spotter
from realtime.spotting.verify import Verifier

__all__ = ["Reading", "Spotter", "SpotterSettings", "Verifier", "apex_of_clip"]
