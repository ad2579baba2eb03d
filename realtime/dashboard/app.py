"""The page: four tabs in one Gradio app, mounted on a FastAPI app together with the tabs' own routes."""

from __future__ import annotations

import os
from importlib import import_module

from realtime.dashboard.shared import MOST_PAGES, Shared
from realtime.output.exports import CARE

TABS = {"Live": "live.tab", "Replay": "replay.tab", "Review": "review.tab", "Speed": "engines.tab"}
TITLE = "mer-live"
MOST_PIXELS = 8_000_000  # of a picture; Pillow refuses twice as many
MOST_QUEUED = 64  # presses that wait in Gradio's queue
SENTENCE = "Finds brief, involuntary movements of a face, marks when they begin, peak and end, and names them."


def build(shared: Shared, host: str = "127.0.0.1", password: str | None = None):
    """The FastAPI app. `shared.temp` becomes the only folder that Gradio keeps files in."""
    shared.uploads.folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = os.environ["GRADIO_EXAMPLES_CACHE"] = str(shared.uploads.folder)

    import gradio as gr
    from fastapi import FastAPI
    from PIL import Image

    from realtime.dashboard.server import static, theme
    from realtime.dashboard.server.gradio_inputs import Page
    from realtime.dashboard.server.guard import Guard
    from realtime.dashboard.server.presses import Presses
    from realtime.dashboard.server.request_bodies import Bodies

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Gradio opens the pictures of its camera in this process
    tabs = {name: import_module(f"realtime.dashboard.{module}") for name, module in TABS.items()}
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)  # its pages load scripts from elsewhere
    static.routes(shared, app)
    for module in tabs.values():
        if hasattr(module, "routes"):
            module.routes(shared, app)
    with Page(shared.uploads.find, title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(theme.header(TITLE, SENTENCE, CARE, shared.read_only), padding=False)
        with gr.Tabs(elem_id="mer-tabs"):
            for name, module in tabs.items():
                with gr.Tab(name, id=name.lower(), elem_id=f"mer-{name.lower()}"):
                    module.tab(shared)
        page.unload(_leave(shared))
    _answer_directly(page)
    app.add_middleware(Presses)
    app.add_middleware(Bodies, page=page, shared=shared)
    app.add_middleware(Guard, host=host, password=password, read_only=shared.read_only)  # the last is the first to be asked
    page.queue(api_open=False, default_concurrency_limit=8, max_size=MOST_QUEUED)
    page.state_session_capacity = MOST_PAGES
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=theme.theme(),
        head=theme.HEAD + "".join(getattr(module, "HEAD", "") for module in tabs.values()),
        allowed_paths=[],
        max_file_size=int(shared.settings.limits.upload_gb * 1e9),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        show_error=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    shared.at_end(app.routes[-1].app.stop_event.set)  # Gradio's own: it ends the sign of life that each page listens to
    return app


def _answer_directly(page) -> None:
    """Each press by the request that asks, and not over Gradio's queue: that closes its stream of answers whenever nothing
    is under way, and forgets what is pressed just then. Left to it is what answers more than once, and what takes long.
    """
    for answer in page.fns.values():
        heavy = isinstance(answer.concurrency_limit, int)
        answer.queue = heavy or answer.types_generator or answer.connection == "stream"


def _leave(shared: Shared):
    import gradio as gr

    def leave(request: gr.Request):
        if request is not None and request.session_hash:
            shared.end_session(request.session_hash)

    leave.__annotations__["request"] = gr.Request  # Gradio looks at the type itself, not at its name
    return leave
