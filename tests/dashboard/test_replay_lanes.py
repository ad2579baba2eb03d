"""Tab 2 in a real browser: what is measured in every frame, as lanes under the curve and as files."""

import csv
import io

import pytest
from demo_clips import demo_start
from replaying import LONG, data, dropped, go_to, replay, shown, taken_away

from realtime.output.frame_table import COLUMNS

LENGTH = 3  # seconds of the demo clip, with one event


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return demo_start(tmp_path_factory.mktemp("clip") / "short.mp4", LENGTH)


@pytest.fixture
def measured(replay_demo, open_page, clip):
    page = replay(open_page, replay_demo.url)
    page.locator("#mer-replay-measure input").check()
    dropped(page, "measured.mp4", clip)
    shown(page, "measured.mp4", LONG)
    yield page
    page.get_by_role("button", name="Remove measured.mp4", exact=True).dblclick()


def test_columns_become_lanes_files_and_part_of_the_report(measured, shot, axe):
    page = measured
    canvas = page.locator(".mr-time canvas")
    before = canvas.bounding_box()["height"]
    page.locator(".mr-lanes summary").click()
    for name in ("pose_Rx", "browInnerUp"):
        page.get_by_label(name, exact=True).check()
    assert page.get_by_label("pose_Rx", exact=True).locator("..").get_attribute("title").endswith("(rad)")
    assert canvas.bounding_box()["height"] == before + 2 * 52
    go_to(page, 40)
    table = list(csv.DictReader(io.StringIO(open(taken_away(page, "Every frame (CSV)").path(), encoding="utf-8-sig").read())))
    assert tuple(table[0]) == COLUMNS and len(table) == len(data(page)["times"])
    page.wait_for_function("/pose_Rx -?[0-9]/.test(document.querySelector('.mr-time').getAttribute('aria-valuetext'))")
    said = page.locator(".mr-time").get_attribute("aria-valuetext")
    shares = dict(part.split(" ")[:2] for part in said.split(", ")[-2:])
    for name, value in shares.items():
        assert abs(float(value) - float(table[40][name])) < 1e-3, said
    shot(page, "replay-lanes")
    assert not axe(page)
    assert "Measured in every frame" in open(taken_away(page, "Report (HTML)").path(), encoding="utf-8").read()
    assert open(taken_away(page, "Every frame (Parquet)").path(), "rb").read(4) == b"PAR1"
    page.reload()  # what was chosen is remembered
    page.get_by_role("tab", name="Replay").click()
    page.locator(".mr-time canvas").wait_for()
    assert page.evaluate("document.querySelectorAll('.mr-lanes input:checked').length") == 2


def test_a_recording_that_was_not_measured_says_how_to(page):
    page.locator(".mr-lanes summary").click()
    page.get_by_text("tick “Measure every frame”").wait_for()
    assert page.locator(".mr-formats").get_by_text("Every frame").count() == 0
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    assert page.request.get(f"{page.url}mer/replay/{token}/measures/pose_Rx").status == 404
    page.locator(".mr-lanes summary").click()
