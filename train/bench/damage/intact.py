"""What is damaged: one small whole example of everything that people hand to the commands, and the command that reads it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.random import Generator
from omegaconf import OmegaConf

from engines.zoo import ZOO
from realtime.settings import load
from realtime.sources.demo import DEMO_CLIP
from realtime.watching import LiveSettings
from train.bench.damage.hurt import ANY, FILM, TEXT, WORDS, hurt, reworded

SECONDS = (1.0, 2.6)  # of the demo clip: the face at rest, then the first event
CONTAINERS = {  # ending → (codec, pixel format)
    "mp4": ("libx264", "yuv420p"),
    "mov": ("mjpeg", "yuvj420p"),
    "mkv": ("libx264", "yuv420p"),
    "webm": ("libvpx", "yuv420p"),
    "avi": ("mjpeg", "yuvj420p"),
    "ts": ("mpeg2video", "yuv420p"),
    "mpg": ("mpeg2video", "yuv420p"),
    "flv": ("flv", "yuv420p"),
    "h264": ("libx264", "yuv420p"),
    "gif": ("gif", "rgb8"),
}
REPLAY = ("mer-replay", "--out", "results", "--no-log", "--quiet")


@dataclass(frozen=True)
class Case:
    """One damaged thing, and what reads it.

    Attributes:
        kind: of KINDS.
        what: "avi, flipped".
        files: written into an empty folder that the command is started in.
        command: its name and words.
        fine: the exit codes that are right.
    """

    kind: str
    what: str
    files: dict[str, bytes]
    command: Sequence[str]
    fine: frozenset[int]


@dataclass
class Intact:
    """Everything whole, made once: name → bytes, and the stream's settings: name → value."""

    films: dict[str, bytes]
    log: bytes
    tables: dict[str, bytes]
    settings: dict[str, object]
    model: tuple[bytes, bytes] = field(default_factory=lambda: ((ZOO / "sa_at.onnx").read_bytes(), (ZOO / "sa_at.json").read_bytes()))


def shown() -> list[av.VideoFrame]:
    """SECONDS of the demo clip, at 25 frames/s."""
    found = []
    with av.open(DEMO_CLIP) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if frame.time >= SECONDS[1]:
                break
            if frame.time >= SECONDS[0] and number % 2 == 0:
                found.append(frame)
    return found


def film(path: Path, frames: list[av.VideoFrame], codec: str, pixels: str) -> bytes:
    """The pictures as a film of 320×240."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream(codec, rate=25, bit_rate=1_000_000)
        stream.width, stream.height, stream.pix_fmt = 320, 240, pixels
        for number, one in enumerate(frames):
            frame = one.reformat(320, 240, pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path.read_bytes()


def whole(folder: Path, run: Callable[[Sequence[str], Path], int]) -> Intact:
    """Makes everything in `folder`.

    Args:
        run: runs a command in a folder, with the log in it; returns its exit code.
    """
    frames = shown()
    films = {ending: film(folder / f"film.{ending}", frames, *how) for ending, how in CONTAINERS.items()}
    shutil.copy(DEMO_CLIP, folder / "demo.mp4")
    if run(("mer-replay", "demo.mp4", "--out", "found", "--export", "elan,textgrid,csv", "--quiet"), folder) != 0:
        raise RuntimeError("the whole demo clip is not replayed")
    made = {path.suffix: path for path in sorted((folder / "found" / "demo").iterdir())}
    tables = {f"coder{ending}": made[ending].read_bytes() for ending in (".eaf", ".TextGrid", ".csv")}
    marks = [[2.0, "face", "AU1+2", "", ""], [2.4, "face", "AU1+2", "", ""], [5.25, "face", "AU12", "", ""], [5.5, "face", "AU12", "", ""]]
    states = {str(number): {"type": "State event", "code": code} for number, code in enumerate(("AU1+2", "AU12"))}
    tables["coder.boris"] = json.dumps({"behaviors_conf": states, "observations": {"one": {"events": marks}}}, indent=1).encode()
    (folder / "coder.csv").write_bytes(tables["coder.csv"])
    if run(("mer-log", "import", "coder.csv", "--reviewer", "Ada"), folder) != 0:
        raise RuntimeError("what a coder marked is not taken in")
    with sqlite3.connect(folder / "events.sqlite3") as log:
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        log.execute("PRAGMA journal_mode = DELETE")
    rows = [f"film.mp4,p{n % 3},{0.2 * n},{0.2 * n + 0.1},{0.2 * n + 0.3},{label}" for n, label in enumerate(("positive", "negative", "surprise"))]
    tables["set.csv"] = "\n".join(["path,subject,onset,apex,offset,label", *rows, ""]).encode()
    return Intact(films, (folder / "events.sqlite3").read_bytes(), tables, known_settings())


def media(one: Intact, random: Generator) -> Case:
    ending = str(random.choice(list(one.films)))
    data, way = hurt(one.films[ending], FILM, random)
    return Case("media", f"{ending}, {way}", {f"film.{ending}": data}, (*REPLAY, f"film.{ending}"), frozenset({0, 3, 4}))


def models(one: Intact, random: Generator) -> Case:
    """Half of them have the right checksum for what they are, as if somebody had exported them so."""
    data, way = hurt(one.model[0], ANY, random)
    manifest = one.model[1]
    if known := random.random() < 0.5:
        said = json.loads(manifest) | {"sha256": hashlib.sha256(data).hexdigest()}
        manifest = json.dumps(said).encode()
    return _network("models", f"{way}{', checksum right' if known else ''}", one, data, manifest)


def manifests(one: Intact, random: Generator) -> Case:
    data, way = hurt(one.model[1], TEXT, random)
    return _network("manifests", way, one, one.model[0], data)


def _network(kind: str, what: str, one: Intact, model: bytes, manifest: bytes) -> Case:
    files = {"net.onnx": model, "net.json": manifest, "film.avi": one.films["avi"]}
    return Case(kind, what, files, (*REPLAY, "film.avi", "--model", "net.onnx", "--engine", "cpu"), frozenset({0, 5}))


def logs(one: Intact, random: Generator) -> Case:
    """Half of them are whole as SQLite sees it and hold something else than the program writes."""
    command = [("mer-log", "list"), ("mer-log", "show"), ("mer-log", "export", "all.csv"), ("mer-log", "export", "one.eaf"), ("mer-log", "compare")]
    words = command[random.integers(len(command))]
    if random.random() < 0.5:
        data, way = hurt(one.log, ANY, random)
    else:
        data, way = _other_value(one.log, random)
    return Case("logs", f"{way}: {' '.join(words[:2])}", {"events.sqlite3": data}, words, frozenset({0, 2, 6}))


def _other_value(log: bytes, random: Generator) -> tuple[bytes, str]:
    with sqlite3.connect(":memory:", isolation_level=None) as base:
        base.deserialize(log)
        table = str(random.choice(["sessions", "events", "reviews"]))
        columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
        column, value = str(random.choice(columns)), WORDS[random.integers(len(WORDS))]
        base.execute("PRAGMA ignore_check_constraints = 1")
        base.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value.encode("utf-8", "surrogatepass"),))
        return base.serialize(), f"{table}.{column} is {value[:12]!r}"


def settings(one: Intact, random: Generator) -> Case:
    chosen = [f"{name}={json.dumps(one.settings[name])}" for name in random.choice(list(one.settings), random.integers(1, 4), replace=False)]
    text = reworded("\n".join(chosen).encode(), random).decode("utf-8", "replace")
    words = [word.replace("\0", "")[:4000] for word in text.split("\n") if "=" in word]
    return Case(
        "settings", " ".join(word[:40] for word in words), {"film.avi": one.films["avi"]}, (*REPLAY, "film.avi", *words), frozenset({0, 2, 3, 5})
    )


def known_settings() -> dict[str, object]:
    """spotter.sensitivity → 8.0, and so on."""
    found: dict[str, object] = {}

    def walk(group: dict, before: str) -> None:
        for name, value in group.items():
            if isinstance(value, dict):
                walk(value, f"{before}{name}.")
            else:
                found[before + name] = value

    walk(OmegaConf.to_container(load("live", [], LiveSettings)), "")
    return found


def tables(one: Intact, random: Generator) -> Case:
    name = str(random.choice(list(one.tables)))
    data, way = hurt(one.tables[name], TEXT, random)
    if name == "set.csv":
        words: tuple[str, ...] = ("mer-train", "prepare", "data=generic", "data.root=set.csv", "data.cache=prepared", "workers=1")
        return Case("tables", f"{name}, {way}", {name: data, "film.mp4": one.films["mp4"]}, words, frozenset({0, 2, 3}))
    tier = () if name.endswith((".csv", ".boris")) else ("--tier", "micro-expression")
    words = ("mer-log", "import", name, "--reviewer", "Ada", *tier)
    return Case("tables", f"{name}, {way}", {name: data, "events.sqlite3": one.log}, words, frozenset({0, 2}))


KINDS: dict[str, Callable[[Intact, Generator], Case]] = {
    "media": media,
    "models": models,
    "manifests": manifests,
    "logs": logs,
    "settings": settings,
    "tables": tables,
}


def case(one: Intact, kind: str, seed: int, number: int) -> Case:
    """The same for the same three."""
    return KINDS[kind](one, np.random.default_rng((seed, list(KINDS).index(kind), number)))
