"""One visit: what a person does at the page between opening it and closing it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from realtime.dashboard.live.event_pictures import WHAT
from realtime.errors import BrokenSourceError
from train.bench.page.browser import Browser

QUICK = 200  # presses, FINGERS at a time, that nobody waits for
FINGERS = 4
DRAWN = ("onset.jpg", "apex.jpg", "flow.jpg", "strain.jpg", "motion.webp", "looked.jpg")  # the costly ones of one event alone
LARGE = ("report", "pdf", "video")  # of what is taken away: each visit another one


def visit(url: str, clip: Path, number: int) -> dict[str, int]:
    """How much was done: presses, frames of the camera, recordings, events looked at."""
    browser = Browser(url)
    try:
        frames, watched = watch(browser, clip)
        token = replay(browser, clip)
        events = look(browser, token)
        hurry(browser, token)
        take_away(browser, token, LARGE[number % len(LARGE)])
        reviewed = review(browser, delete=number % 2 == 1)
        if number % 4:  # some leave theirs lying
            browser.press("act", token, token=token, what="remove")
        return {"presses": browser.presses, "live frames": frames, "recordings": 1, "events": watched + events + reviewed}
    finally:
        browser.close()


def watch(browser: Browser, clip: Path) -> tuple[int, int]:
    """Tab Live: the camera, each event's pictures, a change of settings, a table to take away."""
    with browser.live() as live:
        live.wish("start", run=1, source="browser", codec="h264", width=640, height=480, fps=50, consent=True, settings={"measures": True})
        live.until("ready")
        live.play(clip)
        for number in live.events[-1:]:
            live.wish("look", number=number, what=list(WHAT), factor=8)
            wanted = set(WHAT)
            while wanted:
                told = live.until("picture", "scores", "missing", "gone")
                if told["number"] == number:
                    wanted -= {told.get("name", "scores")} if told["kind"] != "gone" else wanted
        for what in ("csv", "frames"):
            live.wish("download", what=what)
            live.until("file")
        frames, events = live.frames, len(live.events)
        live.wish("stop")
        live.until("ended")
    return frames, events


def replay(browser: Browser, clip: Path) -> str:
    """Tab Replay: a recording is dropped and worked through; its token."""
    before = {row["token"] for row in browser.get(f"/mer/replay/queue/{browser.queue}").json()}
    browser.press("add", [browser.upload(clip, "recording.mp4")], "kernel_ridge", "usual", True)
    while True:
        rows = browser.get(f"/mer/replay/queue/{browser.queue}").json()
        row = next(row for row in rows if row["token"] not in before)
        if row["state"] == "failed":
            raise BrokenSourceError(f"the page could not work through the recording: {row['message']}")
        if row["state"] == "done":
            browser.press("act", "", token=row["token"], what="show")
            return row["token"]
        time.sleep(0.2)


def look(browser: Browser, token: str) -> int:
    """Each event's pictures, every frame's measures, and what another network says."""
    path = f"/mer/replay/{token}"
    events = browser.get(f"{path}/data").json()["events"]
    browser.get(f"{path}/measures/pose_Rx,gaze_yaw,mouthSmileLeft")
    browser.get(f"{path}/faces/0")
    for event in events:
        for name in DRAWN if event is events[0] else DRAWN[:3]:
            browser.get(f"{path}/event/{event['event']}/{name}")
    browser.press("compare", token, "dual_atme")
    return len(events)


def hurry(browser: Browser, token: str) -> None:
    """Frames and pictures quicker than anybody can look at them."""

    def press(number: int) -> None:
        what = "motion.webp" if number % 25 == 0 else DRAWN[number % 2]
        browser.get(f"/mer/replay/{token}/frame/{17 * number % 280}.jpg")
        browser.get(f"/mer/replay/{token}/event/{1 + number % 2}/{what}", factor=1 + number % 20)

    with ThreadPoolExecutor(FINGERS) as fingers:
        list(fingers.map(press, range(QUICK // 2)))
    browser.presses += QUICK


def take_away(browser: Browser, token: str, large: str) -> None:
    for kind in ("elan", "excel"):
        browser.press("download", token, kind=kind, lanes="")
    browser.press("download_1", token, kind=large, lanes="pose_Rx")
    browser.press("download_all")
    browser.press("keep", token, True)


MOVED = (("onset", 1), ("apex", -1), ("offset", 1), ("onset", -1))  # frames


def review(browser: Browser, delete: bool) -> int:
    """Tab Review: every event of the newest session judged by keys, its marks moved, taken back, corrected tables made."""
    told = browser.review("look")
    place = {name: told[name] for name in ("session", "source")}
    for key, event in told["events"].items():
        at = {**place, "key": key}
        browser.review("pictures", slow=key == next(iter(told["events"])), **at)
        marks = {name: value for name, value in event.items() if name != "seen"}
        for moment, frames in MOVED:
            told = browser.review("move", True, moment=moment, frames=frames, seen=event["seen"], marks=marks, slow=False, **at)
            event = told["events"][key]
            marks = {name: value for name, value in event.items() if name != "seen"}
        browser.review("pictures", slow=False, **at)
        told = browser.review("judge", True, reject=False, seen=event["seen"], marks=marks, **at)
        browser.review("undo", True, review=told["undo"], **at)
    for kind in ("excel", "report"):
        browser.review("corrected", kind=kind, **place)
    browser.review("training", **place)
    if delete:
        browser.review("delete", True, **place)
    return len(told["events"])
