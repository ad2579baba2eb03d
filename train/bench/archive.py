"""`mer-bench archive`: an archive of short clips on a Ray cluster of one-core nodes of this machine: as fast as it ought to be, and the same files?"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import click

from engines import isolated
from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import BrokenSourceError, MissingPartError, SourceError
from realtime.output.line_file import cannot_write
from realtime.sources.demo import DEMO_CLIP

POISON = "poison.mp4"
SHORTEST, STEP, LENGTHS = 0.8, 0.2, 10  # seconds of the clips, from one to the next, and how many; the longest hold an event
EVENTS = re.compile(rb'"latency_ms": [\d.]+|,[\d.]+(?=\r?\n)')  # how late each was; in a table it is the last column
TRIES = 3  # to start a node
WARM = 4  # the first clips, one of so many, that are not timed: workers are loading


@click.command("archive", cls=common.Command)
@click.option("--clips", default=300, show_default=True, type=click.IntRange(8), help="How many; one more is no film.")
@click.option("--nodes", default=3, show_default=True, type=click.IntRange(2), help="Of the cluster of which one is killed halfway.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the clips and results lie, and stay.  [default: nowhere]")
def archive(clips, nodes, out):
    """mer-replay on made clips: in one process, on one and two nodes of one core each (timed), and on more, of which one is killed.

    Says clips a second of each, and whether all files are the same, but for how late events were. Exit code 1 where they are not."""
    _kind()  # what is not there is said before minutes have gone by
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    lines = ["| run | clips/s | files | differ |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="mer-archive-") as spare:
        place = out or Path(spare)
        try:
            make(place / "clips", clips)
        except OSError as error:
            raise cannot_write(place, error) from error
        wrong = 0
        for name, count, kill in (("here", 0, 0), ("1 node", 1, 0), ("2 nodes", 2, 0), (f"{nodes} nodes, one killed", nodes, clips // 2)):
            with console.status(name), _at(count) as cluster:
                results = place / name.replace(",", "").replace(" ", "-")
                _replay(place / "clips", results, cluster, kill)
            differ = different(place / "here", results)
            wrong += len(differ)
            lines.append(f"| {name} | {pace(results):.2f} | {len(written(results))} | {len(differ)} |")
            for path in sorted(differ)[:5]:
                console.print(f"{name}: {path} differs", style="yellow")
    console.markdown("\n".join(lines))
    return int(bool(wrong))


def make(folder: Path, count: int) -> None:
    """So many beginnings of the demo clip, of several lengths, and one file that is no film."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        cut(DEMO_CLIP, folder / f"clip{number:03d}.mp4", SHORTEST + STEP * (number % LENGTHS))
    (folder / POISON).write_text("This is no film. " * 100)


def cut(clip: str | Path, target: Path, seconds: float) -> Path:
    """The beginning of a clip, encoded as it is."""
    with av.open(str(clip)) as film, av.open(str(target), "w") as out:
        stream = film.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in film.demux(stream):
            if packet.pts is None or round(float(packet.pts * packet.time_base), 3) >= round(seconds, 3):
                break
            packet.stream = copy
            out.mux(packet)
    return target


@contextmanager
def one_core_nodes(count: int) -> Iterator:
    """A Ray cluster of this machine's own, `ray.cluster_utils.Cluster`, that listens on the loopback alone.

    Raises:
        MissingPartError: Ray is not installed.
    """
    from realtime.parallel import cluster

    kind = _kind()
    cluster.stay_here()
    here = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    started = kind()
    try:
        for _ in range(count):
            _start(started, here)
        yield started
    finally:
        started.shutdown()


def _kind():
    try:
        from ray.cluster_utils import Cluster
    except ModuleNotFoundError as error:
        raise MissingPartError("Ray is not installed: pip install 'mer-live[cluster]'") from error
    return Cluster


def _start(cluster, node: dict) -> None:
    """Ray waits for half a minute, and says in no error of a kind of its own that it was not enough: on a busy machine it is tried again."""
    for left in reversed(range(TRIES)):
        try:
            return cluster.add_node(**node)
        except Exception as error:
            if not left:
                raise MissingPartError(f"no node of Ray started ({str(error).splitlines()[0]}): is this machine too busy?") from error


@contextmanager
def _at(count: int) -> Iterator:
    if not count:
        yield None
        return
    with one_core_nodes(count) as started:
        yield started


def kill_one(nodes, results: Path, after: int) -> None:
    """Without a word, once so many clips are done; returns then."""
    while len(list(results.rglob("recording.json"))) < after:
        time.sleep(0.05)
    nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)


def _replay(clips: Path, results: Path, cluster, kill: int) -> None:
    words = [str(clips), "--out", str(results), "--no-log", "--quiet", "--again", "--launcher", "ray" if cluster else "inline"]
    env = os.environ | ({"RAY_ADDRESS": cluster.address} if cluster else {})
    if kill:
        threading.Thread(target=kill_one, args=(cluster, results, kill), daemon=True).start()
    done = subprocess.run(isolated.command("realtime.cli.replay", *words), env=env, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode != SourceError.exit_code:  # that of the file that is no film
        raise BrokenSourceError(f"mer-replay ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}")


def written(results: Path) -> dict[Path, bytes]:
    """path → content, but for how late events were; workbooks say when they were made, and are left out."""
    found = {path.relative_to(results): path.read_bytes() for path in results.rglob("*") if path.is_file() and path.suffix != ".xlsx"}
    return {path: EVENTS.sub(b"", content) if path.name.startswith("events") else content for path, content in found.items()}


def different(one: Path, other: Path) -> set[Path]:
    """What only one has, or the other has otherwise."""
    mine, theirs = written(one), written(other)
    return {path for path in mine.keys() | theirs.keys() if mine.get(path) != theirs.get(path)}


def pace(results: Path) -> float:
    """Clips a second, from when every worker had begun."""
    ends = sorted(path.stat().st_mtime for path in results.rglob("recording.json"))
    first = len(ends) // WARM
    return (len(ends) - 1 - first) / max(ends[-1] - ends[first], 1e-9)
