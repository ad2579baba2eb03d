"""Tab 4, "Speed": which networks there are and how good they are, how fast this machine runs them, and engines for its GPU."""

from __future__ import annotations

import json
from contextlib import suppress
from html import escape
from pathlib import Path

from engines import device
from engines.tensorrt import library
from engines.tensorrt.precision import PRECISIONS
from engines.tensorrt.store import Store
from engines.zoo import ZOO, known, reduced
from realtime.cli.engine import faults, here
from realtime.dashboard.server.command import Job
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, UsageError
from realtime.sources.demo import DEMO_CLIP

SETS = {"casme2": "CASME II", "samm": "SAMM", "smic": "SMIC-HS", "casme3": "CAS(ME)³", "mmew": "MMEW"}
UF1 = "UF1: how well the classes are told apart, each counting alike; 1.00 would be all of them right."


def trained_on(name: str) -> str:
    """As "332 micro-expressions of 53 people (CASME II, SAMM, SMIC-HS)"; "" where the manifest does not say."""
    manifest = _manifest(name)
    data = manifest.get("training_data", {})
    less = f"; {reduced(manifest)}, not as large as the paper's" if reduced(manifest) else ""
    what = f"{data['samples']} micro-expressions" if "samples" in data else f"{data['clips']} clips" if "clips" in data else ""
    if not what or "people" not in data:
        return ""
    if _synthetic(data):
        return f"{what}, drawn by computer on portraits of {data['people']} people, none of them real{less}"
    return f"{what} of {data['people']} people ({', '.join(SETS.get(one, one) for one in data['sets'])}){less}"


def how_good(name: str) -> str:
    """As "UF1 0.80 on people it had not seen"; or what is not known."""
    manifest = _manifest(name)
    uf1 = manifest.get("accuracy", {}).get("all", {}).get("uf1")
    if not _synthetic(manifest.get("training_data", {})):
        return "not measured" if uf1 is None else f"UF1 {uf1:.2f} on people it had not seen"
    drawn = "measured on other drawn movements (README)" if uf1 is None else f"UF1 {uf1:.2f} on other drawn movements"
    return f"{drawn}; on real ones not known"


def task(name: str) -> str:
    """As "names a movement negative, positive or surprise"."""
    *first, last = _manifest(name).get("classes", ["?"])
    if name == "verifier":
        return "tells brief movements from blinks, talking and the head's"
    if name == "action_units":
        return "estimates which action units moved"
    return f"names a movement {', '.join(first)} or {last}"


def _synthetic(data: dict) -> bool:
    return data.get("name") == "synthetic"


def _manifest(name: str) -> dict:
    try:
        return json.loads((ZOO / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


ALL = "All networks"
ENGINE, BENCH = "realtime.cli.engine", "realtime.cli.bench"
DEMO = Path(DEMO_CLIP)
EVERY = 0.5  # seconds between two looks at a running command
WORDS = {
    "fp32": "fp32: exact",
    "fp16": "fp16: half the size, usually faster",
    "bf16": "bf16: half the size, coarser",
    "int8": "int8: smallest, coarsest",
}
ABOUT = {"How good": UF1, "Size": "Of its file, megabytes", "Trained on": "Number of movements and people, and the data sets"}
COLUMNS = ("What it does", "Trained on", "How good", "Size", "Engine", "For", "Made", "State")  # the last four with engines


def tab(shared: Shared) -> None:
    import gradio as gr

    gpu, can = device.find() is not None, bool(library.installed())
    if gpu:
        gr.Markdown("## Networks\nEach runs as it is (ONNX Runtime); compiled for the GPU, as an engine, it is faster.")
    else:
        gr.Markdown("## Networks\nThis machine has no GPU that can be used: all run on its processor, and need nothing more.")
    table = gr.HTML(overview)
    gr.on(triggers=None, fn=overview, outputs=table, show_progress="hidden")
    if shared.read_only:
        return
    job = Job()
    shared.at_end(job.stop)
    with gr.Row():
        machine = gr.Button("Measure this machine", variant="secondary" if gpu else "primary", min_width=120)
        bench = gr.Button("Measure networks", min_width=120)
        build = gr.Button("Build", variant="primary" if gpu else "secondary", interactive=can and gpu, min_width=120)
        check = gr.Button("Check", interactive=gpu, min_width=120)
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=120)
    gr.HTML(
        '<p class="mer-state"><b>Measure this machine</b> plays the demo clip through everything. <b>Measure networks</b> '
        "times each way of running them. <b>Build</b> compiles for a GPU. <b>Check</b> compares the numbers of what was built "
        f"with those of the original.</p>{_no_build(can, gpu)}",
        padding=False,
    )
    with gr.Row(equal_height=False):
        model = gr.Dropdown([ALL, *known()], value=ALL, label="Network", min_width=180)
        kinds = [(WORDS[name], name) for name in PRECISIONS]
        precision = gr.Dropdown(kinds, value="fp32", label="Precision (for building)", min_width=180, visible=can)
        targets = gr.Textbox(
            label="GPUs (for building)",
            placeholder="this machine's; or sm_89, …" if gpu else "sm_89, …",
            min_width=180,
            visible=can,
        )
    state = gr.HTML(lambda: _state(job), padding=False)
    shape = {"lines": 15, "max_lines": 15, "elem_classes": "mer-log"}
    log = gr.Textbox(lambda: job.text, label="Log", interactive=False, autoscroll=True, **shape)
    clock = gr.Timer(EVERY, active=False)
    starters, shown = [build, check, bench, machine], [state, log]

    def controls(gpus: str):
        runs = job.running
        free = [not runs and able for able in (can and (gpu or bool(gpus.strip())), gpu, True, True)]
        return [gr.Timer(active=runs), *[gr.Button(interactive=one) for one in free], gr.Button(interactive=runs)]

    def started(gpus: str, title: str, module: str, *words: str):
        with suppress(UsageError):  # another page was first: this one now follows what runs
            job.start(title, module, *words, folder=DEMO.parent)
        return [_state(job), job.text, *controls(gpus)]

    def tick(gpus: str):
        if job.running:
            return [_state(job), job.text, *[gr.skip()] * (len(starters) + 2), gr.skip()]
        shared.forget_networks()  # an engine may be there now
        return [_state(job), job.text, *controls(gpus), overview()]

    def stopped(gpus: str):
        job.stop()
        return tick(gpus)

    buttons = [clock, *starters, stop]
    options = {"show_progress": "hidden"}
    all_shown = [*shown, *buttons]
    build.click(
        lambda name, kind, gpus: started(
            gpus, f"Building {_some(name)} ({kind})", ENGINE, "build", *_named(name), f"--precision={kind}", f"--for={gpus}"
        ),
        [model, precision, targets],
        all_shown,
        **options,
    )
    check.click(lambda name, gpus: started(gpus, f"Checking {_some(name)}", ENGINE, "check", *_named(name)), [model, targets], all_shown, **options)
    bench.click(lambda name, gpus: started(gpus, f"Measuring {_some(name)}", ENGINE, "bench", *_named(name)), [model, targets], all_shown, **options)
    machine.click(lambda gpus: started(gpus, "Measuring this machine", BENCH, "live", "--source", DEMO.name), targets, all_shown, **options)
    stop.click(stopped, targets, [*all_shown, table], **options)
    clock.tick(tick, targets, [*all_shown, table], **options)
    targets.change(controls, targets, buttons, **options)
    # a page that is opened while a command runs follows it, too
    gr.on(triggers=None, fn=controls, inputs=targets, outputs=buttons, show_progress="hidden")


def _no_build(can: bool, gpu: bool) -> str:
    """Why Build cannot be pressed, and what to do; empty where it can."""
    if gpu and can:
        return ""
    why = "this machine has no GPU. Name the GPUs of others below to build for them" if can else library.why_not()
    check = "" if gpu else " Check needs a GPU, too."
    return f'<p class="mer-state" id="mer-no-build"><b>Build</b> cannot be used as it is: {escape(why)}.{check}</p>'


def overview() -> str:
    """What each network is and how good it is; where there is a GPU, or something was built, what `mer-engine list` shows."""
    try:
        with faults():
            entries = Store().entries()
    except MerError as error:
        return f'<p class="mer-state mer-warn" role="alert">{escape(str(error))}</p>'
    engines, rows = bool(entries) or device.find() is not None, []
    for name in known():
        about = task(name), trained_on(name), how_good(name)
        size = f"{(ZOO / f'{name}.onnx').stat().st_size / 1e6:.1f} MB"
        built = [entry for entry in entries if entry.path.name.split(".")[0] == name]
        none = ["not built", "", "", ""] if engines else []
        rows += [_row(name, *about, size, *_built(entry)) for entry in built] or [_row(name, *about, size, *none)]
    head = "".join(
        f'<th scope="col" role="columnheader" title="{ABOUT.get(word, "")}">{word}</th>' for word in ("Network", *COLUMNS[: 8 if engines else 4])
    )
    reasons = [entry.reason for entry in entries if entry.reason and not _elsewhere(entry)]
    notes = [f'<p class="mer-state">{escape(reason)}</p>' for reason in reasons]
    return (
        '<div class="mer-scroll" tabindex="0" role="region" aria-label="Networks and engines">'
        f'<table class="mer-table mer-words" role="table"><thead><tr role="row">{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{''.join(notes)}"
        f'<p class="mer-state">{UF1}</p>'
        f'<p class="mer-state">This machine: {escape(here())}</p>'
    )


def _row(name: str, *cells: str) -> str:
    """The roles are said, for on a phone each row is a card (page.css), which browsers take for no table."""
    told = "".join(
        f'<td role="cell" data-word="{word}" title="{ABOUT.get(word, "")}">{escape(cell)}</td>' for word, cell in zip(COLUMNS, cells, strict=False)
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{escape(name)}</th>{told}</tr>'


def _built(entry) -> tuple[str, str, str, str]:
    """(engine, for, made, state) of an entry of the store."""
    about = entry.manifest
    if about is None:
        return "?", "", "", "damaged: build it again"
    made_for = about.gpu if about.library == "tensorrt" else ", ".join(about.targets)
    state = "in use" if entry.current else "for another machine" if _elsewhere(entry) else "not used: build it again"
    return f"{about.precision}, TensorRT {about.version}", made_for, about.made[:10], state


def _elsewhere(entry) -> bool:
    """Sound, but for a machine that has a GPU."""
    return entry.manifest is not None and ", there is no GPU here: " in entry.reason


def _state(job: Job) -> str:
    style = "mer-state mer-warn" if job.failed else "mer-state"
    return f'<p class="{style}" role="status">{escape(job.state) or "Nothing is running."}</p>'


def _named(name: str) -> list[str]:
    """The words for a command. Raises UsageError for a name that is not in the list (Gradio checks it, too)."""
    return [] if name == ALL else [one for one in known() if one == name]


def _some(name: str) -> str:
    return "all networks" if name == ALL else name
