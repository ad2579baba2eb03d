"""What an engineer would write: a program of its own that hears a live run over LSL and by webhook, and watches the same clip in a loop of its own.

    python engineers_program.py CLIP NAME OUT.json [PICTURE.png]

It prints the address that events are to be posted to, and listens until its standard input is closed. NAME: of the source, as mer-live calls it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pylsl


def posted() -> tuple[str, list[dict]]:
    """An address, and the events that come there, with when they came by LSL's clock."""
    got: list[dict] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))) | {"came": pylsl.local_clock()})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/", got


def heard(kind: str, name: str, over: threading.Event, into: list, columns: list[str] | None = None) -> None:
    """(sample, stamp, when it came) of one of mer-live's outlets."""
    found = []
    while not found and not over.is_set():
        found = pylsl.resolve_byprop("name", f"mer-live {kind} {name}", timeout=1.0)
    if not found:
        return
    inlet = pylsl.StreamInlet(found[0])
    inlet.open_stream(10)
    if columns is not None:
        channel = inlet.info(10).desc().child("channels").first_child()
        while channel.name() == "channel":
            columns.append(channel.child_value("label"))
            channel = channel.next_sibling()
    while not over.is_set() or inlet.samples_available():
        sample, stamp = inlet.pull_sample(0.2)
        if sample:
            into.append((sample, stamp, pylsl.local_clock()))


def watched(clip: str) -> list[dict]:
    import realtime as mer

    return [known.event.as_dict() for step in mer.watch(clip) for known in step.events]


def picture(path: str, columns: list[str], frames: list, events: list, posts: list[dict]) -> None:
    """The measures and events as they came here, on LSL's clock."""
    from matplotlib.figure import Figure

    begin = frames[0][1]
    t = [stamp - begin for _, stamp, _ in frames]
    figure = Figure(figsize=(9.6, 5.0), dpi=150, layout="constrained")
    rows = figure.subplots(4, 1, sharex=True, height_ratios=(3, 1.2, 1.2, 1.2))
    lines = {"difference": "#4a5a6a", "threshold": "#c08a3e"}, {"browInnerUp": "#0b6b63"}, {"mouthSmileLeft": "#7a3e9d"}
    for axes, names in zip(rows, lines):
        for name, ink in names.items():
            axes.plot(t, [sample[columns.index(name)] for sample, _, _ in frames], color=ink, linewidth=1.0, label=name)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.94), frameon=False, fontsize=8, ncols=2, borderaxespad=0)
    rows[0].set_ylim(0, 50)
    for (text,), stamp, came in events:
        event = json.loads(text)
        if event.get("provisional"):  # told at its apex
            rows[3].plot(came - begin, 1, "x" if event.get("withdrawn") else "o", color="#3b6ea8", markerfacecolor="none", markersize=5)
            continue
        span = [stamp - begin + event[name] - event["apex_s"] for name in ("onset_s", "offset_s")]
        for axes in rows:
            axes.axvspan(*span, color="#3b6ea8", alpha=0.15, linewidth=0)
        rows[0].text(stamp - begin, 46, f" {event['label']}", fontsize=8.5, va="top", ha="center")
        rows[3].plot(came - begin, 1, "o", color="#3b6ea8", markersize=5)
    for post in posts:
        inside = "none" if post.get("provisional") else "#b3541e"
        rows[3].plot(post["came"] - begin, 0, "x" if post.get("withdrawn") else "s", color="#b3541e", markerfacecolor=inside, markersize=5)
    rows[3].set_yticks([0, 1], ["webhook", "LSL"], fontsize=8.5)
    rows[3].set_ylim(-0.7, 1.7)
    rows[3].set_xlabel("seconds on the Lab Streaming Layer's clock; the lowest row: when each event came, hollow: provisionally", fontsize=9)
    rows[0].set_title("What another process heard of one run of mer-live --lsl --webhook", fontsize=11, loc="left")
    for axes in rows:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8.5)
        axes.grid(axis="x", color="#ececec")
    figure.savefig(path)


def main(clip: str, name: str, out: str, drawn: str = "") -> None:
    url, posts = posted()
    over, events, frames, columns = threading.Event(), [], [], []
    ears = [
        threading.Thread(target=heard, args=("events", name, over, events)),
        threading.Thread(target=heard, args=("frames", name, over, frames, columns)),
    ]
    for ear in ears:
        ear.start()
    print(url, flush=True)
    sys.stdin.read()
    time.sleep(0.5)
    over.set()
    for ear in ears:
        ear.join()
    told = {
        "lsl": [json.loads(sample[0]) for sample, _, _ in events],
        "webhook": [{key: value for key, value in post.items() if key != "came"} for post in posts],
        "python": watched(clip),
        "columns": columns,
        "frames": [sample for sample, _, _ in frames],
    }
    Path(out).write_text(json.dumps(told))
    if drawn:
        picture(drawn, columns, frames, events, posts)


if __name__ == "__main__":
    main(*sys.argv[1:])
