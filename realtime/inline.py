"""Pictures that stand in an HTML text itself, so that no file of them is left anywhere."""

from __future__ import annotations

import base64


def inline(data: bytes, kind: str) -> str:
    """A data: address. kind: "jpeg", "png" or "webp"."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
