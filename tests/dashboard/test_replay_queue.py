"""Tab 2 in a real browser: what is dropped, and its way through the queue."""

import csv
import io
import zipfile

import av
import pytest
from films import faint, film
from places import DEMO
from replaying import DROP, LONG, TRUTH, data, dropped, replay, shown, taken_away


@pytest.fixture
def black(page, tmp_path):
    """A recording without a face, black.mp4, that has been worked through."""
    if page.locator(".mr-job", has_text="black.mp4").count() == 0:
        dropped(page, "black.mp4", film(tmp_path / "black.mp4", [number / 30 for number in range(10)]))
    page.get_by_role("button", name="Show black.mp4").wait_for(timeout=LONG)


def test_a_name_that_is_html_is_shown_and_not_run(page, tmp_path):
    short = film(tmp_path / "short.mp4", [number / 30 for number in range(10)])
    page.locator(DROP).set_input_files([{"name": "<img src=x onerror=window.hacked=1>.mp4", "mimeType": "video/mp4", "buffer": short}])
    page.get_by_role("button", name="Show img").click()
    page.locator(".mr h3", has_text="onerror").first.wait_for()
    assert page.evaluate("window.hacked") is None
    assert "onerror" in page.locator(".mr-job strong").last.inner_text() and page.locator(".mr-job img, .mr h3 img").count() == 0
    page.get_by_role("button", name="Show demo.mp4").click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()
    page.wait_for_function("document.activeElement.className === 'mr-time'")  # the keys belong to it at once


def test_bad_uploads_each_get_a_clear_line_and_the_queue_goes_on(page, tmp_path):
    bad = [
        ("text.mp4", b"This is no video. " * 500, "text.mp4 is text"),
        ("empty.mp4", b"", "empty.mp4 is empty"),
        ("../../../etc/evil.mp4", b"\0" * 5000, "evil.mp4"),
        ("long.mp4", film(tmp_path / "long.mp4", [0, 3 * 3600]), "long.mp4 is 3.0 hours long"),
    ]
    jobs = page.locator(".mr-job").count()
    page.locator(DROP).set_input_files([{"name": name, "mimeType": "video/mp4", "buffer": content} for name, content, _ in bad])
    page.wait_for_function("document.querySelectorAll('#mer-replay-said [role=alert]').length === 4")
    said = page.locator("#mer-replay-said [role=alert] span").all_inner_texts()
    for (_, _, words), line in zip(bad, said, strict=True):
        assert words in line and "\n" not in line and "/tmp" not in line and ".." not in line
    assert page.locator(".mr-job").count() == jobs
    for left in (3, 2, 1, 0):
        page.get_by_role("button", name="Close this message").first.click()
        assert page.locator("#mer-replay-said [role=alert]").count() == left


def test_no_face_is_not_done_with_no_events(page, black):
    row = page.locator(".mr-job", has_text="black.mp4")
    assert "nothing could be judged: no face" in row.inner_text() and "done" not in row.inner_text()
    row.get_by_role("button", name="Show").click()
    page.locator("#mer-replay-player").get_by_text("Nothing could be judged: no face").wait_for()
    page.get_by_role("button", name="Show demo.mp4").click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()


def test_the_queue_survives_a_reload_and_nobody_else_sees_it(page, black, replay_demo, open_page):
    names = page.locator(".mr-job strong").all_inner_texts()
    page.reload()
    page.get_by_role("tab", name="Speed").wait_for()
    page.get_by_role("tab", name="Replay").click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()  # what was open opens again
    assert page.locator(".mr-job strong").all_inner_texts() == names and len(names) > 1
    other = replay(open_page, replay_demo.url)
    other.wait_for_timeout(1000)
    assert other.locator(".mr-job").count() == 0
    key = page.locator(".mr-queue").get_attribute("data-key")
    assert len(key) >= 24 and other.locator(".mr-queue").get_attribute("data-key") != key


def test_all_leave_in_one_archive_with_a_table_of_those_without_events(page, black):
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("recordings.csv").decode("utf-8-sig"))))
        assert {"events.csv", "events.xlsx", "codebook.csv", "demo.mp4.eaf", "demo.mp4.vtt"} < set(archive.namelist())
    assert [row["clip"] for row in rows] == page.locator(".mr-job strong").all_inner_texts()
    assert (rows[0]["events"], rows[0]["judged"][:3]) == (str(len(TRUTH)), "0.9")
    black = next(row for row in rows if row["clip"] == "black.mp4")
    assert black["events"] == "0" and float(black["judged"]) == 0.0 and "no face" in black["not_judged"]


def test_a_recording_can_be_cancelled_and_what_was_found_until_then_is_shown(page):
    page.locator(DROP).set_input_files(
        [{"name": f"{name}.mp4", "mimeType": "video/mp4", "buffer": DEMO.read_bytes()} for name in ("first", "second")]
    )
    page.get_by_role("button", name="Cancel second.mp4").click()
    first = page.locator(".mr-job", has_text="first.mp4")
    first.locator("text=/[1-9]\\d? %/").first.wait_for()  # of its progress or, sooner, of what was judged
    page.get_by_role("button", name="Cancel first.mp4").click()
    page.locator(".mr-job[data-state=cancelled]").nth(1).wait_for()
    page.get_by_role("button", name="Show first.mp4").click()
    page.locator(".mr h3", has_text="first.mp4").first.wait_for()
    frames = len(data(page)["times"])
    assert 0 < frames < 700
    with av.open(str(taken_away(page, "Annotated video").path())) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames  # as far as it came
    assert page.get_by_role("button", name="Show second.mp4").count() == 0


def test_fewer_and_more_movements_are_what_they_say(page, tmp_path):
    clip, found = faint(tmp_path / "faint.mp4", 0.09, 3.2), {}
    for word in ("Fewer", "More"):
        page.get_by_role("radio", name=word).check()
        dropped(page, f"{word}.mp4", clip)
        shown(page, f"{word}.mp4", LONG)
        assert f"{word.lower()} movements asked for" in page.locator(".mr-meta").first.inner_text()
        found[word] = data(page)
    page.get_by_role("radio", name="Usual").check()
    assert len(found["Fewer"]["events"]) < len(found["More"]["events"])
    both = zip(found["Fewer"]["threshold"], found["More"]["threshold"], strict=True)
    assert all(high > low for high, low in both if high is not None)
