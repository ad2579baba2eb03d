"""The camera for a while: every picture is analysed or counted as dropped, and neither delay nor memory grows.

MER_SOAK_MINUTES=10 python -m pytest tests/dashboard/test_live_soak.py -s
"""

from __future__ import annotations

import os
import time

import psutil
import pytest
from living import module, wait_until

MINUTES = float(os.environ.get("MER_SOAK_MINUTES", 0.08))
MOST_ENCODING = 6  # pictures: page/live/take.js lets 0.13 s of them wait for the encoder
MOST_UNDER_WAY = 70  # pictures: the queues on the way hold no more
STEADY_MINUTE = 3  # by then the pictures of the last fifty events fill their place in memory
ROW = "{:>6} {:>9} {:>9} {:>12} {:>12} {:>12} {:>10}  {}"
MEASURED = {"lags": "analysed", "labels": "event's label shown", "flows": "event's flow shown"}  # ms after the camera


@pytest.mark.live
def test_no_picture_is_lost_without_a_word_and_nothing_grows(demo, camera_chromium, open_page):
    page = open_page(demo.url, browser=camera_chromium())
    page.get_by_text("Tick the box, then").wait_for()
    page.get_by_label("Everyone in view").check()
    page.get_by_role("button", name="Start camera").click()
    wait_until(page, "figures().frames > 10")
    print("\n" + ROW.format("minute", "camera/s", "analysed", "delay p50", "delay p95", "server MB", "page MB", "drops"))
    rows, end = [], time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        rows.append(minute(page, demo.process.pid, min(60.0, 60 * MINUTES)))
        shown = [len(rows), *(f"{rows[-1][key]:.1f}" for key in ("camera", "analysed", "p50", "p95", "server", "page")), rows[-1]["drops"]]
        print(ROW.format(*shown), flush=True)

    told = page.evaluate(module("figures()"))
    for name, words in MEASURED.items():
        if told[name]:
            print(f"{words}: p50 {at(told[name], 0.5):.0f} ms, p95 {at(told[name], 0.95):.0f} ms, of {len(told[name])}")
    dropped = sum(told["drops"].values()), sum(told["page_drops"].values())
    assert 0 <= told["taken"] - told["sent"] - dropped[1] <= MOST_ENCODING
    assert 0 <= told["sent"] - told["frames"] - dropped[0] <= MOST_UNDER_WAY
    if len(rows) > STEADY_MINUTE:
        steady, last = rows[STEADY_MINUTE - 1], rows[-1]
        assert last["p50"] < 1.5 * steady["p50"] + 50, "the delay grows"
        assert last["server"] < 1.1 * steady["server"] + 20, "the server's memory grows"
        assert last["page"] < 1.5 * steady["page"] + 20, "the page's memory grows"


def at(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def minute(page, server: int, seconds: float) -> dict:
    """Means over `seconds`; delays in ms, from the camera to the end of the analysis; memory in MB."""
    before, began, lags = page.evaluate(module("figures()")), time.monotonic(), []
    while time.monotonic() < began + seconds:
        page.wait_for_timeout(5000)
        lags += page.evaluate(module("figures()"))["lags"][-60:]
    after, passed = page.evaluate(module("figures()")), time.monotonic() - began
    return {
        "camera": (after["taken"] - before["taken"]) / passed,
        "analysed": (after["frames"] - before["frames"]) / passed,
        "p50": at(lags, 0.5),
        "p95": at(lags, 0.95),
        "server": psutil.Process(server).memory_info().rss / 2**20,
        "page": page.evaluate("performance.memory.usedJSHeapSize") / 2**20,
        "drops": {**after["drops"], **after["page_drops"]},
    }
