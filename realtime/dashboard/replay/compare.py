"""Two networks on the same movements: the other one is asked, and what differs is said. Every text is escaped."""

from __future__ import annotations

import html
import json
from collections import defaultdict
from contextlib import suppress

from realtime.dashboard.replay.queued_recording import Job
from realtime.dashboard.shared import Shared
from realtime.output.exports import Found
from realtime.records import Event
from realtime.review.agreement import kappa

Answers = dict[int, tuple[str, dict[str, float]]]  # of a network: event number → label and scores
Pair = tuple[Event, str, dict[str, float]]  # an event, the other network's label and scores
SHARED = "Both models were shown the same movements: which ones there are does not depend on the model."
KAPPA = "Kappa: 1 all the same, 0 as by chance"
NUMBER, APEX = "Its number in the recording", "Seconds from the beginning"
NAMED = "The label, and how likely this network finds it, 0 to 1"
MOST_NUMBERS = 8  # of events, in a sentence


def compare(job: Job, network: str, shared: Shared) -> str:
    """Ask another network about the movements that were found, and say what came of it, as HTML.

    Raises:
        MerError: where there is no such network, or it does not run.
    """
    recognizer, answers = shared.recognizer(network, job.engine), {}
    for event in job.found.events:
        with suppress(KeyError):  # its pictures are gone
            answers[event.event] = recognizer(job.keyframes(event.event))
    return comparison(job.found, network, answers)


def comparison(found: Found, other: str, answers: Answers) -> str:
    """How far the two agree, where they differ, and all of it side by side.

    The timeline reads the other's answers from `data-compared`.
    """
    pairs = [(event, *answers[event.event]) for event in found.events if event.event in answers]
    if not pairs:
        return '<p class="mer-state">There is no movement to compare.</p>'
    names = ("event", "apex", "kind", found.model, other, "agreement")
    abouts = (NUMBER, APEX, "", NAMED, NAMED, "")
    head = "".join(f'<th scope="col" title="{about}">{html.escape(name)}</th>' for name, about in zip(names, abouts, strict=True))
    told = {event.event: {"label": label, "scores": scores} for event, label, scores in pairs}
    told = html.escape(json.dumps({"model": other, "answers": told}))
    return (
        f'<div data-compared="{told}"><div class="mr-differs" role="status">{_summary(found.model, other, pairs)}</div>'
        '<div class="mr-scroll" tabindex="0" role="region" aria-label="Comparison"><table class="mr-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, pairs))}</tbody></table></div></div>"
    )


def _summary(first: str, second: str, pairs: list[Pair]) -> str:
    """How many are the same, who says what where they differ, and Cohen's kappa."""
    same = sum(event.label == label for event, label, _ in pairs)
    all, share = len(pairs), f"{100 * same / len(pairs):.0f} %"
    words = f"{same} of 1 event has the same label ({share})." if all == 1 else f"{same} of {all} events have the same label ({share})."
    chance = kappa([event.label for event, *_ in pairs], [label for _, label, _ in pairs])
    words += f" Cohen's kappa, which takes chance out: {chance:.2f}." if chance is not None else ""
    ways = defaultdict(list)  # (what one says, what the other says) → the events' numbers
    for event, label, _ in pairs:
        if event.label != label:
            ways[event.label, label].append(event.event)
    items = "".join(
        f"<li><b>{html.escape(f'{first}: {one}, {second}: {two}')}</b>, {_numbers(events)}</li>"
        for (one, two), events in sorted(ways.items(), key=lambda way: -len(way[1]))
    )
    return f'<p title="{KAPPA}"><b>{html.escape(words)}</b> {SHARED}</p>' + (f"<ul>{items}</ul>" if items else "")


def _numbers(events: list[int]) -> str:
    """As "event 3", "events 1, 2, 4", and of many "events 1, 2, 3, 4, 5, 6, 7, 8 and 12 more"."""
    more = f" and {len(events) - MOST_NUMBERS} more" if len(events) > MOST_NUMBERS else ""
    return f"{'events' if len(events) > 1 else 'event'} {', '.join(map(str, events[:MOST_NUMBERS]))}{more}"


def _row(pair: Pair) -> str:
    event, label, scores = pair
    same = event.label == label
    said = f'{_named(event.label, event.scores)}</td><td title="{NAMED}">{_named(label, scores)}'
    goto = f'<button type="button" class="mr-goto" data-event="{event.event}">{event.event}</button>'
    return (
        f'<tr class="{"mr-same" if same else "mr-other"}"><td title="{NUMBER}">{goto}</td><td title="{APEX}">{event.apex_s:.2f} s</td>'
        f'<td>{html.escape(event.kind)}</td><td title="{NAMED}">{said}</td><td>{"same" if same else "differs"}</td></tr>'
    )


def _named(label: str, scores: dict[str, float]) -> str:
    """As "surprise 0.81", and where the network abstained "unsure (surprise 0.41)"."""
    likeliest = max(scores, key=scores.get)
    words = f"{label} {scores[likeliest]:.2f}" if label == likeliest else f"{label} ({likeliest} {scores[likeliest]:.2f})"
    return html.escape(words)
