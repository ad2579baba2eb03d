"""The tab's own words as HTML, every text of a recording's escaped."""

from __future__ import annotations

import html

from realtime.dashboard.replay_queue import Job

SAME, DIFFERS = '<td class="mr-same">same</td>', '<td class="mr-other">differs</td>'


def lines(refused: list[str]) -> str:
    """What went wrong, a line each."""
    return "".join(f'<p class="mer-warn mr-said" role="alert">{html.escape(line)}</p>' for line in refused)


def comparison(job: Job) -> str:
    """Two networks on the same movements, side by side, and how far they agree."""
    other, labels = job.compared
    pairs = [(event, *labels[event.event]) for event in job.found.events if event.event in labels]
    if not pairs:
        return '<p class="mer-state">There is no movement to compare.</p>'
    same = sum(event.label == label for event, label, _ in pairs)
    rows = "".join(
        f"<tr><td>{event.event}</td><td>{event.apex_s:.2f} s</td><td>{html.escape(event.kind)}</td>"
        f"<td>{html.escape(event.label)} {event.score:.2f}</td><td>{html.escape(label)} {max(scores.values()):.2f}</td>"
        f"{SAME if event.label == label else DIFFERS}</tr>"
        for event, label, scores in pairs
    )
    names = ("event", "apex", "kind", html.escape(job.found.model), html.escape(other), "agreement")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    chance = kappa([event.label for event, *_ in pairs], [label for _, label, _ in pairs])
    words = f"{same} of {len(pairs)} events have the same label ({100 * same / len(pairs):.0f} %)."
    words += f" Cohen's kappa, which takes chance out: {chance:.2f}." if chance is not None else ""
    return (
        f'<p class="mer-state" role="status">{words}</p>'
        '<div class="mr-scroll" tabindex="0" role="region" aria-label="Comparison"><table class="mr-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def kappa(one: list[str], other: list[str]) -> float | None:
    """Cohen's kappa of two lists of labels; None where both always say the same single label."""
    n = len(one)
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / n
    expected = sum((one.count(label) / n) * (other.count(label) / n) for label in set(one) | set(other))
    return None if expected >= 1 else (observed - expected) / (1 - expected)
