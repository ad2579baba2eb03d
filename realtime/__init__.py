"""The stream: camera or recording in, micro-expression events out."""

from realtime.origin import own

__version__ = "0.1.0"

own("engines")  # before anybody's own folder of that name can be taken for it
