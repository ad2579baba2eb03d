"""One line for a value out of range."""

from __future__ import annotations

from realtime.errors import UsageError


def check(right: dict[str, bool]) -> None:
    """Raises UsageError naming the first setting that is not right."""
    for name, is_right in right.items():
        if not is_right:
            raise UsageError(f"{name} is out of range: the files in configs/ say what each setting means")
