"""Tab 4: the networks as engines for this machine's GPU, and how fast this machine is."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from importlib.resources import files
from pathlib import Path

from engines.plans.precision import PRECISIONS
from engines.plans.store import Store
from engines.runtime import ZOO, known
from realtime.cli.engine import faults, here
from realtime.dashboard.job import Job
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, UsageError

ALL = "All networks"
ENGINE, BENCH = "realtime.cli.engine", "realtime.cli.bench"
DEMO = Path(str(files("realtime").joinpath("assets/demo.mp4")))
EVERY = 0.5  # seconds between two looks at a running command
WORDS = {
    "fp32": "fp32: exact",
    "fp16": "fp16: half the size, usually faster",
    "bf16": "bf16: half the size, coarser",
    "int8": "int8: smallest, coarsest",
}


def tab(shared: Shared) -> None:
    import gradio as gr

    gr.Markdown("## Networks\nEach runs as it is (ONNX Runtime); compiled for a GPU, as an *engine*, it is faster.")
    table = gr.HTML(overview)
    gr.on(triggers=None, fn=overview, outputs=table, show_progress="hidden")
    if shared.read_only:
        return
    job = Job()
    shared.at_end(job.stop)
    with gr.Row(equal_height=False):
        model = gr.Dropdown([ALL, *known()], value=ALL, label="Network", min_width=180)
        kinds = [(WORDS[name], name) for name in PRECISIONS]
        precision = gr.Dropdown(kinds, value="fp32", label="Precision (for building)", min_width=180)
        targets = gr.Textbox(label="GPUs (for building)", placeholder="this machine's; or sm_89, …", min_width=180)
    with gr.Row():
        build = gr.Button("Build", variant="primary", min_width=120)
        check = gr.Button("Check", min_width=120)
        bench = gr.Button("Measure networks", min_width=120)
        machine = gr.Button("Measure this machine", min_width=120)
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=120)
    gr.HTML(
        '<p class="mer-state"><b>Build</b> compiles for the GPU. <b>Check</b> compares the numbers with those of the '
        "original. <b>Measure networks</b> times each way of running them. <b>Measure this machine</b> plays the demo clip "
        "through everything.</p>",
        padding=False,
    )
    state = gr.HTML(lambda: _state(job), padding=False)
    shape = {"lines": 15, "max_lines": 15, "elem_classes": "mer-log"}
    log = gr.Textbox(lambda: job.text, label="Log", interactive=False, autoscroll=True, **shape)
    clock = gr.Timer(EVERY, active=False)
    starters, shown = [build, check, bench, machine], [state, log]

    def controls():
        runs = job.running
        return [gr.Timer(active=runs), *[gr.Button(interactive=not runs)] * len(starters), gr.Button(interactive=runs)]

    def started(title: str, module: str, *words: str):
        with suppress(UsageError):  # another page was first: this one now follows what runs
            job.start(title, module, *words, folder=DEMO.parent)
        return [_state(job), job.text, *controls()]

    def tick():
        if job.running:
            return [_state(job), job.text, *[gr.skip()] * (len(starters) + 2), gr.skip()]
        shared.forget_networks()  # an engine may be there now
        return [_state(job), job.text, *controls(), overview()]

    def stopped():
        job.stop()
        return tick()

    buttons = [clock, *starters, stop]
    options = {"show_progress": "hidden"}
    all_shown = [*shown, *buttons]
    build.click(
        lambda name, kind, gpus: started(
            f"Building {_some(name)} ({kind})", ENGINE, "build", *_named(name), f"--precision={kind}", f"--for={gpus}"
        ),
        [model, precision, targets], all_shown, **options,
    )  # fmt: skip
    check.click(
        lambda name: started(f"Checking {_some(name)}", ENGINE, "check", *_named(name)), model, all_shown, **options
    )
    bench.click(
        lambda name: started(f"Measuring {_some(name)}", ENGINE, "bench", *_named(name)), model, all_shown, **options
    )
    machine.click(
        lambda: started("Measuring this machine", BENCH, "live", "--source", DEMO.name), None, all_shown, **options
    )
    stop.click(stopped, None, [*all_shown, table], **options)
    clock.tick(tick, None, [*all_shown, table], **options)
    # a page that is opened while a command runs follows it, too
    gr.on(triggers=None, fn=controls, outputs=buttons, show_progress="hidden")


def overview() -> str:
    """What `mer-engine list` shows, as a table for people."""
    try:
        with faults():
            entries = Store().entries()
    except MerError as error:
        return f'<p class="mer-state mer-warn" role="alert">{escape(str(error))}</p>'
    rows = []
    for name in known():
        size = f"{(ZOO / f'{name}.onnx').stat().st_size / 1e6:.1f} MB"
        built = [entry for entry in entries if entry.path.name.split(".")[0] == name]
        none = ["not built", *[""] * (3 if entries else 0)]
        rows += [_row(name, size, *_built(entry)) for entry in built] or [_row(name, size, *none)]
    words = ("Network", "Size", "Engine", "For", "Made", "State")[: 6 if entries else 3]
    head = "".join(f'<th scope="col">{word}</th>' for word in words)
    reasons = [entry.reason for entry in entries if entry.reason and not _elsewhere(entry)]
    notes = [f'<p class="mer-state">{escape(reason)}</p>' for reason in reasons]
    return (
        '<div class="mer-scroll" tabindex="0" role="region" aria-label="Networks and engines">'
        f'<table class="mer-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{''.join(notes)}"
        f'<p class="mer-state">This machine: {escape(here())}</p>'
    )


def _row(name: str, *cells: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


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
