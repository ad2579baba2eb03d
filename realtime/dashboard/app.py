"""The page: four tabs in one Gradio app, mounted on a FastAPI app together with the tabs' own routes."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.resources import files
from pathlib import Path

from realtime.dashboard.shared import MOST_PAGES, Shared
from realtime.output.exports import CARE

TABS = {
    "Live": "realtime.dashboard.live.tab",
    "Replay": "realtime.dashboard.replay.tab",
    "Review": "realtime.dashboard.review.tab",
    "Speed": "realtime.dashboard.speed",
}
TITLE = "mer-live"
MOST_PIXELS = 8_000_000  # of a picture; Pillow refuses twice as many
MOST_QUEUED = 64  # presses that wait in Gradio's queue
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}  # what the page loads
SENTENCE = "Finds brief, involuntary movements of a face, marks when they begin, peak and end, and names them."


def build(shared: Shared, host: str = "127.0.0.1", password: str | None = None):
    """The FastAPI app. `shared.temp` becomes the only folder that Gradio keeps files in."""
    shared.uploads.folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = os.environ["GRADIO_EXAMPLES_CACHE"] = str(shared.uploads.folder)

    import gradio as gr
    from fastapi import FastAPI
    from PIL import Image
    from starlette.middleware import Middleware

    from realtime.dashboard import guidance
    from realtime.dashboard.server import languages, theme
    from realtime.dashboard.server.gradio_inputs import Page
    from realtime.dashboard.server.guard import Guard
    from realtime.dashboard.server.requests import Bodies

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Gradio opens the pictures of its camera in this process
    tabs = {name: import_module(module) for name, module in TABS.items()}
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)  # its pages load scripts from elsewhere
    _files(shared, app)
    for module in tabs.values():
        if hasattr(module, "routes"):
            module.routes(shared, app)
    with Page(shared.uploads.find, title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(theme.header(TITLE, SENTENCE, CARE, shared.read_only), padding=False)
        gr.HTML(guidance.welcome() + guidance.keys(shared.read_only), padding=False, apply_default_css=False)
        with gr.Tabs(elem_id="mer-tabs"):
            for name, module in tabs.items():
                with gr.Tab(name, id=name.lower(), elem_id=f"mer-{name.lower()}"):
                    module.tab(shared)
        page.unload(_leave(shared))
    _answer_directly(page)
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
        i18n=languages.i18n(),
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        show_error=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    gradio = app.routes[-1].app
    gradio.user_middleware.append(Middleware(languages.First))
    shared.at_end(gradio.stop_event.set)  # Gradio's own: it ends the sign of life that each page listens to
    return app


def _files(shared: Shared, app) -> None:
    """/mer/static/FOLDER/NAME: the scripts and styles of page/; /mer/static/plotly.min.js. /mer/download/TOKEN/NAME: `Shared.offer`."""
    from fastapi import HTTPException
    from fastapi.responses import FileResponse

    page = Path(str(files("realtime.dashboard").joinpath("page")))

    @app.get("/mer/static/{name:path}")
    def static(name: str):
        known = {path.relative_to(page).as_posix(): path for path in page.rglob("*") if path.suffix in KINDS}
        path = _plotly() if name == "plotly.min.js" else known.get(name)
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type=KINDS[path.suffix], headers={"cache-control": "no-cache"})

    @app.get("/mer/download/{token}/{name}")
    def download(token: str, name: str):
        path = shared.offered(token)
        if path is None or path.name != name:
            raise HTTPException(404, "this download is over: make the export again")
        return FileResponse(path, filename=path.name, media_type="application/octet-stream", headers={"cache-control": "no-store"})


def _plotly() -> Path:
    """The script of the Python package's own plotly.js, so that none has to be fetched."""
    return Path(str(files("plotly").joinpath("package_data/plotly.min.js")))


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
