"""What the tests of tab Live ask of its page."""

import csv
import json
import re
from pathlib import Path

import av
from places import DEMO

TRUTH = Path(DEMO).with_name("demo.csv")
PATIENCE = 60_000  # ms, on a machine that has other things to do


def module(expression: str) -> str:
    """For `page.evaluate`: something that page/live/live.js exports, as "figures()"."""
    return f"async () => {{ const live = await import('/mer/static/live/live.js'); return live.{expression}; }}"


def wait_until(page, expression: str, timeout: int = PATIENCE) -> None:
    """Until it is so, as "figures().frames > 10"; `page.wait_for_function` does not wait for a promise."""
    page.evaluate(
        f"""async () => {{
            const live = await import('/mer/static/live/live.js'), end = performance.now() + {timeout};
            while (!(live.{expression})) {{
                if (performance.now() > end) throw new Error(`not within {timeout} ms: {expression}`);
                await new Promise((go) => setTimeout(go, 50));
            }}
        }}"""
    )


def built(page) -> None:
    status = "document.getElementById('mer-status')?.textContent.startsWith('Loading the page')"
    page.wait_for_function(f"!({status} ?? true)")


def start(page, consent: bool = True) -> None:
    built(page)
    if consent:
        page.get_by_label("Everyone in view").check()
    page.get_by_role("button", name="Start camera").click()


def figures(page) -> dict:
    return page.evaluate(module("figures()"))


def wait_for_frames(page, more: int = 30) -> None:
    wanted = figures(page).get("frames", 0) + more
    wait_until(page, f"figures().frames >= {wanted}")


def says(page, words: str) -> None:
    page.locator("#mer-stage").get_by_text(re.compile(words)).wait_for()


def place(page, name: str) -> dict:
    """Of what has this id, in the window."""
    return page.locator(f"#{name}").evaluate("one => one.getBoundingClientRect().toJSON()")


def state_of(page) -> dict[str, str]:
    """What the three buttons say of themselves."""
    look = "(one) => one.ariaPressed === 'true' ? 'runs' : one.ariaDisabled === 'true' ? 'pale' : 'free'"
    return {name: page.locator(f"#mer-{name}").evaluate(look) for name in ("start", "play", "stop")}


def truth() -> list[dict]:
    with open(TRUTH) as file:
        return [{"label": row["label"], "apex_s": float(row["apex_s"])} for row in csv.DictReader(file)]


def length(clip: Path = DEMO) -> float:
    with av.open(str(clip)) as film:
        stream = film.streams.video[0]
        return float(stream.duration * stream.time_base)


def matched(events: list[dict], phase: float, loop: float) -> dict[float, dict]:
    """Truth's apex → the event that covers it, the camera having been `phase` into the clip at the stream's 0."""
    found = {}
    for event in events:
        for row in truth():
            inside = event["onset_s"] + ((row["apex_s"] - phase - event["onset_s"]) % loop)
            if inside <= event["offset_s"] and event["label"] in (row["label"], "unsure"):
                found[row["apex_s"]] = event
    return found


def best_match(events: list[dict]) -> dict[float, dict]:
    loop = length()
    return max((matched(events, step * 0.05, loop) for step in range(int(loop / 0.05))), key=len)


def listen(page) -> list[dict]:
    """The events as the server sends them, each of which the page must list, too."""
    events: list[dict] = []

    def heard(told):
        if isinstance(told, str) and '"kind": "event"' in told:
            events.append(json.loads(told)["event"])

    page.on("websocket", lambda opened: opened.on("framereceived", heard))
    return events
