"""The page as a browser gets it: safe over HTTP, and four tabs that read well in light and dark, wide and on a phone."""

from __future__ import annotations

import http.client
import json
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from realtime.output.log import Session, SqliteSink
from realtime.records import Event

TABS = ("Live", "Replay", "Review", "Speed")
PASSWORD = "correct horse battery"
SOCKET = "/mer/live/ws"


def ask(demo, path, method="GET", body=None, **headers):
    """(status, headers, body) of one request, sent as it stands: no client tidies ".." or the Host away."""
    netloc = urlsplit(demo.url).netloc
    connection = http.client.HTTPConnection(netloc, timeout=90)
    try:
        connection.putrequest(method, path, skip_host="host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        # an accepted WebSocket never ends: its first line is the answer
        return answer.status, dict(answer.getheaders()), b"" if answer.status == 101 else answer.read()
    finally:
        connection.close()


def knock(demo, **headers):
    """The status that a WebSocket's first request gets: 101 where it is let in."""
    handshake = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    return ask(demo, SOCKET, **handshake, **headers)[0]


def own(demo):
    return demo.url.rstrip("/")


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=pyproject.toml",
        "/gradio_api/file=../../../../etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/file=%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/file=realtime/assets/demo.mp4",
        "/gradio_api/file=https://example.org/x",
        "/gradio_api/proxy=https://example.org/x",
        "/mer/static/..%2fguard.py",
        "/mer/static/guard.py",
        "/mer/static/..%2fserver/guard.py",
        "/mer/static/shared/..%2f..%2fserver/guard.py",
        "/mer/download/guess/events.csv",
        "/static/../../../../../../etc/passwd",
        "/assets/../../../../../etc/passwd",
        "/theme.css/../../etc/passwd",
        "/docs",
        "/openapi.json",
        "/monitoring",
        "/gradio_api/deep_link",
    ],
)
def test_no_file_of_this_machine_is_served(demo, path):
    status, _, body = ask(demo, path)
    assert 400 <= status < 500 and b"root:" not in body and b"[project]" not in body


def test_private_files_are_not_served_by_their_path(demo):
    private = next(demo.temp.glob("mer-demo-*"))
    assert private.stat().st_mode & 0o777 == 0o700
    demo.log.write_bytes(b"secret")
    for path in (private / "lock", demo.log):
        assert ask(demo, f"/gradio_api/file={path}")[0] == 403
    demo.log.unlink()


def test_other_names_and_other_sites_are_refused(demo):
    port = urlsplit(demo.url).port
    assert ask(demo, "/config")[0] == 200
    for name in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "", "a@127.0.0.1", "192.168.0.1"):
        assert ask(demo, "/config", host=name)[0] == 403, name
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{port + 1}", f"http://localhost:{port}"):
        assert ask(demo, "/gradio_api/queue/join", "POST", b"{}", origin=origin)[0] == 403, origin
        assert knock(demo, origin=origin) == 403, origin
    assert ask(demo, "/gradio_api/upload", "POST", b"", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")[0] == 403
    assert ask(demo, "/config", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")[0] == 403
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert ask(demo, "/", sec_fetch_dest="document", **link)[0] == 200
    assert ask(demo, "/", sec_fetch_dest="iframe", **link)[0] == 403
    assert knock(demo, origin=own(demo)) == 101


def test_the_page_forbids_the_browser_to_leave(demo):
    _, headers, _ = ask(demo, "/")
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "http://" not in policy
    assert headers["x-content-type-options"] == "nosniff" and "access-control-allow-origin" not in headers


def test_password_read_only_and_upload_limit(start_demo, open_page, shot):
    demo = start_demo("--read-only", "limits.upload_gb=1e-6", env={"MER_DEMO_PASSWORD": PASSWORD})
    status, headers, _ = ask(demo, "/")
    assert (status, headers["location"]) == (303, "/mer/login")
    assert {ask(demo, path)[0] for path in ("/config", "/mer/static/shared/page.css", "/gradio_api/info")} == {401}
    assert knock(demo, origin=own(demo)) == 403
    form = {"content_type": "application/x-www-form-urlencoded", "origin": own(demo)}
    assert ask(demo, "/mer/login", "POST", urlencode({"password": "wrong"}).encode(), **form)[0] == 401
    assert ask(demo, "/mer/login", "POST", urlencode({"password": PASSWORD}).encode(), **form)[0] == 429  # one a second
    assert ask(demo, "/config", cookie="mer_demo=guess")[0] == 401

    page = open_page(demo.url, ready=False)
    page.wait_for_timeout(1000)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("tab", name="Speed").click()
    assert page.get_by_text("Read only").is_visible()
    assert page.get_by_role("rowheader", name="kernel_ridge").is_visible()
    assert page.get_by_role("button", name="Build").count() == 0
    shot(page, "read-only")
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    assert page.context.cookies()[0]["httpOnly"] and page.context.cookies()[0]["sameSite"] == "Strict"
    assert ask(demo, "/config", cookie=cookie)[0] == 200
    for method, what in (("POST", "judge"), ("POST", "anything"), ("PUT", "judge"), ("DELETE", "look"), ("PATCH", "undo")):
        assert ask(demo, f"/mer/review/{what}", method, b"{}", cookie=cookie, origin=own(demo))[0] == 403
    assert knock(demo, origin=own(demo), cookie=cookie) == 101
    assert knock(demo, origin="http://evil.example", cookie=cookie) == 403
    body, form = _upload("big.mp4", b"x" * 5000, cookie=cookie)
    assert ask(demo, "/gradio_api/upload", "POST", body, **form)[0] == 413
    assert PASSWORD not in "\n".join(demo.lines)


def test_uploads_keep_no_path_and_the_end_empties_all(start_demo):
    demo = start_demo(forked=False)
    private = next(demo.temp.glob("mer-demo-*"))
    for name in ("../../../escaped.mp4", "/tmp/escaped.mp4", "..\\escaped.mp4", "<img src=x>.mp4"):
        body, headers = _upload(name, b"not a film")
        status, _, answer = ask(demo, "/gradio_api/upload", "POST", body, **headers)
        if status == 200:
            assert Path(json.loads(answer)[0]).resolve().is_relative_to(private / "gradio")
    assert not list(demo.temp.parent.glob("escaped*")) and not list(demo.temp.glob("escaped*"))
    assert demo.stop(signal.SIGTERM) == 143
    assert list(demo.temp.iterdir()) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_four_tabs(demo, open_page, shot, axe, dark, size):
    page = open_page(demo.url, dark=dark, size=size)
    assert page.get_by_role("tab").all_inner_texts() == list(TABS)
    assert "no proof of a feeling" in page.get_by_role("note").inner_text()
    faults = []
    for name in TABS:
        page.get_by_role("tab", name=name).click()
        shot(page, f"{name.lower()}-{'dark' if dark else 'light'}-{size}")
        if size == "wide":  # the same parts in the same colours as on a phone
            faults += [f"{name}: {fault}" for fault in axe(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{name}: the page is wider than the screen")
    if size == "phone":  # how good a network is must not be out of sight
        table = page.locator("#mer-speed .mer-scroll")
        assert table.evaluate("one => one.scrollWidth <= one.clientWidth") and axe(page) == []
        assert page.get_by_role("rowheader", name="kernel_ridge").is_visible() and page.get_by_role("cell", name="0.7").first.is_visible()
    assert not faults, "\n".join(faults)


def test_nothing_but_the_address_is_printed(start_demo, open_page):
    """A tour of all tabs, on an empty log and on one with a session that goes away: no warning, no traceback, nor at the
    end, with the page still open."""
    demo = start_demo(env={"PYTHONWARNINGS": "always::UserWarning"}, forked=False)
    page = open_page(demo.url, strict=False)  # at the end the server goes away

    def tour(said):
        from playwright.sync_api import expect

        for name in (*TABS, "Review"):
            page.get_by_role("tab", name=name).click()
            settled(page)
        page.get_by_label("Your name").fill("Ann")
        page.get_by_label("Your name").press("Escape")
        for key in ("ArrowDown", "a", "u", "r", "s", "n", "Escape"):
            page.keyboard.press(key)
        expect(page.locator("#rv-said")).to_contain_text(said)  # a failure shows what was said instead

    tour("Choose an event first")
    sink = SqliteSink(Session("kernel_ridge", ["camera 0", "camera 1"], {}), demo.log)
    sink.open()
    sink.write(Event(1, "camera 1", 0, 1.0, 1.1, 1.3, "surprise", {"surprise": 0.9, "negative": 0.1}, "kernel_ridge", 40.0))
    sink.close()
    tour("Rejected: event 1")
    page.get_by_role("button", name="Delete this session").click()
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_text("are deleted").wait_for()
    tour("Choose an event first")
    settled(page)
    assert not page.errors
    assert demo.stop(signal.SIGINT) == 0
    assert demo.lines == [f"mer-demo: {demo.url}; Ctrl-C ends it"]


def settled(page) -> None:
    """Waits until every press has been answered, the one of just now too."""
    page.wait_for_timeout(150)
    while any("/run/" in asked.url or "/queue/join" in asked.url for asked in page.unanswered):
        page.wait_for_timeout(50)


def test_presses_that_come_fast_do_not_go_over_the_queue(demo, open_page):
    """Gradio's queue forgets what is pressed while it closes its stream of answers."""
    asked = open_page(demo.url).evaluate("gradio_config.dependencies")
    fast = [one for one in asked if one["trigger_mode"] == "multiple" and one["connection"] != "stream"]
    assert fast and not any(one["queue"] for one in fast)
    # left to it: the plain camera, uploads, the comparison, and downloads that take long
    events = {event for one in asked if one["queue"] for _, event in one["targets"]}
    assert events == {"stream", "upload", "input", "submit", "select"}


def test_a_press_that_failed_says_so(demo, open_page, shot):
    page = open_page(demo.url, tab="Review", strict=False)
    for route, tab, button in (("**/mer/review/*", "Review", "Refresh"), ("**/run/predict", "Speed", "Measure this machine")):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(500)
        page.route(route, lambda route: route.fulfill(status=500, json={"error": None}))
        page.get_by_role("button", name=button).click()
        page.get_by_role("alert").get_by_text("the terminal of mer-demo says why").wait_for()
        shot(page, f"failed-{tab.lower()}")
        page.keyboard.press("Escape")
        page.get_by_role("alert").wait_for(state="hidden")
    page.unroute_all(behavior="wait")


def test_tabs_by_keyboard(demo, open_page):
    from playwright.sync_api import TimeoutError as NotYet

    page = open_page(demo.url)
    replay = page.locator('#mer-replay-button[aria-selected="true"]:focus')
    for _ in range(10):
        page.get_by_role("tab", name="Live").focus()
        page.keyboard.press("ArrowRight")
        with suppress(NotYet):  # while Gradio still builds the page, the focus may be lost again
            replay.wait_for(timeout=3000)
            break
    replay.wait_for()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.locator('#mer-speed-button[aria-selected="true"]:focus').wait_for()


def test_engines_run_stop_and_are_seen_from_another_page(demo, open_page):
    page = open_page(demo.url, tab="Speed")
    page.get_by_role("button", name="Measure this machine").click()
    page.get_by_text("Measuring this machine…").wait_for()
    assert page.get_by_role("button", name="Measure networks").is_disabled()
    other = open_page(demo.url, tab="Speed")
    other.get_by_text("Measuring this machine…").wait_for()
    other.get_by_role("button", name="Stop", exact=True).locator("visible=true").click()
    for one in (page, other):
        one.get_by_text("Measuring this machine: stopped").wait_for()
        one.get_by_role("button", name="Measure networks").and_(one.locator(":enabled")).wait_for()


def _upload(name, content, **headers):
    body = (
        b'--mark\r\ncontent-disposition: form-data; name="files"; filename="' + name.encode() + b'"\r\n'
        b"content-type: video/mp4\r\n\r\n" + content + b"\r\n--mark--\r\n"
    )
    return body, {"content_type": "multipart/form-data; boundary=mark", **headers}
