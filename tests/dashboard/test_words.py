"""The page in other languages: nothing is missing in the files of words/, nothing is left over, and a browser shows them."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import page_texts
import pytest
from places import ROOT
from serving import PATIENCE

from engines.zoo import ZOO, reduced
from realtime.dashboard.live import readings
from realtime.dashboard.server.languages import LANGUAGES, catalogue
from realtime.judged import MEANING
from realtime.networks import naming
from realtime.output import frame_table
from realtime.review.comparison import COLUMNS
from realtime.review.item import LABELS, UNITS

PAGE = ROOT / "realtime" / "dashboard"
HOLE = re.compile(r"\{\w+\}")
DRAWN = {"by covering parts of the face", "deepest: {} of the eyes' distance"}  # into pictures
JOINTS = {"; ", ": ", ", ", " (", ")", "."}  # page/shared/translate.js
# what stands in the sources of the page and is the same in every language, or no word to a person who looks at it
NAMES = {
    "mer-train prepare data=generic data.root=FOLDER",
    "CASME II",
    "Excel",
    "Parquet",
    "ONNX Runtime",
    "TensorRT",
    "TensorRT (GPU)",
    "mer-live",
    "sm_89, …",
}
LETTERS = {"Arial", "Consolas", "DejaVu Sans Mono", "Helvetica Neue", "Menlo", "Roboto", "Segoe UI"}
KEYS = {"Alt", "Arrow", "Escape", "Tab"}
CODE = {
    *("top center", "on, pictures", "put out", "level, model, engine, longest, measures", "model, engine, threshold, longest, certainty, measures"),
    *(
        "private, max-age=3600",
        "textarea, select, [contenteditable=true], [role=listbox]",
        "block {} of",
        "button#mer-replay-coder, #mer-replay-coder button",
        "takes no",
        "Face at",
        "there is no GPU here",
        "the browser is slow",
        "the encoder is slow",
    ),
}
TERMINAL = {  # what only the terminal gets to read, or who writes to the server by hand
    *("a live session could not be changed", "live stopped", "cannot read the password file '{}'", "it is no text", "replay of a recording failed"),
    "--host {} lets other machines reach the page, and it shows faces: that needs a password too, in the variable {} or with --password-file FILE",
    "figures need plotly: pip install 'mer-live[demo]'",
    *("that is no value for '{}': reload the page", "this control sends {} values: reload the page"),
    "is not in the session's folder: only exports made there are offered",
}
# single words in small letters, which nothing tells from names of the program's own
WORDS = {
    *(
        "micro",
        "macro",
        "unsure",
        "onset",
        "apex",
        "offset",
        "event",
        "kind",
        "same",
        "differs",
        "agreement",
        "curve",
        "nothing",
        "none",
        "nobody",
        "provisional",
        "withdrawn",
    ),
    *("accepted", "corrected", "rejected", "added", "done", "stopped", "failed", "cancelled", "begins", "more", "fewer", "missed"),
}
PARTS = {"movements asked for", "frame", "recording"}  # of COMPOSED
PROTOCOL = ("guard.py", "requests.py")  # they answer in HTTP, before there is a page
COMPOSED = {
    "events and video frames",
    "events and their pictures and video frames",
    "Krippendorff's alpha of all, the program included: undefined",
    "frames",
    "1 frame",
    "1 event",
    "recordings",
    "1 recording",
    "micro, {} macro",
    "fewer movements asked for",
    "more movements asked for",
    "English",
    "number input for",
    "range slider for",
    "reduced network",
    "pycuda is not installed",
}


def sources(*suffixes: str):
    return sorted(path for path in PAGE.rglob("*") if path.suffix in suffixes and path.name not in PROTOCOL)


@pytest.fixture(scope="module")
def needed() -> set[str]:
    """What the page may show, in normal form."""
    manifests = [json.loads((ZOO / f"{name}.json").read_text(encoding="utf-8")) for name in naming()]
    labels = {label for manifest in manifests for label in manifest["classes"]}
    causes = {*readings.SET_ASIDE.values(), *readings.MISSED.values(), *MEANING, *MEANING.values()}
    columns = {*frame_table.GROUPS, *frame_table.UNITS.values(), *(frame_table.MEANINGS[name] for name in frame_table.CURVES)} - {"px", "rad"}
    columns |= {*COLUMNS, *COLUMNS.values()} - {"F1"}
    found = {*WORDS, *causes, *labels, *filter(None, map(reduced, manifests)), *columns, *LABELS, *UNITS.values()}
    return {page_texts.normal(text) for text in found}.union(*map(page_texts.for_people, sources(".py", ".js")))


@pytest.fixture(scope="module")
def translated() -> dict[str, str]:
    """The English of the catalogues: normal form → as it stands there."""
    return {page_texts.normal(key): key for key in catalogue(LANGUAGES[0])}


def test_every_text_of_the_page_is_in_the_catalogues(needed, translated):
    known = {*translated, *NAMES, *DRAWN, *PARTS, *LETTERS, *KEYS, *CODE, *TERMINAL}
    known |= {text.removesuffix(".") for text in known}
    missing = {text for text in needed if text not in known and not known.issuperset(page_texts.pieces(text))}
    assert not missing, "put these into realtime/dashboard/words/*.json, or say here why not"


def test_the_catalogues_hold_nothing_that_no_source_says(needed, translated):
    said = {*needed, *COMPOSED, *map(page_texts.normal, JOINTS)}
    for folder in ("realtime", "engines"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in (".py", ".js") and "node_modules" not in path.parts:
                said |= page_texts.all_parts(path)
    said |= {piece for text in said for piece in page_texts.pieces(text)}
    left = {
        key
        for text, key in translated.items()
        if text and not said & {text, text.removesuffix(".")} and page_texts.normal(key.removeprefix("{n} ")) not in said
    }
    assert not left, "no source says these any more"


def test_style_sheets_hold_no_words():
    """Nothing translates them: `content: attr(data-word)`."""
    assert not [
        found for path in sources(".css") for found in re.findall(r'content: [^;"]*"[^";]*[A-Za-z]{2}[^";]*"', path.read_text(encoding="utf-8"))
    ]


def test_what_is_chosen_has_a_value_of_its_own():
    """Else what is shown is sent: a word of the person's language."""
    assert not [path.name for path in sources(".py", ".js") if "<option>" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_whole(language):
    words, first = catalogue(language), catalogue(LANGUAGES[0])
    assert list(words) == list(first), "the same texts in the same order in every file"
    assert not {key for key, text in words.items() if not text.strip()}
    assert not {key for key, text in words.items() if set(HOLE.findall(key)) != set(HOLE.findall(text))}, "other values than in English"
    # what stands on the page is looked at again when it changes
    assert not {key for key, text in words.items() if words.get(text, text) != text}, "is itself English for something else"


# of English, and of none of the others
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|with|from|this|that|which|been|were|you|your|not|for|when|what|its|has|have|every|until|by|where)\b", re.IGNORECASE
)
ALLOWED = re.compile(r"/tmp/\S+|mer-live\[\w+\]|TensorRT for RTX|ONNX Runtime")
# every text and every word for a screen reader, shown or not, but for what is one of the languages' own names
TEXTS = """names => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let one = walk.nextNode(); one; one = walk.nextNode()) {
    const within = one.nodeType === Node.TEXT_NODE ? one.parentElement : one;
    if (within.closest('script, style, [translate="no"]')) continue;
    if (one === within) found.push(...names.map((name) => one.getAttribute(name)));
    else found.push(one.data);
  }
  return [...new Set(found.filter(Boolean).map((text) => text.trim()).filter(Boolean))];
}"""
TABS = ("live", "replay", "review", "speed")


def opened(chromium, demo, locale: str):
    """A page of a browser in that language."""
    page = chromium.new_context(locale=locale, viewport={"width": 1280, "height": 800}).new_page()
    page.outside = []
    page.on("request", lambda asked: urlsplit(asked.url).netloc not in ("", urlsplit(demo.url).netloc) and page.outside.append(asked.url))
    page.goto(demo.url)
    page.locator("#mer-start").wait_for(timeout=PATIENCE)
    return page


def look_at_every_tab(page):
    for name in reversed(TABS):
        page.locator(f"#mer-tabs [role=tab][aria-controls*={name}]").click()
        page.locator(f"#mer-{name}").wait_for(timeout=PATIENCE)
    page.get_by_role("status").first.wait_for()


def english_on(page, words: dict[str, str]) -> list[str]:
    seen = page.evaluate(TEXTS, list(page_texts.SHOWN))
    assert len(seen) > 100
    return [text for text in seen if ENGLISH.search(ALLOWED.sub("", text)) or words.get(text, text) != text]


@pytest.mark.parametrize(("locale", "language"), [("de-AT", "de"), ("es-MX", "es"), ("ja-JP", "ja")])
def test_a_browser_in_another_language_sees_no_english(chromium, demo, locale, language):
    page = opened(chromium, demo, locale)
    try:
        words = catalogue(language)
        assert page.evaluate("document.documentElement.lang") == language
        assert page.locator("#mer-start").inner_text() == words["Start camera"]
        look_at_every_tab(page)
        assert not english_on(page, words) and not page.outside
    finally:
        page.context.close()


def test_what_is_found_is_said_in_the_language(chromium, demo):
    """In one with decimal commas: a number that is translated again and again would stop the page."""
    page, words = opened(chromium, demo, "de-DE"), catalogue("de")
    try:
        page.get_by_text(words["Tick the box, then press Start camera; or play the demo clip."]).wait_for(timeout=PATIENCE)
        page.locator("#mer-play").click()
        page.locator("#mer-scores svg").first.wait_for(timeout=PATIENCE)
        page.locator("#mer-health dt").first.wait_for(timeout=PATIENCE)
        assert page.locator(".mer-event strong").last.inner_text() in {words[label] for label in (*LABELS, "unsure")}
        assert re.search(r"Dauer \d,\d\d s", page.locator(".mer-event").last.inner_text())
        assert not english_on(page, words)
    finally:
        page.context.close()


def test_another_language_than_ours_gets_english_and_one_can_be_chosen_for_good(chromium, demo):
    page = opened(chromium, demo, "sv-SE")
    try:
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.locator("#mer-start").inner_text() == "Start camera"
        page.locator("#mer-language").select_option("ja")
        page.get_by_role("button", name=catalogue("ja")["Start camera"]).wait_for(timeout=PATIENCE)
        page.goto(demo.url + "?lang=fr")
        page.get_by_role("button", name=catalogue("fr")["Start camera"]).wait_for(timeout=PATIENCE)
        page.goto(demo.url)
        page.get_by_role("button", name=catalogue("ja")["Start camera"]).wait_for(timeout=PATIENCE)
        assert page.locator("#mer-language").input_value() == "ja"
    finally:
        page.context.close()


def test_who_logs_in_reads_their_language(start_demo):
    demo = start_demo("--read-only", env={"MER_DEMO_PASSWORD": "correct horse battery"})
    for accepted, language in (("fr-CA,fr;q=0.9,en;q=0.8", "fr"), ("zh-TW", "zh-CN"), ("sv,en", "en"), ("", "en")):
        with urlopen(Request(demo.url + "mer/login", headers={"accept-language": accepted}), timeout=90) as answer:
            page = answer.read().decode()
        assert f'lang="{language}"' in page and catalogue(language).get("Password", "Password") in page
