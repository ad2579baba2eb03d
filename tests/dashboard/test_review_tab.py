"""Tab Review in a real browser: three events corrected with the keyboard alone, then exported; deleting; looking only."""

import base64
import csv
import io
import sqlite3
import zipfile

import av
import numpy as np
import pytest
from films import sounding
from places import DEMO

from realtime.output.log import Log, Session, SqliteSink
from realtime.records import Event
from realtime.review import Reviews

TRUTH = ((2.04, 2.18, 2.36, "surprise"), (4.42, 4.56, 4.76, "positive"), (6.82, 6.96, 7.14, "negative"))
SEEN, UNSEEN = str(DEMO), "camera:0"  # a session's source: drawing a film of each event looked at is most of the time that it takes

# every press's request, or the body of its answer, comes later than that of the press after it; WORDS: all that was said
HELD_UP = """const send = window.fetch, PAUSES = [400, 200, 0], pause = (ms) => new Promise((go) => setTimeout(go, ms));
let count = 0;
window.fetch = async (what, how) => {
  const press = String(what).includes("/mer/review/");
  const ms = press ? PAUSES[count++ % 3] : 0;
  if (WHERE === "asking") await pause(ms);
  const answer = await send(what, how);
  if (WHERE === "asking" || !ms) return answer;
  const body = new ReadableStream({ async start(to) {
    await pause(ms);
    to.enqueue(new Uint8Array(await answer.arrayBuffer()));
    to.close();
  } });
  return new Response(body, answer);
};
window.WORDS = [];
new MutationObserver(() => {
  const words = document.querySelector("#rv-said p")?.textContent;
  if (words && words !== WORDS.at(-1)) WORDS.push(words);
}).observe(document, { childList: true, subtree: true, characterData: true });"""


def logged(path, source=UNSEEN, **known):
    """Logs what mer-replay finds in the demo clip, without the time that it takes; the session's number. known: more of each event."""
    sink = SqliteSink(Session("kernel_ridge", [source], {}), path)
    sink.open()
    for number, (onset, apex, offset, label) in enumerate(TRUTH, 1):
        scores = {name: 0.9 if name == label else 0.05 for name in ("negative", "positive", "surprise")}
        sink.write(Event(number, source, 0, onset, apex, offset, label, scores, "kernel_ridge", 40.0, **known))
    sink.close()
    return sink.id


def opened(page):
    page.locator("#rv-events tr[data-key]").first.wait_for()
    return page


def named(page, name):
    field = page.get_by_label("Your name")
    field.fill(name)
    field.press("Escape")
    page.get_by_text(f"reviewed by {name}").wait_for()


def said(page, words):
    from playwright.sync_api import expect

    expect(page.locator("#rv-said")).to_contain_text(words)  # a failure shows what was said instead


def test_three_events_are_corrected_by_keyboard_alone_and_exported(demo, open_page, shot):
    session = logged(demo.log, SEEN)
    page = opened(open_page(demo.url, tab="Review"))
    named(page, "Ann")
    page.locator("#rv-pictures img").first.wait_for()  # the recording is read around the event
    key = page.keyboard.press
    key("Shift+ArrowLeft")
    said(page, "onset 2.020 s")
    key("Control+ArrowRight")
    said(page, "apex 2.200 s")
    key("ArrowDown")
    key("ArrowDown")
    key("5")
    said(page, "event 3, disgust")
    key("ArrowUp")
    key("a")
    said(page, "Accepted: event 2, positive")
    key("r")
    said(page, "Rejected: event 2")
    key("u")
    said(page, "Taken back")
    key("n")
    page.keyboard.type("9.2")
    key("Enter")
    said(page, "Added: event 4 at 9.200 s")
    key("1")
    said(page, "event 4, negative")
    key("Control+Shift+ArrowRight")
    said(page, "event 4, offset")
    page.wait_for_function("!document.querySelector('#mer-review').innerText.includes('drawing…')")
    shot(page, "review-light")

    found = {item.found.apex_s: item for item in Reviews(demo.log).items(session)}
    assert found[2.18].verdict("Ann") == "corrected" and found[2.18].marks("Ann").apex_s == 2.2
    assert found[4.56].verdict("Ann") == "accepted"
    assert found[6.96].marks("Ann").label == "disgust" and found[6.96].found.label == "negative"
    with page.expect_download() as download:
        key("e")
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("events.csv").decode())))
        assert f"{rows[0]['path']}/000001.png" in archive.namelist()
    assert [row["label"] for row in rows] == ["surprise", "positive", "disgust", "negative"]


@pytest.mark.parametrize("where", ["asking", "answered"])
def test_keys_are_answered_in_their_order(demo, open_page, where):
    """Requests of a page can overtake one another, and so can the bodies of their answers."""
    session = logged(demo.log)
    page = open_page(demo.url, strict=False)  # a reload breaks off what the page was listening to
    page.add_init_script(f"const WHERE = '{where}'; {HELD_UP}")
    page.reload()
    page.get_by_role("tab", name="Review").click()
    opened(page)
    named(page, "Ann")
    # "3" comes while the page still shows the first event, which has that label
    for key in ("ArrowDown", "3", "ArrowDown", "5", "ArrowUp", "r", "ArrowUp", "a"):
        page.keyboard.press(key)
    said(page, "Accepted: event 1")
    page.wait_for_timeout(700)
    assert page.evaluate("WORDS") == [
        f"{words}."
        for words in ("Corrected: event 2, surprise", "Corrected: event 3, disgust", "Rejected: event 2, surprise", "Accepted: event 1, surprise")
    ]
    assert [(item.marks("Ann").label, item.verdict("Ann")) for item in Reviews(demo.log).items(session)] == [
        ("surprise", "accepted"),
        ("surprise", "rejected"),
        ("disgust", "corrected"),
    ]


@pytest.mark.parametrize("arrives", [False, True], ids=["asking", "answered"])
def test_a_line_that_breaks_loses_no_press_and_doubles_none(demo, open_page, arrives):
    """Whatever is sent for the first time never arrives, or its answer does not; or it arrives once more, much later."""
    session = logged(demo.log)
    page = opened(open_page(demo.url, tab="Review", strict=False))
    named(page, "Ann")
    seen, sent = set(), []

    def broken(route):
        asked = route.request.post_data or route.request.url
        if asked in seen:
            return route.continue_()
        seen.add(asked)
        if route.request.post_data:
            sent.append((route.request.url, route.request.post_data_json))
        if arrives:
            route.fetch()
        route.abort("connectionreset")

    page.route("**/mer/review/*", broken)
    for key in ("ArrowDown", "5", "r", "u"):
        page.keyboard.press(key)
    said(page, "Taken back")
    assert [url.rpartition("/")[2] for url, _ in sent] == ["judge", "judge", "undo"]
    for url, body in [*sent[::-1], *sent]:
        assert page.request.post(url, data=body).ok
    event = Reviews(demo.log).items(session)[1]
    history = Reviews(demo.log).history(session, event.key)
    assert [(review.verdict, review.undone_at is None) for review in history] == [("corrected", True), ("rejected", False)]
    page.unroute_all(behavior="wait")


def test_the_verdict_is_in_sight_and_without_a_name_leads_to_it(demo, open_page, shot):
    session = logged(demo.log, SEEN)
    page = opened(open_page(demo.url, tab="Review"))
    page.locator("#rv-pictures .rv-drawn img").nth(1).wait_for()  # what changed, and slow motion without being asked
    for name in ("accept", "reject", "undo", "label"):
        box = page.locator(f"#rv-{name}").bounding_box()
        assert box["y"] + box["height"] <= 800, name
    page.keyboard.press("Escape")
    for press in (
        lambda: page.keyboard.press("a"),
        lambda: page.get_by_role("button", name="Reject (R)").click(),
        lambda: page.get_by_text("5 disgust").click(),
    ):
        press()
        page.wait_for_function("document.activeElement.closest('#rv-reviewer')")
        page.get_by_text("Type your name first").wait_for()
        page.get_by_label("Your name").press("Escape")
    shot(page, "review-nameless")
    assert not any(item.reviews for item in Reviews(demo.log).items(session))
    named(page, "Ann")
    assert page.get_by_text("Type your name first").count() == 0
    page.get_by_text("What the numbers of action units mean").click()
    page.get_by_text("inner brow raised").wait_for()


def test_a_second_before_and_after_is_seen_and_heard(demo, open_page, tmp_path):
    sink = SqliteSink(Session("kernel_ridge", [str(sounding(tmp_path / "sounding.mp4"))], {}), demo.log)
    sink.open()
    sink.write(Event(1, sink.session.sources[0], 0, 4.42, 4.56, 4.76, "positive", {"positive": 1.0}, "kernel_ridge", 40.0))
    sink.close()
    page = opened(open_page(demo.url, tab="Review"))
    film = page.locator("#rv-around video")
    film.wait_for()
    (tmp_path / "around.mp4").write_bytes(base64.b64decode(film.get_attribute("src").partition(",")[2]))
    with av.open(str(tmp_path / "around.mp4")) as around:
        seen = around.streams.video[0]
        assert float(seen.duration * seen.time_base) == pytest.approx(4.76 - 4.42 + 2.0, abs=0.15)
        loud = [frame.time for frame in around.decode(audio=0) if np.abs(frame.to_ndarray()).max() > 0.1]
    assert loud[0] == pytest.approx(4.5 - 3.42, abs=0.06)  # the recording's tone begins at 4.5 s, this film at 3.42 s
    page.wait_for_function("document.querySelector('#rv-around video').readyState >= 2")


def test_what_is_typed_is_said_of_the_event_it_was_typed_for(demo, open_page):
    """An answer that comes meanwhile does not wipe it, nor does another event get it."""
    session = logged(demo.log)
    page = opened(open_page(demo.url, tab="Review"))
    named(page, "Ann")
    page.get_by_label("Action units").press_sequentially("4+")
    page.evaluate("document.querySelector('#rv-refresh').click()")
    page.evaluate("document.querySelector('#rv-after').click()")
    page.locator('tr[aria-selected="true"]', has_text="4.420").wait_for()
    page.get_by_label("Action units").press_sequentially("9")
    page.get_by_label("Action units").press("Enter")
    said(page, "event 1")
    assert page.get_by_label("Action units").input_value() == ""
    assert [item.marks("Ann").action_units for item in Reviews(demo.log).items(session)] == ["4+9", "", ""]


def test_two_people_review_at_once_and_a_deleted_session_is_noticed(demo, open_page, shot):
    session = logged(demo.log)
    ann, ben = (opened(open_page(demo.url, tab="Review")) for _ in range(2))
    named(ann, "Ann")
    named(ben, "Ben")
    for key in ("a", "ArrowDown", "r"):
        ann.keyboard.press(key)
        ben.keyboard.press({"r": "5"}.get(key, key))
    said(ann, "Rejected: event 2")
    said(ben, "Corrected: event 2, disgust")
    ben.get_by_text("Ann and Ben: Cohen's kappa").wait_for()
    shot(ben, "review-two")

    ben.get_by_label("Your name").fill("Ann")  # two people under one name
    ben.get_by_label("Your name").press("Escape")
    ben.get_by_text("in another window, too").wait_for()
    ann.keyboard.press("1")  # this page has heard of it; the other still shows the rejection
    said(ann, "event 2, negative")
    ben.keyboard.press("a")
    said(ben, "has judged this event in another window meanwhile")
    shot(ben, "review-one-name")
    found = {item.found.apex_s: item for item in Reviews(demo.log).items(session)}
    assert found[4.56].marks("Ann").label == "negative" and found[4.56].marks("Ben").label == "disgust"

    ann.get_by_role("button", name="Delete this session").click()
    ann.get_by_role("button", name="Delete for good").click()
    said(ann, "are deleted")
    ben.keyboard.press("a")
    said(ben, f"Session {session} was deleted in another window")


def test_nothing_serious_for_axe(demo, open_page, axe):
    logged(demo.log, SEEN)
    page = opened(open_page(demo.url, tab="Review", dark=True))
    named(page, "Ann")
    page.keyboard.press("r")
    said(page, "Rejected")
    assert not axe(page)
    page.evaluate("document.body.classList.remove('dark')")  # Gradio's own sign: the same page in light
    assert not axe(page)


def test_names_stay_in_the_browser_and_a_session_is_deleted(demo, open_page, shot):
    session = logged(demo.log, SEEN)
    # not strict: a reload breaks off what the page was listening to
    page = opened(open_page(demo.url, tab="Review", dark=True, size="phone", strict=False))
    named(page, "<b>Bea</b>")
    page.locator("#rv-pictures img").first.wait_for()
    shot(page, "review-phone-dark")
    page.get_by_role("button", name="Accept (A)").click()
    said(page, "Accepted: event 1")
    page.reload()
    page.get_by_role("tab", name="Review").click()
    page.get_by_text("1 of 3 events reviewed by <b>Bea</b>").wait_for()
    page.keyboard.press("ArrowDown")  # the tab that was pressed still has the focus
    page.locator('tr[aria-selected="true"]', has_text="4.420").wait_for()
    page.get_by_role("button", name="Delete this session").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete this session").click()
    page.get_by_role("button", name="Delete for good").click()
    said(page, f"Session {session} and everything derived from it are deleted")
    assert session not in [one["id"] for one in Log(demo.log).sessions()]


def test_looking_only(start_demo, open_page, tmp_path, shot):
    log = tmp_path / "seen.sqlite3"
    logged(log)
    Reviews(log).judge(1, "e1", "Ann", reject=True)
    demo = start_demo("--read-only", log=log)
    page = opened(open_page(demo.url, tab="Review", dark=True))
    named(page, "Ann")
    page.locator("#rv-events").get_by_text("rejected").wait_for()
    for gone in ("rv-accept", "rv-reject", "rv-undo", "rv-add", "rv-delete", "rv-label"):
        assert page.locator(f"#{gone}").count() == 0
    for key in ("a", "1", "n", "u", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    shot(page, "review-read-only")
    assert sqlite3.connect(log).execute("SELECT count(*) FROM reviews").fetchone() == (1,)


def test_estimated_action_units_are_a_suggestion_until_somebody_takes_them(demo, open_page, shot):
    session = logged(demo.log, units={"1": 0.8, "L12": 0.6})
    page = opened(open_page(demo.url, tab="Review"))
    named(page, "Ann")
    field = page.get_by_label("Action units")
    assert (field.input_value(), field.get_attribute("placeholder")) == ("", "estimated: 1+L12")
    page.get_by_role("button", name="Accept").click()
    said(page, "event 1")
    assert Reviews(demo.log).items(session)[0].marks("Ann").action_units == ""
    page.evaluate("document.querySelector('#rv-before').click()")
    page.locator('tr[aria-selected="true"]', has_text="2.0").wait_for()
    page.get_by_role("button", name="Take the estimate 1+L12").click()
    page.wait_for_function("document.querySelector('#rv-units').value === '1+L12' && document.querySelector('#rv-units-take').hidden")
    shot(page, "review-estimate")
    assert [item.marks("Ann").action_units for item in Reviews(demo.log).items(session)] == ["1+L12", "", ""]
