"""What runs on the accelerator: networks, optical flow, and the one runtime that calls them."""

from engines import home, telemetry

home.make_do()  # first: the others look for it
telemetry.switch_off()  # before any library is loaded
