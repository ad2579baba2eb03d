"""`mer-live`: cameras, streams or files, watched while they run."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from omegaconf import OmegaConf

from engines.errors import on_notice
from engines.runtime import ENGINES
from realtime import heap, settings
from realtime.cli import baseline as baselines
from realtime.cli import check as checking
from realtime.cli import common, terminal
from realtime.cli.beside import Frames
from realtime.cli.common import signals
from realtime.cli.console import Output, console_on
from realtime.cli.record import RECORDINGS, Recording, place
from realtime.cli.running import Shown, exit_code, follow, log_session, policy, totals
from realtime.errors import OutputError, SourceError, UsageError
from realtime.naming.recognizer import Recognizer
from realtime.output.event_clips import ClipSink
from realtime.output.exports import CARE
from realtime.output.frame_table import FrameFile
from realtime.output.line_file import open_number
from realtime.output.lsl import LslSink
from realtime.output.lsl_markers import ANY, LslMarkers
from realtime.output.sinks import Sink, file_sink
from realtime.output.writer import Writer
from realtime.parallel.watches import shares, watch_elsewhere
from realtime.pipeline import Step
from realtime.records import Event, Keyframes, Marker
from realtime.sources import cameras as cameras_here
from realtime.sources import lies_here, open_source
from realtime.sources.demo import DEMO_CLIP, called
from realtime.watching import LiveSettings, Watch, Watched, pipeline_of

EXAMPLES = """
  mer-live --demo                                    the bundled clip, no camera needed
  mer-live --camera 0 --window                       a webcam, with a picture
  mer-live --camera 0 --check                        before a session: rate, face and light, in words
  mer-live --list-cameras                            their numbers, names, sizes and rates
  mer-live --camera 0 --camera logitech --size 1280x720 --fps 60      by number, or by a part of the name
  mer-live --source rtsp://host/stream --events found.jsonl
  mer-live --camera 0 --events - >> found.jsonl      JSON lines to a pipe, or added to a file
  mer-live --camera 0 --lsl --webhook http://localhost:8000/events    to other programs, while it happens
  mer-live --camera 0 --lsl-markers --record day1.mp4    with what other instruments mark
  mer-live --camera 0 --clips 2                      a film of each event, two seconds before to two after it
  mer-live --camera 0 --record day1.mp4              the stream itself, and the events beside it
  mer-live --camera 0 --participant p03 --baseline 30    learn what is usual of a person, then watch with it
  mer-live --source clip.mp4 --as-live               a file as if it were a camera
  mer-live --camera 0 spotter.max_duration=0.4       any setting of configs/live.yaml"""
WAITING = 1000  # events that may wait for a slow address


class Size(click.ParamType):
    """ "1280x720" → (1280, 720)."""

    name = "size"

    def convert(self, value, param, ctx):
        found = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", value)
        if not found or not int(found[1]) * int(found[2]):
            self.fail(f"'{value}' is no size: expected width and height, such as 1280x720", param, ctx)
        return int(found[1]), int(found[2])


@common.command("mer-live", EXAMPLES)
@click.option("--camera", "cameras", multiple=True, metavar="N|NAME", help="Camera by its number or a part of its name. May be repeated.")
@click.option("--list-cameras", is_flag=True, help="Say which cameras there are, and what sizes and rates they offer.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="FILE|FOLDER|URL",
    help="File, folder of pictures (with --fps) or rtsp/http stream. May be repeated.",
)
@click.option("--demo", is_flag=True, help="The bundled demo clip, played as live.")
@click.option("--as-live", is_flag=True, help="Play files at their own clock, dropping frames as a camera would.")
@click.option(
    "--size", type=Size(), metavar="WxH", help="Ask cameras for this size, such as 1280x720; larger pictures of other sources are scaled to it."
)
@click.option("--width", type=int, hidden=True)
@click.option("--height", type=int, hidden=True)
@click.option("--fps", type=float, help="Ask cameras for this many frames a second; files are taken to have so many.")
@click.option("--faces", type=click.IntRange(1), help="How many faces to follow, the largest first.  [default: 1]")
@click.option("--model", metavar="NAME|FILE", help="Network of the zoo, or an .onnx file.  [default: kernel_ridge]")
@click.option("--engine", type=click.Choice(ENGINES), help="What runs the networks and the flow.  [default: auto]")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Stop after this long.")
@click.option("--events", metavar="FILE", help="Also write events to FILE.jsonl or FILE.csv, new ones, or as JSON lines to a stream: -, a FIFO.")
@click.option("--frames", metavar="FILE", help="Also write what is measured in every frame of the one source to FILE.csv: pose, gaze, blendshapes.")
@click.option("--webhook", metavar="URL", help="Post each event line to an address, as JSON.")
@click.option("--mqtt", metavar="URL", help="Publish each event line to a broker: mqtt://HOST/TOPIC.")
@click.option("--lsl", is_flag=True, help="Outlets of the Lab Streaming Layer: events, markers, and what is measured in every frame.")
@click.option(
    "--lsl-markers",
    is_flag=False,
    flag_value=ANY,
    metavar="[NAME]",
    help="Take markers of other instruments in, of all streams or of those called NAME.",
)
@click.option("--clips", type=float, metavar="SECONDS", help="Save a film of each event, from so long before to so long after it, in --clips-to.")
@click.option("--clips-to", default="clips", show_default=True, type=click.Path(path_type=Path), metavar="DIR", help="Where films of events go.")
@click.option("--record", metavar="FILE|DIR", help="Keep the stream itself, in FILE.mp4 or in a new file in DIR, and the events beside it.")
@click.option("--participant", metavar="NAME", help="Who is in view: their baseline is used, if there is one.")
@click.option(
    "--baseline", type=click.FloatRange(5), metavar="SECONDS", help="Learn what is usual of the participant from the first seconds, and keep it."
)
@click.option("--check", "only_check", is_flag=True, help="Say in five seconds whether rate, face and light are good enough, and what to do.")
@click.option("--window", is_flag=True, help="Show the picture with the face, the curve and the last event; R records.")
@click.option("--quiet", is_flag=True, help="No view and no summary; events go to --events and the log.")
@click.option("--no-log", is_flag=True, help="Keep nothing in the event log (mer-log).")
@click.argument("settings_", metavar="[SETTING=VALUE]...", nargs=-1)
def main(
    cameras,
    list_cameras,
    sources,
    demo,
    as_live,
    size,
    width,
    height,
    fps,
    faces,
    model,
    engine,
    seconds,
    events,
    frames,
    webhook,
    mqtt,
    lsl,
    lsl_markers,
    clips,
    clips_to,
    record,
    participant,
    baseline,
    only_check,
    window,
    quiet,
    no_log,
    settings_,
):
    """Watch cameras, streams or files, and say when a face shows a micro-expression."""
    if list_cameras:
        return say_cameras()
    if lsl_markers and common.split_words((lsl_markers,))[0]:  # a setting that stands behind the bare option
        lsl_markers, settings_ = ANY, (lsl_markers, *settings_)
    overrides = common.only_overrides(settings_, "a file goes after --source")
    width, height = size or (width, height)
    named = {"source.width": width, "source.height": height, "source.fps": fps, "faces.most": faces, "network": model, "engine": engine}
    usual = baselines.known(participant, common.complain("mer-live"), baseline is not None)
    named["spotter.usual"] = asdict(usual) if usual else None
    named["faces.measures"] = frames is not None or lsl or None
    config = settings.load("live", overrides, LiveSettings, named)
    chosen: LiveSettings = OmegaConf.to_object(config)
    chosen = checking.patient(chosen) if only_check else chosen
    specs = [*map(cameras_here.number_of, cameras), *sources, *([DEMO_CLIP] if demo else [])]
    if not specs:
        raise UsageError("nothing to watch: give --camera 0, --source FILE, or --demo")
    if record:
        place(record, len(specs))
    if participant and len(specs) > 1:
        raise UsageError(f"--participant {participant}: expected one source, got {len(specs)}")
    if frames and (len(specs) > 1 or not frames.lower().endswith(".csv")):
        raise UsageError(f"--frames {frames}: expected the name of a .csv file, and one source, got {len(specs)}")

    heap.bound()
    output = Output(sys.stdout)
    to_stdout = events is not None and open_number(events) == 1  # then words for people go to standard error
    screen = console_on(Output(sys.stderr) if to_stdout else output, quiet)
    with signals(), ExitStack() as stack:
        stack.enter_context(on_notice(common.complain("mer-live")))
        network = Recognizer(chosen.network, chosen.engine)  # a network that cannot be had should cost no camera
        screen.print(network.engines, style="dim")
        here = window or only_check or record or clips is not None or lsl or lsl_markers  # who wants pictures or every frame
        away = [] if here or len(shares(specs)) == 1 else watch_elsewhere(specs, as_live or demo, chosen, stack)
        opened = [] if away else [stack.enter_context(open_source(spec, as_live=as_live or demo, settings=chosen.source)) for spec in specs]
        infos = [one.info for one in opened] or [one.account.info for one in away]
        names = [called(info) for info in infos]
        if only_check:
            return checking.check(opened, names, chosen, network, seconds or checking.SECONDS)
        sinks = [file_sink(events, network.classes, now=any(info.now for info in infos))] if events else []
        files = {name: str(spec) for name, spec in zip(names, specs, strict=True) if lies_here(spec)}
        log = [] if no_log else [log_session("mer-live", network.name, names, config, files, participant or "")]
        shown = Shown(screen)
        writer = stack.enter_context(Writer([*sinks, *log, shown], report=common.complain("mer-live")))
        table = stack.enter_context(Frames("mer-live", partial(FrameFile, Path(frames), kept=True) if frames else None))
        others = [stack.enter_context(Writer([sink], common.complain("mer-live"), WAITING)) for sink in _elsewhere(webhook, mqtt)]
        streams = LslSink(names) if lsl else None
        if streams:
            others.append(stack.enter_context(Writer([streams], common.complain("mer-live"))))
        recording = Recording(record or RECORDINGS, opened, names if opened else [], screen, asked=record is not None)
        others += [stack.enter_context(Writer([recorder], common.complain("mer-live"))) for recorder in recording.recorders]
        if record:
            recording.begin()
        films = {} if clips is None else {name: ClipSink(clips_to, name, clips) for name in names}
        if films:
            screen.print(f"films of events are kept in {clips_to}: {CARE}", style="yellow")
        others += [stack.enter_context(Writer([film], common.complain("mer-live"))) for film in films.values()]
        heard = (
            stack.enter_context(closing(LslMarkers(lsl_markers, names, partial(_mark, [writer, *others]), common.complain("mer-live"))))
            if lsl_markers
            else None
        )
        if usual:
            screen.print(baselines.words(usual), style="dim")
        learning = baselines.Learning(participant, baseline, chosen, common.complain("mer-live")) if baseline else None
        hand_over = partial(_hand_over, [writer, *others], learning)
        watches: list[Watched] = [*away]
        for elsewhere in away:
            elsewhere.hand_over = hand_over
        for source in opened:
            pipeline = pipeline_of(source, chosen, network)
            learn = partial(learning.note, pipeline) if learning else None
            note = partial(_note, table, [one for one in (streams, heard) if one], films.get(pipeline.source), pipeline.source, learn)
            watches.append(Watch(source, pipeline, hand_over, note, hand_over))
        for account in (watch.account for watch in watches):
            screen.print(policy(account.name, account.info), style="dim")
            for line in account.counts.said:  # a camera that gives something else than was asked
                common.complain("mer-live")(f"{account.name}: {line}")
        if away:
            screen.print(f"{len(away)} streams in {len(shares(specs))} processes", style="dim")
        heap.settle()
        interrupted = follow(watches, screen, seconds, window, shown, lambda: (to_stdout or not quiet) and output.closed_by_reader(), recording)
        accounts = [watch.account for watch in watches]
        recording.end()
        if heard:
            heard.close()
        for sink in log:
            sink.finish(**vars(totals(accounts, [writer])))
        for one in (writer, *others):
            one.close()
    for account in accounts:
        screen.print(terminal.summary(account))
    code = exit_code("mer-live", accounts, [writer, table, *others, recording], getattr(interrupted, "code", 0))
    if output.gone and not interrupted:
        common.complain("mer-live")(f"standard output is gone ({output.gone}): watching has ended, what was found is kept")
        code = code or OutputError.exit_code
    return code


def say_cameras() -> None:
    """A line for each camera, and one for each kind of pictures that it offers.

    Raises:
        SourceError: there are none.
    """
    there = cameras_here.known()
    if not there:
        raise SourceError(cameras_here.listed())
    for camera in there:
        click.echo(f"{camera.index}  {camera.name}")
        offered: dict[str, list[str]] = {}
        for mode in cameras_here.modes(camera.index):
            offered.setdefault(mode.kind, []).append(str(mode))
        for kind, sizes in offered.items():
            click.echo(f"   {kind}  {'; '.join(sizes)}")


def _elsewhere(webhook: str | None, mqtt: str | None) -> list[Sink]:
    """What sends events to other programs; each in a thread of its own, so that none holds up the files."""
    found: list[Sink] = []
    if webhook:
        from realtime.output.webhook import WebhookSink

        found.append(WebhookSink(webhook))
    if mqtt:
        from realtime.output.mqtt import MqttSink

        found.append(MqttSink(mqtt))
    return found


def _hand_over(writers: list[Writer], learning: baselines.Learning | None, event: Event, _: Keyframes | None = None) -> None:
    if learning and learning.holds(event):
        return  # this person's usual
    for writer in writers:
        writer.write(event)


def _mark(writers: list[Writer], marker: Marker) -> None:
    for writer in writers:
        writer.write(marker)


def _note(table: Frames, clocks: list[LslSink | LslMarkers], film: ClipSink | None, name: str, learn: Callable | None, step: Step) -> None:
    if learn:
        learn(step)
    table.write(step)
    if film:
        film.note(step)
    for one in clocks:
        one.note(name, step)
