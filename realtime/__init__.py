"""The stream: camera or recording in, micro-expression events out."""

__version__ = "0.1.0"
