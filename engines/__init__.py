"""What runs on the accelerator: networks, optical flow, and the one runtime that calls them."""

from engines import telemetry

telemetry.switch_off()  # before any library is loaded
