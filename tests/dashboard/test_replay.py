"""Tab 2 in a real browser: what is dropped, what the timeline shows, what one leaves with."""

import csv
import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import av
import numpy as np
import pytest
from places import DEMO

from realtime.log import Log
from realtime.review import Reviews
from realtime.review.export import export

DROP = "#mer-replay-drop input[type=file]"
TRUTH = list(csv.DictReader((DEMO.parent / "demo.csv").open()))
SOON, LONG = 20_000, 150_000  # ms


def replay(open_page, url, **more):
    page = open_page(url, tab="Replay", **more)
    page.locator(".mr-queue[data-key]").wait_for(state="attached", timeout=SOON)
    return page


@pytest.fixture(scope="module")
def page(demo, chromium, request):
    """One page for the whole file, with the demo clip worked through."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(SOON)
    page.goto(demo.url)
    page.get_by_role("tab", name="Replay").click()
    page.locator(".mr-queue[data-key]").wait_for(state="attached")
    page.locator(DROP).set_input_files([{"name": "demo.mp4", "mimeType": "video/mp4", "buffer": DEMO.read_bytes()}])
    page.locator(".mr-time").wait_for(timeout=LONG)
    yield page
    context.close()


def written(path, times) -> bytes:
    """A film of black pictures at these times, seconds."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=30)
        stream.width = stream.height = 64
        for seconds in times:
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")
            frame.pts = round(seconds * 30)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path.read_bytes()


def sounding(path):
    """The demo clip with a tone from 4.5 s to 5 s."""
    with av.open(str(DEMO)) as clip, av.open(str(path), "w") as made:
        film, tone = clip.streams.video[0], made.add_stream("aac", rate=48_000, layout="mono")
        target = made.add_stream_from_template(film)
        for packet in clip.demux(film):
            if packet.dts is not None:
                packet.stream = target
                made.mux(packet)
        t = np.arange(14 * 48_000) / 48_000
        wave = (0.5 * np.sin(2 * np.pi * 440 * t) * ((t >= 4.5) & (t < 5))).astype(np.float32)
        for begin in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, begin
            made.mux(tone.encode(frame))
        made.mux(tone.encode(None))
    return path


def data(page) -> dict:
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    return page.evaluate("token => fetch(`/mer/replay/${token}/data`).then(a => a.json())", token)


def frame_of(page) -> int:
    return int(page.locator(".mr-time").get_attribute("aria-valuenow"))


def test_the_events_on_the_timeline_are_the_ones_of_the_script(page, shot):
    events = data(page)["events"]
    assert [(event["label"], event["kind"]) for event in events] == [(row["label"], "micro") for row in TRUTH]
    for event, row in zip(events, TRUTH, strict=True):
        assert float(row["onset_s"]) - 0.1 < event["onset_s"] < event["apex_s"] < event["offset_s"] < float(row["offset_s"]) + 0.15
        assert abs(event["apex_s"] - float(row["apex_s"])) < 0.08
    assert page.locator(".mr-list button").count() == len(TRUTH)
    pictures = page.locator(".mr-pictures .mr-pic")
    page.wait_for_function("document.querySelectorAll('.mr-pictures .mr-pic[data-state=there]').length === 6", timeout=60_000)
    assert pictures.count() == 6
    shot(page, "replay-light")


def go_to(page, number: int) -> None:
    """By keys."""
    page.locator(".mr-time").focus()
    page.keyboard.press("Home")
    for key, times in (("Shift+ArrowRight", number // 10), ("ArrowRight", number % 10)):
        for _ in range(times):
            page.keyboard.press(key)
    page.wait_for_function(f"document.querySelector('.mr-stage img').dataset.frame === '{number}'")


def test_the_face_its_regions_and_why_it_is_not_judged_stand_over_the_picture(page):
    known = data(page)
    go_to(page, 105)
    page.locator(".mr-face polygon").nth(2).wait_for()
    sides = "one => { const b = one.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; }"
    places = page.evaluate(f"[...document.querySelectorAll('.mr-face > *')].map({sides})")
    (left, top, right, bottom), *regions = places
    assert 0.3 < left < right < 0.7 and 0.2 < top < bottom < 0.8  # where the face of the demo clip is
    brows, mouth = regions[:2], regions[2]
    assert brows[0][2] < brows[1][0] and all(brow[3] < mouth[1] for brow in brows)
    assert all(left - 0.05 < region[0] < region[2] < right + 0.05 for region in regions)
    assert not page.locator(".mr-gate").is_visible()
    begin, end = next((begin, end) for begin, end, gate in known["spans"] if gate == "blink")
    blinking = next(number for number, t in enumerate(known["times"]) if t >= (begin + end) / 2)
    for number, words in ((0, "Learning the resting face"), (blinking, "Blink: not judged")):
        go_to(page, number)
        page.locator(".mr-gate", has_text=words).wait_for()
        assert words in page.locator(".mr-time").get_attribute("aria-valuetext")
    assert "Judged 92 % of the time; not: rest not yet known 0.8 s" in page.locator(".mr-meta").first.inner_text()


def test_faces_come_in_blocks(page):
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    ask = "url => fetch(url).then(async a => [a.status, (await a.arrayBuffer()).byteLength])"
    size = data(page)["faces"]
    assert page.evaluate(ask, f"/mer/replay/{token}/faces/0") == [200, 4 * size["block"] * size["numbers"]]
    assert page.evaluate(ask, f"/mer/replay/{token}/faces/1") == [200, 4 * (700 - size["block"]) * size["numbers"]]
    assert page.evaluate(ask, f"/mer/replay/{token}/faces/2")[0] == 404
    assert "boxes" not in data(page)


def test_a_name_that_is_html_is_shown_and_not_run(page, tmp_path):
    short = written(tmp_path / "short.mp4", [number / 30 for number in range(10)])
    page.locator(DROP).set_input_files([{"name": "<img src=x onerror=window.hacked=1>.mp4", "mimeType": "video/mp4", "buffer": short}])
    page.get_by_role("button", name="Show img").click(timeout=60_000)
    page.locator(".mr h3", has_text="onerror").first.wait_for()
    assert page.evaluate("window.hacked") is None
    assert "onerror" in page.locator(".mr-job strong").last.inner_text() and page.locator(".mr-job img, .mr h3 img").count() == 0
    page.get_by_role("button", name="Show demo.mp4").click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()
    page.wait_for_function("document.activeElement.className === 'mr-time'")  # the keys belong to it at once


def test_the_keyboard_goes_by_frames_and_by_events(page):
    times = data(page)["times"]
    page.locator(".mr-time").focus()
    page.keyboard.press("Home")
    assert frame_of(page) == 0
    for key, expected in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("Shift+ArrowRight", 11)):
        page.keyboard.press(key)
        assert frame_of(page) == expected
    page.wait_for_function("document.querySelector('.mr-stage img').dataset.frame === '11'")
    apexes = [event["apex_s"] for event in data(page)["events"]]
    for place in (0, 1, 2):
        page.keyboard.press("ArrowDown")
        assert times[frame_of(page)] == pytest.approx(apexes[place], abs=0.011)
    page.keyboard.press("ArrowUp")
    assert times[frame_of(page)] == pytest.approx(apexes[1], abs=0.011)
    assert page.locator(".mr-list button[aria-current=true]").get_attribute("data-event") == "2"
    assert "positive" in page.locator(".mr-time").get_attribute("aria-valuetext")
    page.keyboard.press("Space")  # plays
    before = frame_of(page)
    page.wait_for_function(f"Number(document.querySelector('.mr-time').getAttribute('aria-valuenow')) > {before}")
    page.keyboard.press("Space")


def test_the_frame_on_screen_is_that_frame_of_the_recording(page):
    token, wanted = page.locator(".mr[data-token]").get_attribute("data-token"), 109
    shown = page.evaluate("url => fetch(url).then(a => a.arrayBuffer()).then(b => [...new Uint8Array(b)])", f"/mer/replay/{token}/frame/{wanted}.jpg")
    import cv2

    picture = cv2.imdecode(np.array(shown, np.uint8), cv2.IMREAD_COLOR).astype(int)
    near, off = (wanted - 5, wanted, wanted + 5), {}
    with av.open(str(DEMO)) as container:
        for n, frame in zip(range(wanted + 6), container.decode(video=0), strict=False):
            if n in near:
                small = cv2.resize(frame.to_ndarray(format="bgr24"), picture.shape[1::-1])
                off[n] = np.abs(small.astype(int) - picture).mean()
    assert min(off, key=off.get) == wanted and off[wanted] < 4


def taken_away(page, name):
    """The file behind an entry of the menu."""
    with page.expect_download(timeout=60_000) as download:
        page.locator(".mr-menu summary").click()
        page.locator(".mr-formats button", has=page.locator(f"b:text-is('{name}')")).click()
    return download.value


@pytest.mark.parametrize(("name", "ending"), [
    ("CSV", ".csv"), ("Excel", ".xlsx"), ("JSONL", ".jsonl"), ("Parquet", ".parquet"), ("WebVTT", ".vtt"),
    ("Report (HTML)", ".html"), ("Report (PDF)", ".pdf"),
])  # fmt: skip
def test_each_export_is_a_download(page, name, ending):
    file = taken_away(page, name)
    assert file.suggested_filename.endswith(ending)
    content = open(file.path(), "rb").read()
    assert len(content) > 200
    if name == "Report (HTML)":
        assert b"<img src=x" not in content and content.count(b"data:image/jpeg") == 2 * len(TRUTH)


def test_the_menu_goes_by_keyboard_and_says_where_faces_are_in(page):
    menu = page.locator(".mr-menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.kind") == "excel"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.kind") == "parquet"
    with_faces = menu.locator("button", has_text="face").evaluate_all("all => all.map((one) => one.dataset.kind)")
    assert with_faces == ["report", "pdf", "video"]
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None and page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_filter_leaves_what_is_wanted_and_says_so(page):
    shown = page.locator(".mr-list button:visible")
    assert shown.count() == len(TRUTH)
    page.get_by_label("Label").select_option("negative")
    assert shown.count() == sum(row["label"] == "negative" for row in TRUTH)
    page.get_by_text(f"2 of {len(TRUTH)} events shown").wait_for()
    negative = [place for place, row in enumerate(TRUTH) if row["label"] == "negative"]
    page.locator(".mr-time").focus()
    page.keyboard.press("Home")
    for place in (*negative, negative[-1]):  # the arrow keys know those only
        page.keyboard.press("ArrowDown")
        assert page.locator(".mr-list button[aria-current=true]").get_attribute("data-event") == str(place + 1)
    page.get_by_label("Label").select_option("all")
    page.get_by_label("Certainty, at least").fill("1")
    assert shown.count() < len(TRUTH)
    page.get_by_label("Certainty, at least").fill("0")
    assert shown.count() == len(TRUTH)


def test_one_leaves_with_an_elan_file(page):
    root = ET.parse(taken_away(page, "ELAN").path()).getroot()
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    spans = [(slots[one.get("TIME_SLOT_REF1")], slots[one.get("TIME_SLOT_REF2")], one.find("ANNOTATION_VALUE").text.split()[0])
             for one in root.findall("TIER[@TIER_ID='micro-expression']/ANNOTATION/ALIGNABLE_ANNOTATION")]  # fmt: skip
    assert spans == [(round(1000 * e["onset_s"]), round(1000 * e["offset_s"]), e["label"]) for e in data(page)["events"]]


def test_two_models_are_compared_on_the_same_movements(page, axe, shot):
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name="moext", exact=True).click()
    page.locator("#mer-replay-compared table").wait_for(timeout=60_000)
    rows = page.locator("#mer-replay-compared tbody tr").all_inner_texts()
    assert len(rows) == len(TRUTH) and all(row.split()[-1] in ("same", "differs") for row in rows)
    same = sum(row.split()[-1] == "same" for row in rows)
    assert f"{same} of {len(TRUTH)} events" in page.locator("#mer-replay-compared").inner_text()
    page.get_by_role("button", name="4", exact=True).click()  # the row's event on the timeline
    assert page.locator(".mr-list button[aria-current=true]").get_attribute("data-event") == "4"
    assert page.locator(".mr-detail .mr-scores").count() == 2  # of both models
    assert not axe(page)
    shot(page, "replay-compared")


def test_the_events_are_kept_for_review_only_when_asked(page, demo, tmp_path):
    assert not demo.log.exists() or not Log(demo.log).sessions()
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept .mer-rec").wait_for()
    (session,) = Log(demo.log).sessions()
    assert session["events"] == len(TRUTH)
    kept = demo.log.with_name(f"{demo.log.name}.pictures")
    assert len(list(kept.glob("*/*/times.json"))) == len(TRUTH) and session["files"] == {}
    # with the recording, a movement that was missed can be seen and trained on; what is deleted is gone, and can be kept again
    page.get_by_label("With the recording itself").check()
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept").get_by_text("and the recording").wait_for()
    (session,) = Log(demo.log).sessions()
    assert Path(session["files"]["demo.mp4"]).read_bytes() == DEMO.read_bytes()
    reviews = Reviews(demo.log)
    reviews.add(session["id"], "Ann", "demo.mp4", 6.0, "surprise")
    exported = export(reviews, tmp_path / "training", (session["id"],), "Ann", True)
    assert len(exported.rows) == 1 and len(list((tmp_path / "training").rglob("*.png"))) > 5
    reviews.delete(session["id"])
    assert not list(kept.iterdir())
    page.get_by_label("With the recording itself").uncheck()
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept").get_by_text(f"session {session['id'] + 1}").wait_for()


def test_bad_uploads_each_get_a_clear_line_and_the_queue_goes_on(page, tmp_path):
    bad = [("text.mp4", b"This is no video. " * 500, "text.mp4 is text"), ("empty.mp4", b"", "empty.mp4 is empty"),
           ("../../../etc/evil.mp4", b"\0" * 5000, "evil.mp4"), ("long.mp4", written(tmp_path / "long.mp4", [0, 3 * 3600]), "long.mp4 is 3.0 hours long")]  # fmt: skip
    jobs = page.locator(".mr-job").count()
    page.locator(DROP).set_input_files([{"name": name, "mimeType": "video/mp4", "buffer": content} for name, content, _ in bad])
    page.wait_for_function("document.querySelectorAll('#mer-replay-said [role=alert]').length === 4", timeout=60_000)
    said = page.locator("#mer-replay-said [role=alert] span").all_inner_texts()
    for (_, _, words), line in zip(bad, said, strict=True):
        assert words in line and "\n" not in line and "/tmp" not in line and ".." not in line
    assert page.locator(".mr-job").count() == jobs
    for left in (3, 2, 1, 0):
        page.get_by_role("button", name="Close this message").first.click()
        assert page.locator("#mer-replay-said [role=alert]").count() == left


def test_no_face_is_not_done_with_no_events(page):
    """The short film of an earlier test is black."""
    row = page.locator(".mr-job", has_text="onerror")
    assert "nothing could be judged: no face" in row.inner_text() and "done" not in row.inner_text()
    row.get_by_role("button", name="Show").click()
    page.get_by_text("Nothing could be judged: no face").wait_for()
    page.get_by_role("button", name="Show demo.mp4").click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()


def test_the_queue_survives_a_reload_and_nobody_else_sees_it(page, demo, open_page):
    names = page.locator(".mr-job strong").all_inner_texts()
    page.reload()
    page.get_by_role("tab", name="Replay").click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()  # what was open opens again
    assert page.locator(".mr-job strong").all_inner_texts() == names and len(names) > 1
    other = replay(open_page, demo.url)
    other.wait_for_timeout(1000)
    assert other.locator(".mr-job").count() == 0
    key = page.locator(".mr-queue").get_attribute("data-key")
    assert len(key) >= 24 and other.locator(".mr-queue").get_attribute("data-key") != key


def test_all_leave_in_one_archive_with_a_table_of_those_without_events(page):
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("recordings.csv").decode("utf-8-sig"))))
        assert {"events.csv", "events.xlsx", "codebook.csv", "demo.mp4.eaf", "demo.mp4.vtt"} < set(archive.namelist())
    assert [row["recording"] for row in rows] == page.locator(".mr-job strong").all_inner_texts()
    assert (rows[0]["events"], rows[0]["judged_share"][:3]) == (str(len(TRUTH)), "0.9")
    assert rows[1]["events"] == "0" and rows[1]["judged_share"] == "0.0" and "no face" in rows[1]["not_judged"]


def test_the_player_plays_the_sound_in_step_and_none_in_slow_motion(page, tmp_path):
    film = sounding(tmp_path / "sounding.mp4").read_bytes()
    page.locator(DROP).set_input_files([{"name": "sounding.mp4", "mimeType": "video/mp4", "buffer": film}])
    page.get_by_role("button", name="Show sounding.mp4").click(timeout=LONG)
    page.locator(".mr h3", has_text="sounding.mp4").wait_for()
    page.wait_for_function("document.querySelector('.mr audio').readyState >= 3")
    go_to(page, 100)
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.mr audio').currentTime > 2.6")
    # the moment on screen and the moment that is heard, in one look
    both = """() => [document.querySelector('.mr audio').currentTime,
      parseFloat(document.querySelector('.mr-under output').textContent.split(', ')[1])]"""
    heard, seen = page.evaluate(both)
    assert heard == pytest.approx(seen, abs=0.15)
    page.get_by_label("Speed").select_option("0.25")
    page.wait_for_function("document.querySelector('.mr audio').paused && document.querySelector('.mr-keys button:nth-child(3)').textContent === 'Pause'")
    page.get_by_label("Speed").select_option("1")
    page.wait_for_function("!document.querySelector('.mr audio').paused")
    page.get_by_role("button", name="Sound on").click()
    page.wait_for_function("document.querySelector('.mr audio').paused")
    page.get_by_role("button", name="Sound off").click()
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function("document.querySelector('.mr audio').paused")
    page.get_by_role("button", name="Show demo.mp4").click()
    page.get_by_role("button", name="No sound").wait_for()


def test_a_recording_can_be_cancelled_and_what_was_found_until_then_is_shown(page):
    page.locator(DROP).set_input_files([{"name": f"{name}.mp4", "mimeType": "video/mp4", "buffer": DEMO.read_bytes()} for name in ("first", "second")])
    page.get_by_role("button", name="Cancel second.mp4").click(timeout=60_000)
    first = page.locator(".mr-job", has_text="first.mp4")
    first.locator("text=/[1-9]\\d? %/").wait_for(timeout=60_000)
    page.get_by_role("button", name="Cancel first.mp4").click()
    page.locator(".mr-job[data-state=cancelled]").nth(1).wait_for(timeout=60_000)
    page.get_by_role("button", name="Show first.mp4").click()
    page.locator(".mr h3", has_text="first.mp4").first.wait_for()
    frames = len(data(page)["times"])
    assert 0 < frames < 700
    with av.open(str(taken_away(page, "Annotated video").path())) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames  # as far as it came
    assert page.get_by_role("button", name="Show second.mp4").count() == 0


def test_the_tab_fits_a_phone_and_reads_well_in_the_dark(page, shot):
    page.get_by_role("button", name="Show demo.mp4").first.click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.mr-pictures .mr-pic[data-state=there]').length === 6", timeout=60_000)
    try:
        page.evaluate("document.body.classList.add('dark')")
        shot(page, "replay-dark")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shot(page, "replay-phone")
    finally:
        page.evaluate("document.body.classList.remove('dark')")
        page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(page, axe, dark):
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    page.wait_for_timeout(400)
    assert not axe(page)


def test_nobody_else_gets_at_a_recording(page, demo, open_page):
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    other = open_page(demo.url)
    status = "url => fetch(url).then(a => a.status)"
    assert other.evaluate(status, f"/mer/replay/{token[:-1]}x/data") == 404
    for address in ("event/1/motion.webp?factor=nan", "frame/99999.jpg", "frame/-1.jpg", "event/99/onset.jpg", "event/1/secret.jpg", "event/1/..%2f..%2fcopy.mp4"):
        assert other.evaluate(status, f"/mer/replay/{token}/{address}") in (404, 422)
    assert other.evaluate(status, "/mer/replay/queue/none") == 404
