"""The stream: camera or recording in, micro-expression events out."""

from realtime.origin import own

__version__ = "0.1.0"

# before anybody's own folder of that name can be taken for it, and before any library: it switches their telemetry off
own("engines")
