"""Tab 3: what people say of logged events. Its controls and addresses; what they do is in page/review and, on this side, in `actions`."""

from __future__ import annotations

import asyncio
import threading
from html import escape

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from realtime.dashboard.review import downloads
from realtime.dashboard.review.actions import DO, Actions
from realtime.dashboard.server.browser_json import all_plain, read
from realtime.dashboard.server.gradio_inputs import MOST_NAME
from realtime.dashboard.shared import HEAVY, Shared
from realtime.errors import UsageError
from realtime.review.item import MOMENTS, UNITS

FRESH = {"cache-control": "no-store"}


def add_routes(shared: Shared, app: FastAPI) -> None:
    actions, making = Actions(shared), threading.BoundedSemaphore(HEAVY)
    looks = {"look": actions.tell, "pictures": actions.pictures, "training": actions.export, "corrected": actions.corrected}
    heavy = ("training", "corrected")

    def answered(do, text: str | bytes, *more):
        try:
            asked = read(text)
            if not 0 < len(page := str(asked.get("page", ""))) <= MOST_NAME:
                raise UsageError("the page does not say which one it is: reload it")
            for silent in shared.seen(page):
                shared.end_session(silent)
            return JSONResponse(all_plain(do(asked, *more)), headers=FRESH)
        except UsageError as error:
            return PlainTextResponse(f"Refused: {error}\n", 422)

    @app.get("/mer/review/{what}")
    def looked(what: str, asked: str = ""):
        if what not in looks:
            return PlainTextResponse("There is no such thing.\n", 404)
        if what not in heavy:
            return answered(looks[what], asked)
        with making:
            return answered(looks[what], asked)

    @app.post("/mer/review/{what}")
    async def written(what: str, request: Request):
        if what not in DO or what == "look":
            return PlainTextResponse("There is no such thing.\n", 404)
        return await asyncio.to_thread(answered, actions.tell, await request.body(), what)


HEAD = '<link rel="stylesheet" href="/mer/static/review/review.css">'
SCRIPT = "import('/mer/static/review/review.js').then((review) => { review.begin(element); watch('value', () => setTimeout(() => review.begin(element), 0)); })"
LOOK = "<div><dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>choose an event</dd></div><div><dt><kbd>S</kbd></dt><dd>slow motion on or off</dd></div><div><dt><kbd>P</kbd></dt><dd>play what came before and after</dd></div>"
JUDGE = """<div><dt><kbd>A</kbd></dt><dd>accept</dd></div><div><dt><kbd>R</kbd></dt><dd>reject</dd></div>
<div><dt><kbd>1</kbd> … <kbd>9</kbd></dt><dd>set the label</dd></div><div><dt><kbd>U</kbd></dt><dd>undo</dd></div>
<div><dt><kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the onset by a frame</dd></div>
<div><dt><kbd>Ctrl</kbd> or <kbd>Alt</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the apex</dd></div>
<div><dt><kbd>Ctrl</kbd> or <kbd>Alt</kbd> + <kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the offset</dd></div>
<div><dt><kbd>N</kbd></dt><dd>add an event that was missed</dd></div>"""
TRAIN = "<div><dt><kbd>E</kbd></dt><dd>make the training set</dd></div>"
VERDICT = """<div class="rv-judge">
  <button type="button" id="rv-accept" class="mer-button mer-main">Accept (A)</button>
  <button type="button" id="rv-reject" class="mer-button">Reject (R)</button>
  <button type="button" id="rv-undo" class="mer-button">Undo (U)</button>
</div>
<fieldset id="rv-label" class="mer-fields rv-choices"><legend>Label</legend><div></div></fieldset>"""
MISSED = """<div class="mer-fields rv-missed">
  <label>Missed event: its apex, in seconds <input id="rv-missed" type="number" min="0" step="any"></label>
  <button type="button" id="rv-add" class="mer-button">Add it (N)</button>
</div>"""
CORRECTED = (
    "<h3>Take the corrections away</h3>"
    "<p>The session as its reviewers left it: corrected, without what was rejected, with what was added.</p>"
    '<div id="rv-corrected">{menu}</div><div id="rv-ready"></div>'
)
TRAINING = """<h3>Train on the corrections</h3><p>A data set for mer-train with every event that was accepted, corrected or added.</p>
<div class="rv-line">
  <fieldset class="mer-fields rv-choices"><legend>Which</legend><div>
    <label><input type="radio" name="rv-which" value="" checked> This session</label>
    <label><input type="radio" name="rv-which" value="many"> All sessions</label></div></fieldset>
  <fieldset class="mer-fields rv-choices"><legend>Whose reviews</legend><div>
    <label><input type="radio" name="rv-whose" value="" checked> All, where they agree</label>
    <label><input type="radio" name="rv-whose" value="own"> Only mine</label></div></fieldset>
</div>
<label class="rv-tick"><input type="checkbox" id="rv-frames" checked> Put the pictures into it (otherwise it points to the recordings on this machine)</label>
<button type="button" id="rv-export" class="mer-button mer-main">Make training set (E)</button>
<div id="rv-exported"></div>"""
DELETE = """<h3>Delete the session</h3>
<p>Its events, reviews, and what was kept of it go for good. Your own recordings, and files that you saved elsewhere, stay.</p>
<button type="button" id="rv-delete" class="mer-button">Delete this session…</button>
<div id="rv-sure" class="rv-line" hidden>
  <button type="button" id="rv-delete-yes" class="mer-button mer-stop">Delete for good</button>
  <button type="button" id="rv-delete-no" class="mer-button">Keep it</button>
</div>"""


def routes(shared: Shared, app) -> None:
    add_routes(shared, app)


def tab(shared: Shared) -> None:
    whole = gr.HTML(elem_id="rv", js_on_load=SCRIPT, apply_default_css=False, padding=False)

    def arrive(request: gr.Request) -> str:
        return markup(request.session_hash or "", writes=not shared.read_only)

    arrive.__annotations__["request"] = gr.Request  # Gradio looks at the type itself, not at its name
    gr.on(None, arrive, None, whole, show_progress="hidden")


def markup(page: str, writes: bool) -> str:
    """The whole tab.

    Args:
        page: its own name, Gradio's session hash.
        writes: whether anything may be written.
    """
    moments = "".join(map(_moment, MOMENTS))
    return f"""<div class="rv" data-page="{escape(page)}" data-writes="{str(writes).lower()}">
<div class="mer-fields rv-top">
  <div class="rv-wide"><label for="rv-session">Session</label><select id="rv-session"></select></div>
  <div hidden><label for="rv-source">Recording</label><select id="rv-source"></select></div>
  <label>Your name <input id="rv-reviewer" maxlength="80" placeholder="type it to begin" autocomplete="off"></label>
  <label>Participant <input id="rv-person" maxlength="80" autocomplete="off" placeholder="{"name or number" if writes else ""}"{"" if writes else " disabled"}></label>
  <button type="button" id="rv-refresh" class="mer-button">Refresh</button>
</div>
<div class="rv-page">
  <div>
    <div id="rv-events"></div>
    <div class="rv-line">
      <button type="button" id="rv-before" class="mer-button mer-small">Previous event (↑)</button>
      <button type="button" id="rv-after" class="mer-button mer-small">Next event (↓)</button>
    </div>
    <div id="rv-said"></div>
    <div id="rv-progress"></div>
    {MISSED if writes else ""}
    <details id="rv-keyboard" open><summary>Keys</summary><dl class="rv-keys">{LOOK}{JUDGE if writes else ""}{TRAIN}</dl></details>
  </div>
  <div>
    <div id="rv-pictures"></div>
    {VERDICT if writes else ""}
    <div id="rv-around"></div>
    <button type="button" id="rv-slow" class="mer-button mer-small" aria-pressed="true">Slow motion on or off (S)</button>
    {_marks(moments) if writes else ""}
  </div>
</div>
<div class="rv-line rv-cards">
  <section class="rv-card rv-words" aria-label="Take the corrections away">{CORRECTED.format(menu=downloads.menu())}</section>
  <section class="rv-card rv-words" aria-label="Train on the corrections">{TRAINING}</section>
  {f'<section class="rv-card rv-words" aria-label="Delete the session">{DELETE}</section>' if writes else ""}
</div></div>"""


def _marks(moments: str) -> str:
    """Onset, apex and offset, and what else is said of the movement."""
    legend = "".join(f"<div><dt>{number}</dt><dd>{name}</dd></div>" for number, name in UNITS.items())
    return f"""<div class="mer-fields rv-line">{moments}</div>
<div class="mer-fields rv-line">
  <label>Action units <input id="rv-units" data-mark="action_units" maxlength="80" placeholder="like 1+2" autocomplete="off"></label>
  <button type="button" id="rv-units-take" class="mer-button mer-small" title="By a network: no FACS coder has checked it. It is yours once you press this." hidden></button>
  <label>Kind <select id="rv-kind"><option value="micro">micro</option><option value="macro">macro</option></select></label>
  <label>Note <input id="rv-note" data-mark="note" maxlength="1000" autocomplete="off"></label>
</div>
<details class="rv-units"><summary>What the numbers of action units mean</summary><dl>{legend}</dl></details>"""


def _moment(moment: str) -> str:
    title = moment.capitalize()
    return f"""<div><label>{title} (s) <input id="rv-{moment}" data-mark="{MOMENTS[moment]}" type="number" min="0" step="0.001"></label>
<div class="rv-steps"><button type="button" id="rv-{moment}-earlier" class="mer-button mer-small">{title} −1</button>
<button type="button" id="rv-{moment}-later" class="mer-button mer-small">{title} +1</button></div></div>"""
