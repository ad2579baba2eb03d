"""Pictures and films that stand in an HTML text itself, so that no file of them is left anywhere."""

from __future__ import annotations

import base64


def inline(data: bytes, kind: str, medium: str = "image") -> str:
    """A data: address. kind: "jpeg", "png" or "webp", of a video "mp4"."""
    return f"data:{medium}/{kind};base64,{base64.b64encode(data).decode()}"
