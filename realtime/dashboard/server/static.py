"""Files that the page loads, and exports that it offers; each by name, never by path."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from realtime.dashboard.shared import Shared

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def routes(shared: Shared, app) -> None:
    """/mer/static/NAME: the scripts and styles in the folders of page/, plotly.min.js. /mer/download/TOKEN/NAME: `Shared.offer`."""
    from fastapi import HTTPException
    from fastapi.responses import FileResponse

    page = Path(str(files("realtime.dashboard").joinpath("page")))

    @app.get("/mer/static/{name}")
    def static(name: str):
        known = {path.name: path for path in page.rglob("*") if path.suffix in KINDS}
        path = plotly() if name == "plotly.min.js" else known.get(name)
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type=KINDS[path.suffix], headers={"cache-control": "no-cache"})

    @app.get("/mer/download/{token}/{name}")
    def download(token: str, name: str):
        path = shared.offered(token)
        if path is None or path.name != name:
            raise HTTPException(404, "this download is over: make the export again")
        return FileResponse(path, filename=path.name, media_type="application/octet-stream", headers={"cache-control": "no-store"})


def plotly() -> Path:
    """The script of the Python package's own plotly.js, so that none has to be fetched."""
    return Path(str(files("plotly").joinpath("package_data/plotly.min.js")))
