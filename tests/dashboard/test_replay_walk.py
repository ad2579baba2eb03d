"""The way of a psychologist through the page: ten recordings in, three corrections, tables and ELAN out, opened again."""

import io
import zipfile
from fractions import Fraction
from xml.etree import ElementTree as ET

import av
import openpyxl
from places import DEMO

from realtime.review import Reviews

CUTS = [(0.9, 3.2), (3.2, 5.6), (5.6, 7.9), (0.0, 1.2), (2.5, 3.3), (3.6, 4.2), (5.0, 5.8), (7.4, 8.2), (8.0, 8.8), (12.3, 13.0)]  # seconds
WITH_EVENT = ("p0.mp4", "p1.mp4", "p2.mp4")


def cut(start, end) -> bytes:
    """A piece of the demo clip as a recording of its own."""
    file = io.BytesIO()
    with av.open(str(DEMO)) as clip, av.open(file, "w", format="mp4") as made:
        film = clip.streams.video[0]
        stream = made.add_stream("libx264", rate=50, options={"crf": "16", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
        kept = [frame for frame in clip.decode(film) if start <= frame.time < end]
        for number, frame in enumerate(kept):
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 50)
            made.mux(stream.encode(picture))
        made.mux(stream.encode(None))
    return file.getvalue()


def test_ten_recordings_three_corrections_xlsx_and_elan(demo, open_page):
    from playwright.sync_api import expect

    page = open_page(demo.url, tab="Replay")
    page.set_default_timeout(60_000)
    page.locator(".mr-queue[data-key]").wait_for(state="attached")
    files = [{"name": f"p{number}.mp4", "mimeType": "video/mp4", "buffer": cut(*span)} for number, span in enumerate(CUTS)]
    page.locator("#mer-replay-drop input[type=file]").set_input_files(files)
    page.get_by_text("10 recordings: 10 done").wait_for(timeout=180_000)
    page.get_by_role("button", name="Keep all for Review").click()
    page.get_by_text("of 10 recordings and their pictures").wait_for()

    page.get_by_role("tab", name="Review").click()
    page.locator("tr[data-key]").first.wait_for()  # the page has the session, and its keys work
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Your name").press("Enter")
    page.get_by_text("events reviewed by Ann").wait_for()
    said = page.locator("#rv-said")
    changes = (lambda: page.keyboard.press("5"), lambda: page.keyboard.press("Control+ArrowRight"), lambda: units(page))
    said_then = ("event 1, disgust", "event 1, apex", "event 1, ")
    for source, change, words in zip(WITH_EVENT, changes, said_then, strict=True):
        if source != WITH_EVENT[0]:  # that one is open already
            page.get_by_label("Recording", exact=True).select_option(source)
            page.keyboard.press("Escape")
        change()
        expect(said).to_contain_text(words)
    (session,) = Reviews(demo.log).log.sessions()
    judged = {item.source: item for item in Reviews(demo.log).items(session["id"]) if "Ann" in item.reviews}
    apex = judged["p1.mp4"].marks("Ann").apex_s
    assert set(judged) == set(WITH_EVENT) and apex != judged["p1.mp4"].found.apex_s

    book = openpyxl.load_workbook(io.BytesIO(corrected(page, "Excel").read_bytes()))
    head, *rows = book["events"].iter_rows(values_only=True)
    rows = {row[head.index("source")]: dict(zip(head, row, strict=True)) for row in rows if row[head.index("reviewer")] == "Ann"}
    assert rows["p0.mp4"]["label"] == "disgust" and rows["p0.mp4"]["verdict"] == "corrected"
    assert rows["p1.mp4"]["apex_s"] == apex
    assert rows["p2.mp4"]["action_units"] == "4+9"

    with zipfile.ZipFile(corrected(page, "ELAN")) as archive:
        assert len(archive.namelist()) == len(CUTS)
        trees = {name.partition("-")[2]: ET.fromstring(archive.read(name)) for name in archive.namelist()}
    assert "disgust" in values(trees["p0.eaf"]) and "4+9" in values(trees["p2.eaf"])
    assert round(1000 * apex) in {int(slot.get("TIME_VALUE")) for slot in trees["p1.eaf"].iter("TIME_SLOT")}


def units(page):
    page.get_by_label("Action units").fill("4+9")
    page.get_by_label("Action units").press("Enter")


def values(tree) -> list[str]:
    return [one.text or "" for one in tree.iter("ANNOTATION_VALUE")]


def corrected(page, name):
    """The file behind an entry of "Download corrected"."""
    with page.expect_download() as download:
        page.get_by_text("Download corrected").click()
        page.locator("#rv-corrected button", has=page.locator(f"b:text-is('{name}')")).click()
    return download.value.path()
