"""A real mer-demo on a free port, and a real Chromium to look at it.

def test_x(demo, open_page, shot):
    page = open_page(demo.url, dark=True)   # a Playwright page; at the end its console and requests are checked
    shot(page, "engines-dark")
"""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import serving
from fake_camera import as_mjpeg
from PIL import Image
from places import DEMO
from serving import PATIENCE, Demo

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")  # the first draws nothing but the page: a fifth less to compute
SIZES = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
# the browser's word for an answer of 4xx, which tests of refusals cause on purpose, never counts as an error of the page
HARMLESS = re.compile(r"status of 4\d\d|favicon")


def _missing(what: str):
    if os.environ.get("MER_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and MER_REQUIRE_BROWSER=1 asks for it")
    pytest.skip(what)


def _started(folder: Path, *options: str, **more) -> Demo:
    for part in ("gradio", "websockets"):
        if not _has(part):
            _missing(f"{part} is not installed (pip install 'mer-live[demo]')")
    return serving.start(folder, *options, **more)


def _served(temp: Path):
    demo = _started(temp)
    yield demo
    demo.stop()


def _has(module: str) -> bool:
    return find_spec(module) is not None


@pytest.fixture
def start_demo(tmp_path):
    """`start_demo("--read-only", env={…}, log=PATH)`, further as serving.start → Demo; ended with the test."""
    started = []

    def start(*options: str, **more) -> Demo:
        started.append(_started(tmp_path / f"demo{len(started)}", *options, **more))
        return started[-1]

    yield start
    for demo in started:
        demo.stop()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One server for all tests of a file."""
    yield from _served(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def playwright():
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        _missing("no Chromium here (apt install chromium-headless-shell, or chromium)")
    if not _has("playwright"):
        _missing("playwright is not installed (pip install 'mer-live[test]')")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        playwright.executable = executable
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright):
    """A Chromium without a camera."""
    browser = playwright.chromium.launch(executable_path=playwright.executable, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def fake_camera(tmp_path_factory):
    """`fake_camera(clip=DEMO)` → a .mjpeg of it, which Chromium plays over and over at 30 frames/s as its camera."""
    made: dict[Path, Path] = {}

    def make(clip: Path = DEMO) -> Path:
        if clip not in made:
            made[clip] = tmp_path_factory.mktemp("camera") / f"{Path(clip).stem}.mjpeg"
            as_mjpeg(clip, made[clip])
        return made[clip]

    return make


@pytest.fixture(scope="session")
def camera_chromium(playwright, fake_camera):
    """`camera_chromium(clip=DEMO)` → a Chromium whose camera shows the clip and is allowed, one for all tests."""
    opened = {}

    def open_one(clip: Path = DEMO):
        if clip not in opened:
            shown = f"--use-file-for-fake-video-capture={fake_camera(clip)}"
            flags = [*FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", shown]
            opened[clip] = playwright.chromium.launch(executable_path=playwright.executable, args=flags)
        return opened[clip]

    yield open_one
    for browser in opened.values():
        browser.close()


@pytest.fixture
def camera_page(demo, camera_chromium, open_page):
    """`camera_page(**as open_page)` → a page in a Chromium with a camera."""

    def open_one(url=None, **kwargs):
        return open_page(url or demo.url, browser=camera_chromium(), **kwargs)

    return open_one


@pytest.fixture
def open_page(request):
    """`open_page(url, dark=False, size="wide"|"phone", browser=None, strict=True)` → the loaded Playwright page.

    first: as if nobody had seen the page in this browser before. tab: the one to choose. ready: wait until the page is built. At the end of a strict one: nothing was asked of another machine, and the console holds no error.
    page.asked: the addresses; page.errors: the console's errors. With a test that failed it is printed what its pages said last.
    """
    contexts, pages = [], []

    def open_one(
        url: str,
        dark: bool = False,
        size: str = "wide",
        browser=None,
        strict: bool = True,
        tab: str | None = None,
        ready: bool = True,
        first: bool = False,
    ):
        browser = browser or request.getfixturevalue("chromium")
        context = browser.new_context(viewport=SIZES[size], color_scheme="dark" if dark else "light", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        if not first:
            context.add_init_script("if (origin !== 'null') localStorage.setItem('mer-welcomed', 'yes')")  # a report's frame has none
        contexts.append(context)
        page = context.new_page()
        page.asked, page.errors, page.own = [], [], urlsplit(url).netloc
        page.unanswered = []
        page.on("request", lambda asked: (page.asked.append(asked.url), page.unanswered.append(asked)))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda asked: asked in page.unanswered and page.unanswered.remove(asked))
        page.on("console", lambda word: word.type == "error" and page.errors.append(f"{word.text} {word.location}"))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        pages.append((page, strict))
        page.goto(url)
        if ready:
            page.get_by_role("tab", name="Speed").wait_for()
        if tab:
            page.get_by_role("tab", name=tab).click()
        return page

    yield open_one
    faults = []
    for page, strict in pages:
        print(f"{page.url} said {_said(page)}, console {page.errors}, unanswered {[asked.url for asked in page.unanswered]}")
        if strict:
            faults += [f"left the machine: {url}" for url in outside(page)]
            faults += [f"console: {error}" for error in page.errors if not HARMLESS.search(error)]
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


def _said(page) -> list[str]:
    """Every word to the person that stands on a page, hidden ones too."""
    from playwright.sync_api import Error

    try:
        return page.locator("#rv-said, [role=alert], [role=status]").all_text_contents()
    except Error as error:
        return [str(error)]


def outside(page) -> list[str]:
    """What the page asked of any other machine."""
    return [url for url in page.asked if url.split(":")[0] in ("http", "https", "ws", "wss") and urlsplit(url).netloc != page.own]


@pytest.fixture(scope="session")
def replay_demo(tmp_path_factory):
    """One server for all tests of an open recording: it is worked through once."""
    yield from _served(tmp_path_factory.mktemp("replay"))


@pytest.fixture(scope="session")
def replay_page(replay_demo, chromium):
    """Its page, with the demo clip worked through."""
    from replaying import LONG, dropped

    context = chromium.new_context(viewport=SIZES["wide"], color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(replay_demo.url)
    page.get_by_role("tab", name="Replay").click()
    page.locator(".mr-queue[data-key]").wait_for(state="attached")
    dropped(page, "demo.mp4", DEMO)
    page.locator(".mr-time").wait_for(timeout=LONG)
    yield page
    context.close()


@pytest.fixture
def page(replay_page):
    """The same with the demo clip open, whatever another test has opened."""
    from replaying import shown

    shown(replay_page, "demo.mp4")
    yield replay_page
    chosen = replay_page.locator("[role=tab][aria-selected=true]").all_text_contents()
    print(f"the page, on tab {chosen}, said {_said(replay_page)}")  # with a test that failed


@pytest.fixture
def shot():
    """`shot(page, "live-dark")` saves a PNG for people to look at, into the folder MER_SHOTS where that is set; readme: a WebP, too, for
    realtime/assets/pictures."""
    folder = os.environ.get("MER_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)

    def save(page, name: str, whole: bool = True, readme: bool = False) -> None:
        page.wait_for_timeout(300)  # fonts and transitions
        if folder:
            path = Path(folder) / f"{name}.png"
            page.screenshot(path=str(path), full_page=whole)
            if readme:
                Image.open(path).convert("RGB").save(path.with_suffix(".webp"), quality=80)

    return save


AT_REST = """async () => {  // a colour on its way to another one is neither
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const ends = one => one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity;
  await Promise.all(document.getAnimations().filter(ends).map(one => one.finished.catch(() => null)));
}"""


@pytest.fixture
def axe():
    """`axe(page)` → axe-core's serious findings, a line each; a skip where axe-core is not installed."""
    if not _has("axe_playwright_python"):
        _missing("axe-core is not installed (pip install 'mer-live[test]')")
    import axe_playwright_python

    script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def look(page) -> list[str]:
        page.evaluate(script)
        page.evaluate(AT_REST)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [
            f"{one['impact']}: {one['help']} ({one['id']}): {node['target']} {node.get('failureSummary', '')[:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    return look
