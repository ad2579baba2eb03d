"""Human coders' marks beside what was found in a recording: read as `mer-log import` does, asked what they mean, compared.

The page asks in a dialog (page/replay/coders.js), and draws each coder on a lane of the timeline. Every text is escaped.
"""

from __future__ import annotations

import html
import json
import math
import secrets
from collections import Counter
from pathlib import Path

from realtime.dashboard.replay.queued_recording import Job
from realtime.dashboard.server.access import safe_name
from realtime.errors import MerError, MissingPartError, UsageError
from realtime.output.styling import colour
from realtime.review.coders import USUAL, Coder, beside, comparisons, items_of, meant
from realtime.review.codings import Coding, read_codings
from realtime.review.comparison import COLUMNS, FROM
from realtime.review.item import LABELS, checked_name

ENDINGS = [".eaf", ".boris", ".TextGrid", ".csv", ".tsv", ".txt"]
MOST_CODINGS, MOST_CODERS = 2000, 6  # of one file; of one recording
MOST_CODES = 200  # that a person is asked about; of more, the rest stays as it is
MOST_SHIFT = 1e6  # seconds


def read(path: Path) -> list[Coding]:
    """What a person has uploaded.

    Raises:
        UsageError: with the file's plain name, and no folder of this machine.
        MissingPartError: a TextGrid needs praatio.
    """
    name = safe_name(path.name)
    try:
        codings = read_codings(path)
    except MissingPartError:
        raise
    except MerError as error:
        raise UsageError(str(error).replace(str(path), name)) from error
    if not codings or len(codings) > MOST_CODINGS:
        raise UsageError(f"{name} holds {len(codings)} marks: expected 1 to {MOST_CODINGS}")
    return codings


def question(name: str, codings: list[Coding], job: Job) -> str:
    """What the dialog is built of: tiers, codes and how often they occur, and what a code probably means.

    No two are the same: Gradio tells a page of other values only, and the same file may come twice.
    """
    labels = list(dict.fromkeys([*job.found.classes, *LABELS]))
    count = Counter((one.tier, one.code) for one in codings)
    codes = [(tier, code, number, _guess(code, job.found.classes)) for (tier, code), number in count.most_common(MOST_CODES)]
    told = {
        "asked": secrets.token_hex(4),
        "file": safe_name(name),
        "tiers": Counter(one.tier for one in codings).most_common(),
        "codes": codes,
        "labels": labels,
    }
    return f'<div data-question="{html.escape(json.dumps(told))}"></div>'


def _guess(code: str, classes) -> str:
    """The label that a code stands for in all likelihood; as it is where nothing is likely."""
    word = " ".join(code.split()).lower()
    return word if word in classes else USUAL[word] if USUAL.get(word) in classes else word if word in LABELS else code


def answered(job: Job, wish: dict) -> None:
    """What a person has said in the dialog, or changed in the table.

    Args:
        wish: "what": compare (name, tiers, codes, shift, kind, complete), iou, or remove (name).

    Raises:
        UsageError: what cannot be; nothing is changed.
    """
    what, name = wish.get("what"), str(wish.get("name", ""))
    if what == "iou":
        job.iou = _number(wish.get("iou"), 0.01, 1.0)
    elif what == "remove":
        job.coders.pop(name, None)
    elif what == "compare" and job.codings:
        coder = _coder(job, checked_name(name, "whose marks they are"), wish)
        if coder.name not in job.coders and len(job.coders) >= MOST_CODERS:
            raise UsageError(f"{MOST_CODERS} coders are here already: remove one first")
        beside(items_of(job.found.events), coder)  # what cannot be is said here
        job.coders[coder.name], job.codings = coder, []


def _coder(job: Job, name: str, wish: dict) -> Coder:
    tiers, codes, kind = wish.get("tiers"), wish.get("codes"), wish.get("kind")
    if not isinstance(tiers, list) or not isinstance(codes, dict) or kind not in ("", "micro", "macro"):
        raise UsageError("the page sent something that the server does not understand: reload it")
    chosen = [one for one in job.codings if one.tier in tiers]
    told = meant(chosen, {str(code): str(label) for code, label in codes.items()}, _number(wish.get("shift"), -MOST_SHIFT, MOST_SHIFT))
    if not told:
        raise UsageError("nothing is left of these marks: choose a tier, and a label for a code of it")
    return Coder(name, tuple(told), kind, wish.get("complete") is True)


def _number(said, least: float, most: float) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not (math.isfinite(said) and least <= said <= most):
        raise UsageError(f"expected a number from {least:g} to {most:g}")
    return float(said)


def table(job: Job) -> tuple[list[list], str]:
    """(a row of COLUMNS for each coder, what they mean and how far all agree); ([], "") without coders."""
    if not job.coders:
        return [], ""
    try:
        found, whole = comparisons(job.found.events, list(job.coders.values()), job.iou)
    except MissingPartError as error:
        return [], str(error)
    words = f"{FROM.format(job.iou)}. Krippendorff's alpha of all, the program included: {'undefined' if whole is None else f'{whole:.2f}'}."
    return [one.cells for one in found], words[0].upper() + words[1:]


def lanes(job: Job) -> list[dict]:
    """What the timeline draws: of each coder the name and marks, as events."""
    return [
        {
            "name": coder.name,
            "events": [
                {
                    "onset_s": one.onset_s,
                    "apex_s": one.apex_s,
                    "offset_s": one.offset_s,
                    "label": one.code,
                    "colours": [colour(one.code.lower()), colour(one.code.lower(), dark=True)],
                }
                for one in coder.codings
            ],
        }
        for coder in job.coders.values()
    ]


def compared(job: Job, more: str = "") -> str:
    """The table, and for the timeline what is drawn.

    Args:
        more: HTML, put before it.
    """
    told = f'<div data-coders="{html.escape(json.dumps(lanes(job)))}"></div>'
    rows, words = table(job)
    if not rows:
        return more + told + (f'<p class="mer-warn">{html.escape(words)}</p>' if words else "")
    head = "".join(f'<th scope="col" title="{html.escape(meaning)}">{html.escape(name)}</th>' for name, meaning in COLUMNS.items())
    body = "".join(_row(row) for row in rows)
    iou = (
        '<label class="mr-iou" title="Intersection over union: the time that both have, of the time that either has">Found from an overlap of '
        f'<input type="number" min="0.05" max="1" step="0.05" value="{job.iou:g}" data-iou></label>'
    )
    return (
        f'{more}{told}<h3 class="mr-title">Beside human coders</h3>{iou}'
        '<div class="mr-scroll" tabindex="0" role="region" aria-label="Comparison with coders">'
        f'<table class="mr-table"><thead><tr>{head}<th scope="col"><span class="mer-hidden">Remove</span></th></tr></thead>'
        f'<tbody>{body}</tbody></table></div><p class="mer-state">{html.escape(words)}</p>'
    )


def _row(cells: list) -> str:
    name, *rest = (html.escape(str(cell)) for cell in cells)
    values = "".join(f'<td title="{html.escape(COLUMNS[column])}">{value or "–"}</td>' for column, value in zip(list(COLUMNS)[1:], rest, strict=True))
    remove = f'<button type="button" class="mr-goto" data-remove="{name}" aria-label="Remove {name}">Remove</button>'
    return f'<tr><th scope="row">{name}</th>{values}<td>{remove}</td></tr>'
