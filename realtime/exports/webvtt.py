"""WebVTT (W3C): events as subtitles, which any player shows over the recording."""

from __future__ import annotations

from realtime.exports import Found
from realtime.exports.elan import clean


def vtt(found: Found) -> str:
    """A cue for each event, from onset to offset, by time: "surprise 0.85 (micro, apex 2.180 s)"."""
    cues = [f"WEBVTT\n\nNOTE mer-live, {_line(found.name)}"]
    for event in sorted(found.events, key=lambda event: (event.onset_s, event.offset_s)):
        end = max(event.offset_s, event.onset_s + 0.001)
        face = f", face {event.face + 1}" if event.face else ""
        words = _line(f"{event.label} {event.score:.2f} ({event.kind}{face}, apex {event.apex_s:.3f} s)")
        cues.append(f"{event.event}\n{stamp(event.onset_s)} --> {stamp(end)}\n{words}")
    return "\n\n".join(cues) + "\n"


def stamp(seconds: float) -> str:
    """2.04 → "00:00:02.040"."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _line(words: str) -> str:
    """Text that is no tag, no arrow and no end of a cue."""
    words = " ".join(clean(words).split())
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
