"""What the timeline asks for: the queue, a recording's curve and events, single frames, faces, pictures of an event.

Every address holds a token that cannot be guessed and that ends with its page.
"""

from __future__ import annotations

import math
import threading

from realtime.dashboard.live.readings import GATES, LEARNING
from realtime.dashboard.pictures import event as pictures
from realtime.dashboard.pictures.network import unsure_below, where_it_looked
from realtime.dashboard.replay.coders import lanes
from realtime.dashboard.replay.downloads import SLOW, menu
from realtime.dashboard.replay.queue import Queue
from realtime.dashboard.replay.queued_recording import BLOCK, NUMBERS, Job
from realtime.dashboard.shared import Shared
from realtime.errors import MerError
from realtime.judged import GATES as CAUSES
from realtime.judged import MEANING, NOTABLE_S, causes
from realtime.output.frame_table import CURVES, GROUPS, MEANINGS, UNITS
from realtime.output.styling import colour
from realtime.records import UNSURE

STILL = {"cache-control": "private, max-age=3600"}  # a token's pictures never change
LOOKING = 8  # that wait for where the network looked, which takes seconds: each holds one of the server's threads
MOST_LANES = 12  # columns of the frames' measures that are asked for at once
FACTORS = (1.0, 20.0)  # of amplification


def add_routes(shared: Shared, app, queue: Queue) -> None:
    from fastapi import HTTPException
    from fastapi.responses import FileResponse, JSONResponse, Response

    # one picture at a time: a page that asks for all at once must not take every core
    drawing, looking, reading = threading.Lock(), threading.Lock(), threading.Lock()
    waiting = threading.BoundedSemaphore(LOOKING)

    def shown(token: str) -> Job:
        job = queue.job(token)
        if job is None or not job.shown:
            raise HTTPException(404)
        return job

    @app.get("/mer/replay/queue/{key}")
    def listed(key: str):
        if not queue.owners.seen(key):
            raise HTTPException(404)
        return JSONResponse([_row(job) for job in queue.of(key)], headers={"cache-control": "no-store"})

    @app.get("/mer/replay/{token}/data")
    def data(token: str):
        return JSONResponse(_data(shown(token)), headers={"cache-control": "no-store"})

    @app.get("/mer/replay/{token}/frame/{number}.jpg")
    def frame(token: str, number: int):
        try:
            picture = shown(token).copy.frame(number)
        except (IndexError, MerError) as error:
            raise HTTPException(404) from error
        return Response(pictures.as_jpeg(picture[..., ::-1]), media_type="image/jpeg", headers=STILL)

    @app.get("/mer/replay/{token}/sound")
    def sound(token: str):
        path = shown(token).sound
        if path is None or not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type="audio/mp4", headers=STILL)

    @app.get("/mer/replay/{token}/faces/{number}")
    def faces(token: str, number: int):
        try:
            rows = shown(token).faces.block(number)
        except IndexError as error:
            raise HTTPException(404) from error
        return Response(rows, media_type="application/octet-stream", headers=STILL)

    @app.get("/mer/replay/{token}/measures/{names}")
    def measures(token: str, names: str):
        job, wanted = shown(token), names.split(",")
        if not job.measured or not all(name in CURVES for name in wanted):
            raise HTTPException(404)
        try:
            with reading:
                rows = job.measures(wanted[:MOST_LANES])
        except OSError as error:
            raise HTTPException(404) from error
        return Response(rows.astype("<f4").tobytes(), media_type="application/octet-stream", headers=STILL)

    @app.get("/mer/replay/{token}/event/{number}/{what}")
    def event(token: str, number: int, what: str, factor: float = 8.0):
        job = shown(token)
        if not math.isfinite(factor):
            raise HTTPException(422)
        try:
            keyframes = job.keyframes(number)
            if what == "looked.jpg":  # by its own process, or many calls of the network: it must not hold up the others
                if not waiting.acquire(blocking=False):
                    raise HTTPException(503, "too many of these are being made: ask again in a moment")
                try:
                    with looking:
                        return Response(_looked(job, number, keyframes, shared), media_type="image/jpeg", headers=STILL)
                finally:
                    waiting.release()
            with drawing:
                kind, content = _drawn(keyframes, what, min(max(factor, FACTORS[0]), FACTORS[1]))
        except (KeyError, OSError, MerError) as error:  # OSError: the page has gone meanwhile, and its folder with it
            raise HTTPException(404) from error
        return Response(content, media_type=kind, headers=STILL)


def _looked(job: Job, number: int, keyframes, shared: Shared) -> bytes:
    """Made once: it takes seconds where PyTorch has to start."""
    file = job.folder / f"looked-{number}.jpg"
    if not file.exists():
        file.write_bytes(pictures.as_jpeg(where_it_looked(keyframes, shared.recognizer(job.model, job.engine))))
    return file.read_bytes()


def _drawn(keyframes, what: str, factor: float) -> tuple[str, bytes]:
    """(media type, picture). Raises KeyError for an unknown one."""
    if what in ("onset.jpg", "apex.jpg"):
        return "image/jpeg", pictures.as_jpeg(pictures.thumbnails(keyframes)[what == "apex.jpg"])
    if what == "motion.webp":
        return "image/webp", pictures.as_webp(pictures.magnified(keyframes, factor))
    draw = {"flow.jpg": pictures.flow_wheel, "strain.jpg": pictures.strain}[what]
    return "image/jpeg", pictures.as_jpeg(draw(keyframes), 92)


def _row(job: Job) -> dict:
    return {
        "token": job.token,
        "name": job.name,
        "seconds": job.seconds,
        "state": job.state,
        "progress": round(job.progress, 3),
        "left": job.left,
        "message": job.message,
        "shown": job.shown,
        "events": len(job.found.events) if job.found else 0,
        "judged": _judged(job),
    }


def _judged(job: Job) -> dict | None:
    """share in [0, 1]; why: the causes of the rest, "no face 2.1 s", the longest first; help: what can be done about that one."""
    if job.judged is None or not job.judged.seconds:
        return None
    why = job.judged.why()
    worst = MEANING[next(iter(why))] if why else ""
    return {"share": job.judged.share, "why": causes(why, NOTABLE_S), "help": worst}


def _data(job: Job) -> dict:
    trace, found = job.found.trace, job.found
    labels = dict.fromkeys([*found.classes, *(event.label for event in found.events), UNSURE])
    return {
        "name": job.name,
        "state": job.state,
        "model": found.model,
        "sensitivity": job.sensitivity,
        "classes": list(found.classes),
        "judged": _judged(job),
        "sound": job.sound is not None,
        "unsure": unsure_below(found.model),
        "width": job.copy.width,
        "height": job.copy.height,
        "times": [round(float(t), 4) for t in job.copy.times],
        "difference": _plain(trace.difference),
        "threshold": _plain(trace.threshold),
        "spans": [(round(start, 4), round(end, 4), kind) for start, end, kind in trace.spans],
        "causes": CAUSES,  # of the spans, as every table names them
        "words": GATES | {"learning": LEARNING.partition(":")[0]},  # "hold still" is of no use to a recording
        "faces": {"block": BLOCK, "numbers": NUMBERS},
        "colours": {label: [colour(label), colour(label, dark=True)] for label in labels},
        "events": [event.as_dict() for event in found.events],
        "menu": [(kind, *words, kind in SLOW) for kind, words in menu(job).items()],
        "measures": _measures() if job.measured else [],
        "most_lanes": MOST_LANES,
        "coders": lanes(job),
    }


def _measures() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """[(group, [(column of frames.csv, unit, meaning), …]), …]"""
    return [(group, [(name, UNITS.get(name, ""), MEANINGS[name]) for name in names]) for group, names in GROUPS.items()]


def _plain(values) -> list[float | None]:
    return [round(float(value), 3) if math.isfinite(value) else None for value in values]
