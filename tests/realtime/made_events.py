"""Events for tests of what happens to them."""

from realtime.records import Event


def event(number=1, onset=12.3, label="surprise", source="clip.mp4", **changes):
    values = dict(
        event=number,
        source=source,
        face=0,
        onset_s=onset,
        apex_s=onset + 0.112,
        offset_s=onset + 0.26,
        label=label,
        scores={"negative": 0.081, "positive": 0.109, "surprise": 0.81},
        model="dual_atme",
        latency_ms=41.04,
    )
    return Event(**values | changes)
