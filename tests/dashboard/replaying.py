"""What the tests of tab Replay do on its page."""

import csv
from pathlib import Path

from places import DEMO
from serving import PATIENCE

DROP = "#mer-replay-drop input[type=file]"
TRUTH = list(csv.DictReader((DEMO.parent / "demo.csv").open()))
LONG = 180_000  # ms, for what is worked through


def replay(open_page, url, **more):
    page = open_page(url, tab="Replay", **more)
    page.locator(".mr-queue[data-key]").wait_for(state="attached")
    return page


def data(page) -> dict:
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    return page.evaluate("token => fetch(`/mer/replay/${token}/data`).then(a => a.json())", token)


def frame_of(page) -> int:
    return int(page.locator(".mr-time").get_attribute("aria-valuenow"))


def go_to(page, number: int) -> None:
    """By keys."""
    page.locator(".mr-time").focus()
    page.keyboard.press("Home")
    for key, times in (("Shift+ArrowRight", number // 10), ("ArrowRight", number % 10)):
        for _ in range(times):
            page.keyboard.press(key)
    page.wait_for_function(f"document.querySelector('.mr-stage img').dataset.frame === '{number}'")


def taken_away(page, name):
    """The file behind an entry of the menu."""
    with page.expect_download() as download:
        page.locator(".mr-menu summary").click()
        page.locator(".mr-formats button", has=page.locator(f"b:text-is('{name}')")).click()
    return download.value


def dropped(page, name: str, film: bytes | Path) -> None:
    """One recording, as if a person had dropped it."""
    content = film if isinstance(film, bytes) else film.read_bytes()
    page.locator(DROP).set_input_files([{"name": name, "mimeType": "video/mp4", "buffer": content}])


def shown(page, name: str, timeout: int = PATIENCE) -> None:
    """Opens a recording that is done, where it is not open."""
    if page.locator(".mr h3", has_text=name).count() == 0:
        page.get_by_role("button", name=f"Show {name}", exact=True).click(timeout=timeout)
        page.locator(".mr h3", has_text=name).first.wait_for()
