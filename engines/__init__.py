"""What runs on the accelerator: networks, optical flow, and the one runtime that calls them."""

from engines import environment

environment.find_home()  # first: the others look for it
environment.switch_telemetry_off()  # before any library is loaded
