"""WebVTT (W3C): events as subtitles, which any player shows over the recording."""

from __future__ import annotations

from realtime.output.exports.found import Found, clean, named


def vtt(found: Found) -> str:
    """A cue for each event, from onset to offset, by time: "surprise 0.85 (micro, apex 2.180 s)"; with the reviewer's name
    where people have judged it."""
    cues = [f"WEBVTT\n\nNOTE mer-live, {_line(found.name)}"]
    for number, event in enumerate(sorted(found.events, key=lambda event: (event.onset_s, event.offset_s)), 1):
        end = max(event.offset_s, event.onset_s + 0.001)
        face = f", face {event.face + 1}" if event.face else ""
        by = f", {reviewer}" if (reviewer := getattr(event, "reviewer", "")) else ""
        words = _line(f"{named(event)} ({event.kind}{face}, apex {event.apex_s:.3f} s{by})")
        cues.append(f"{number}\n{stamp(event.onset_s)} --> {stamp(end)}\n{words}")
    return "\n\n".join(cues) + "\n"


def stamp(seconds: float) -> str:
    """2.04 → "00:00:02.040"."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _line(words: str) -> str:
    """Text that is no tag, no arrow and no end of a cue."""
    words = " ".join(clean(words).split())
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
