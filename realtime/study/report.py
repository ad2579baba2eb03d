"""A study's tables, one picture and one page of it."""

from __future__ import annotations

import html as markup
import io
import json
from collections.abc import Sequence
from pathlib import Path

from realtime import __version__
from realtime.output.event_table import csv_text
from realtime.output.exports.found import CARE, replace_bytes
from realtime.output.exports.report import STYLE
from realtime.output.styling import inline
from realtime.study import FACTS, Study
from realtime.study.summary import Told, columns, grouped, labels_of, provenance

NOBODY = "(not named)"


def write(study: Study, told: Sequence[Told]) -> list[Path]:
    """summary.csv, by_condition.csv, by_participant.csv, rates.png, report.html, provenance.json; returns where they are.

    Args:
        told: of `tell`.

    Raises:
        OutputError: they cannot be written.
    """
    labels = labels_of(told)
    of_condition = grouped(told, lambda one: (one.facts["condition"],))
    of_person = grouped(told, lambda one: (one.facts["participant"], one.facts["condition"]))
    tables = {
        "summary.csv": (columns(labels, (*FACTS, "recording"), ("failure",)), told),
        "by_condition.csv": (columns(labels, ("condition", "recordings")), of_condition),
        "by_participant.csv": (columns(labels, ("participant", "condition", "recordings")), of_person),
    }
    for name, (heads, some) in tables.items():
        text = csv_text(heads, [one.row(labels) for one in some])
        replace_bytes(study.folder / name, text.encode())
    picture = rates(of_person, of_condition)
    page = html(study, told, of_condition, of_person, labels, picture)
    facts = json.dumps(provenance(study), indent=1, ensure_ascii=False)
    for name, data in (("rates.png", picture), ("report.html", page.encode()), ("provenance.json", facts.encode())):
        replace_bytes(study.folder / name, data)
    return [study.folder / name for name in (*tables, "rates.png", "report.html", "provenance.json")]


def rates(of_person: Sequence[Told], of_condition: Sequence[Told]) -> bytes:
    """A PNG: micro-expressions a minute of judged time, a dot a participant, a line a condition."""
    from matplotlib.figure import Figure

    conditions = [one.facts["condition"] or NOBODY for one in of_condition]
    figure = Figure(figsize=(max(4.0, 1.6 * len(conditions) + 2), 4), layout="constrained")
    axes = figure.subplots()
    for place, whole in enumerate(of_condition):
        mine = [one for one in of_person if one.facts["condition"] == whole.facts["condition"]]
        found = [(one.facts["participant"] or NOBODY, rate) for one in mine if (rate := one.a_minute(one.micro)) is not None]
        spread = [place + 0.24 * (2 * (number + 1) / (len(found) + 1) - 1) for number in range(len(found))]
        axes.scatter(spread, [rate for _, rate in found], color="#3b6ea8", zorder=3)
        for x, (name, rate) in zip(spread, found, strict=True):
            axes.annotate(name, (x, rate), textcoords="offset points", xytext=(6, -3), fontsize=7, color="#4d5f6a")
        if (rate := whole.a_minute(whole.micro)) is not None:
            axes.hlines(rate, place - 0.32, place + 0.32, color="#b5532a", linewidth=2)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_xlim(-0.6, max(len(conditions), 1) - 0.4)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("micro-expressions a minute of judged time")
    axes.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    return file.getvalue()


def html(study: Study, told: Sequence[Told], of_condition: Sequence[Told], of_person: Sequence[Told], labels: Sequence[str], picture: bytes) -> str:
    """One file: no script, nothing loaded from elsewhere."""
    people = len({one.facts["participant"] for one in told})
    failed = [one for one in told if one.failure]
    words = f"{len(told)} recordings of {people} participants under {len(of_condition)} conditions; mer-live {__version__}"
    lost = (
        f'<p class="care">{len(failed)} recordings are not in the sums: {_safe("; ".join(f"{one.recording}: {one.failure}" for one in failed))}</p>'
    )
    tables = (
        ("By condition", columns(labels, ("condition", "recordings")), of_condition),
        ("By participant", columns(labels, ("participant", "condition", "recordings")), of_person),
        ("Recordings", columns(labels, (*FACTS, "recording")), told),
    )
    body = "".join(f"<h2>{title}</h2>{_table(heads, some, labels)}" for title, heads, some in tables)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_safe(study.folder.name)}: a study</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>
<h1>{_safe(study.folder.absolute().name)}</h1><p class="quiet">{words}</p><p class="care">{CARE}</p>{lost * bool(failed)}
<h2>Micro-expressions a minute</h2><img class="curve" style="max-width: 38rem" alt="Rates by condition, a dot a participant" src="{inline(picture, "png")}">
<p class="quiet">A dot is a participant, the line the whole condition. Rates are taken over the time in which a movement would have been noticed
(judged_s), not over the recording's length.</p>{body}</body></html>
"""


def _table(heads: Sequence[str], some: Sequence[Told], labels: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{_safe(name.replace("_", " "))}</th>' for name in heads)
    rows = (one.row(labels) for one in some)
    body = "".join(
        "<tr>" + "".join(f'<td class="n">{_safe("" if row[name] is None else str(row[name]))}</td>' for name in heads) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _safe(words: str) -> str:
    return markup.escape(words)
