"""`mer-demo`: the recognizer in a browser, for people who do not want a command line."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
import webbrowser
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path

import click
from omegaconf import OmegaConf

from engines.errors import on_notice
from engines.runtime import ENGINES
from realtime import heap, settings
from realtime.cli import common
from realtime.cli.common import heard
from realtime.errors import MerError, MissingPartError, UsageError
from realtime.output.log import left_unfinished
from realtime.output.log_schema import default_path
from realtime.sources.addresses import forget_socks

EXAMPLES = """
  mer-demo                                   opens the page in your browser; Ctrl-C ends it
  mer-demo --read-only                       look at past sessions, change nothing
  mer-demo --port 8000 --no-browser
  mer-demo --host 0.0.0.0 --password-file F  reachable from other machines, with a password
  mer-demo limits.hours=4                    any setting of configs/demo.yaml
The password may also stand in the variable MER_DEMO_PASSWORD. It travels unencrypted: beyond a network that you trust,
use an SSH tunnel (ssh -L 7860:127.0.0.1:7860 MACHINE) or a proxy with TLS."""
PARTS = ("gradio", "fastapi", "uvicorn", "plotly", "websockets")
PATIENCE = 1  # seconds that answers under way get to end


@common.command("mer-demo", EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="What to listen on. Another one needs a password.")
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0: any free one.")
@click.option("--password-file", type=click.Path(path_type=Path), metavar="FILE", help="Ask for the password in FILE.")
@click.option("--read-only", is_flag=True, help="Leave out every control that writes.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--model", metavar="NAME|FILE", help="Network of the zoo, or an .onnx file.  [default: kernel_ridge]")
@click.option("--engine", type=click.Choice(ENGINES), help="What runs the networks and the flow.  [default: auto]")
@click.argument("settings_", metavar="[SETTING=VALUE]...", nargs=-1)
def main(host, port, password_file, read_only, no_browser, model, engine, settings_):
    """Show the recognizer in a browser: live, replay, review, engines."""
    forget_socks()
    from realtime.dashboard.server import access

    password = access.read_password(password_file)
    access.check_host(host, password)
    overrides = common.only_overrides(settings_, "recordings are dropped on the page")
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        raise MissingPartError(f"{', '.join(missing)} not installed: pip install 'mer-live[demo]'")

    from realtime.dashboard.shared import DemoSettings, Shared

    chosen: DemoSettings = OmegaConf.to_object(settings.load("demo", overrides, DemoSettings, {"network": model, "engine": engine}))
    with ExitStack() as stack:
        stack.enter_context(on_notice(common.complain("mer-demo")))
        listening = stack.enter_context(_listen(host, port))
        ended, told = threading.Event(), []

        def end(number: int, _) -> None:
            told.append(number)
            ended.set()

        for number in (signal.SIGINT, *heard()):  # so that the folder is emptied, whoever ends it
            signal.signal(number, end)
        folder = access.PrivateFolder()
        stack.callback(folder.close)
        with suppress(MerError):  # an unusable log is said by the page
            if not read_only and (line := left_unfinished()):
                common.complain("mer-demo")(line)
        shared = Shared(chosen, folder.path, default_path().absolute(), read_only)
        stack.callback(shared.close)
        _serve(shared, listening, host, password, ended, not no_browser)
    return 128 + told[0] if told and told[0] != signal.SIGINT else 0


def _listen(host: str, port: int) -> socket.socket:
    """A socket on `host:port`. Raises UsageError with what to try where that cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"cannot listen on '{host}': {error.strerror}; --host takes an address of this machine") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
        return listening
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is taken, perhaps by another mer-demo: try --port {port % 65535 + 1}") from error
        if error.errno == errno.EACCES:
            raise UsageError(f"port {port} is kept for the system: try --port 7860") from error
        raise UsageError(f"cannot listen on '{host}' port {port}: {error.strerror}") from error


def _serve(shared, listening: socket.socket, host: str, password: str | None, ended: threading.Event, browser: bool) -> None:
    """Until `ended`."""
    import uvicorn

    from realtime.dashboard.app import build

    heap.bound()
    app = build(shared, host, password)
    from realtime.dashboard.server.requests import Connection  # it imports Gradio, which makes its folder where `build` has said

    config = uvicorn.Config(
        app,
        http=Connection,
        log_level="warning",
        access_log=False,  # addresses with what people typed
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=PATIENCE,
        ws_max_size=4 * 2**20,  # a raw picture of 1920×1080 has 3.1 million
        ws_max_queue=8,
        ws_per_message_deflate=False,  # pictures do not shrink, and trying to takes most of a core
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="server", daemon=True)
    thread.start()
    while not server.started and thread.is_alive() and not ended.is_set():
        ended.wait(0.05)
    if server.started:
        heap.settle()
        heap.keep_small(ended)
        name = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
        url = f"http://{name}:{listening.getsockname()[1]}/"
        click.echo(f"mer-demo: {url}{' (read only)' if shared.read_only else ''}; Ctrl-C ends it")
        if browser:
            with suppress(webbrowser.Error):
                webbrowser.open(url)
    while thread.is_alive() and not ended.is_set():
        ended.wait(0.5)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # an answer that is broken off now is no fault
    shared.close()  # first: what runs for a page would hold the server up
    server.should_exit = True
    thread.join(PATIENCE + 2)


if __name__ == "__main__":
    main()
