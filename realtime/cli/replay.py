"""`mer-replay`: recordings, every frame in order, with a table, a timeline and (if asked) a video of each."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click
from omegaconf import DictConfig, OmegaConf

from engines.errors import on_notice
from engines.runtime import ENGINES
from realtime import heap, settings
from realtime.cli import baseline as baselines
from realtime.cli import common, terminal
from realtime.cli.batch import Batch, Wanted
from realtime.cli.clips import find_clips
from realtime.cli.common import signals
from realtime.cli.console import Output, console_on
from realtime.cli.replay_one import PATIENCE, progress, replay
from realtime.cli.running import Totals, exit_code, log_session, totals
from realtime.errors import UsageError
from realtime.names import printable
from realtime.naming.recognizer import Recognizer
from realtime.output import lanes
from realtime.output.event_table import separator_of
from realtime.output.line_file import LineFile
from realtime.output.writer import Writer
from realtime.sources.checks import check_file, pictures_in
from realtime.spotting.settings import Baseline
from realtime.watching import LiveSettings

EXAMPLES = """
  mer-replay clip.mp4 --out results                  results/clip/events.csv, events.jsonl, timeline.png; results/events_all.xlsx
  mer-replay recordings/ --out results --video       every clip below the folder, with an annotated MP4 each
  mer-replay clip.mp4 --out results --export elan,webvtt,report    also clip.eaf, clip.vtt, clip.html and clip.pdf
  mer-replay clip.mp4 --out results --frames         also frames.csv: a row a frame and face (with --export parquet: frames.parquet)
  mer-replay clip.mp4 --out results --plot pose_Ry,mouthSmileLeft --export report    the same, and these curves as a picture
  mer-replay CASME2_RAW/ --fps 200 --out results     every folder of pictures below it, 200 of them a second
  mer-replay p03.mp4 --out results --participant p03 --baseline 5-35    with what is usual of the person, as those seconds show it
  mer-replay clip.mp4 --out results spotter.sensitivity=6
  mer-replay recordings/ --out results --launcher ray    a clip a task, on the cluster at RAY_ADDRESS or on all cores here"""
EXPORTS = {
    "elan": ["elan"],
    "webvtt": ["webvtt"],
    "report": ["report", "pdf"],
    "parquet": ["parquet"],
    "excel": ["excel"],
    "spss": ["spss"],
    "textgrid": ["textgrid"],
    "boris": ["boris"],
    "bids": ["bids"],
    "csv": [],
    "jsonl": [],
}  # the last two are written in any case


@common.command("mer-replay", EXAMPLES)
@click.argument("clips", metavar="CLIP|FOLDER... [SETTING=VALUE]...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where results go, a folder for each clip.")
@click.option("--fps", type=float, help="Folders of pictures have so many a second; films are taken to, whatever they say.")
@click.option("--video", is_flag=True, help="Also write an annotated MP4.")
@click.option("--frames", is_flag=True, help="Also write what was measured in every frame: head pose, gaze, 52 blendshapes, the spotter's curve.")
@click.option("--plot", default="", metavar="COLUMN,...", help="With --frames: draw these columns over time, as measures.png and in the report.")
@click.option(
    "--export",
    "kinds",
    default="",
    metavar="KIND,...",
    help=f"Further files: {', '.join(EXPORTS)}. A report holds two pictures of the face for each event, of 20 at most.",
)
@click.option("--csv-separator", default=",", metavar=", | ; | tab", help="Of the CSV files; a semicolon goes with decimal commas.")
@click.option("--again", is_flag=True, help="Do anew what an earlier run has done.")
@click.option("--participant", metavar="NAME", help="Who is in the recordings: their baseline is used, if there is one.")
@click.option(
    "--baseline", metavar="[FROM-]TO", help="Learn what is usual of the participant from these seconds of the recording, neutral ones, and keep it."
)
@click.option("--faces", type=click.IntRange(1), help="How many faces to follow, the largest first.  [default: 1]")
@click.option("--model", metavar="NAME|FILE", help="Network of the zoo, or an .onnx file.  [default: kernel_ridge]")
@click.option("--engine", type=click.Choice(ENGINES), help="What runs the networks and the flow.  [default: auto]")
@click.option("--launcher", type=click.Choice(["inline", "ray"]), default="inline", show_default=True, help="Where clips go.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@click.option("--no-log", is_flag=True, help="Keep nothing in the event log (mer-log).")
def main(clips, out, fps, video, frames, plot, kinds, csv_separator, again, participant, baseline, faces, model, engine, launcher, quiet, no_log):
    """Find micro-expressions in recordings."""
    overrides, words = common.split_words(clips)
    frames = frames or bool(plot)
    named = {"source.fps": fps, "faces.most": faces, "network": model, "engine": engine, "faces.measures": frames or None}
    usual = _usual(participant, baseline, words, settings.load("live", overrides, LiveSettings, named))
    named["spotter.usual"] = asdict(usual) if usual else None
    config = settings.load("live", overrides, LiveSettings, named)
    chosen: LiveSettings = OmegaConf.to_object(config)
    wanted = Wanted(OmegaConf.to_container(config), video, tuple(chosen_exports(kinds)), separator_of(csv_separator), frames, lanes.chosen(plot))
    batch = Batch(out, wanted)
    given = find_clips(words, batch.whose)
    jobs = given.jobs if again else [(clip, name) for clip, name in given.jobs if not batch.done(clip, name)]
    for series in [clip for clip, _ in jobs if clip.is_dir()][:1]:  # one line, not one for each
        check_file(series, chosen.source.fps)
    output = Output(sys.stdout)
    console = console_on(output, quiet)
    for line in [*given.words(), *batch.words(jobs, len(given.jobs) - len(jobs))]:
        console.print(line, style="dim")
    if not jobs:
        console.print(batch.finish(given.jobs))
        return 0
    heap.bound()
    whole = Totals()  # of the clips: of what each held nothing stays, an archive has thousands
    code, told = 0, None
    with signals(), ExitStack() as stack:
        stack.enter_context(on_notice(common.complain("mer-replay")))
        recognizer = Recognizer(chosen.network, chosen.engine)  # one that cannot be had is said before a clip is opened
        console.print(recognizer.engines, style="dim")
        keep(out / "settings.yaml", OmegaConf.to_yaml(config))
        log = None if no_log else log_session("mer-replay", chosen.network, [clip for clip, _ in jobs], config, participant=participant or "")
        log_writer = stack.enter_context(Writer([log] if log else [], common.complain("mer-replay"), patience_s=PATIENCE))
        missing = ["interrupted: not all recordings were worked through"]
        if log:  # however it ends
            stack.callback(lambda: log.finish(**vars(totals([], [log_writer], missing).add(whole))))
        bar = stack.enter_context(progress(console))
        if launcher == "ray":
            from realtime.cli import replay_archive

            code = replay_archive.replay_all(jobs, batch, chosen, log_writer, log, bar)
            console.print(batch.finish(given.jobs))
            return code
        for clip, name in jobs:
            writers: list[Writer] = []
            try:
                watch = replay(clip, name, batch, chosen, recognizer, log_writer, writers, bar)
            except Exception as error:  # one bad clip does not cost the others their results, whatever it is
                batch.failed(clip, name, str(error) or type(error).__name__)
                failed = common.told("mer-replay", error, printable(clip))
                whole.add(totals([], writers))
                code = code or failed
                continue
            bar.console.print(terminal.summary(account := watch.account))
            whole.add(totals([account], writers))
            failed = exit_code("mer-replay", [account], writers)
            code = code or failed
            if told := watch.interruption:
                break
        else:
            missing = []
    console.print(batch.finish(given.jobs))
    if output.gone and not told:
        common.complain("mer-replay")(f"standard output is gone ({output.gone}): the results are in {out}")
    if told:
        common.complain("mer-replay")("interrupted: what was found until then is kept")
    return code or log_writer.exit_code or (getattr(told, "code", common.INTERRUPTED) if told else 0)


def _usual(participant: str | None, stretch: str | None, words: list[str], config: DictConfig) -> Baseline | None:
    """The participant's baseline: learnt now, or known."""
    usual = baselines.known(participant, common.complain("mer-replay"), stretch is not None)
    if stretch is None:
        return usual
    between = baselines.span(stretch)
    if len(words) != 1 or (Path(words[0]).is_dir() and not pictures_in(Path(words[0]))):
        raise UsageError(f"--baseline {stretch}: expected one recording, got {' '.join(words) or 'none'}")
    usual = baselines.learn(Path(words[0]), between, participant, OmegaConf.to_object(config))
    common.complain("mer-replay")(baselines.words(usual))
    return usual


def chosen_exports(kinds: str) -> list[str]:
    """From "elan,report" → the kinds of `realtime.output.exports`.

    Raises:
        UsageError: one is not known.
    """
    words = [word.strip().lower() for word in kinds.split(",") if word.strip()]
    for word in words:
        if word not in EXPORTS:
            raise UsageError(f"unknown export '{word}': expected one or more of {', '.join(EXPORTS)}, joined by commas")
    return [kind for word in dict.fromkeys(words) for kind in EXPORTS[word]]


def keep(path: Path, text: str) -> None:
    """Write a small file of results.

    Raises:
        OutputError: it cannot be written.
    """
    file = LineFile(path)
    file.write(text)
    file.close()


if __name__ == "__main__":
    main()
