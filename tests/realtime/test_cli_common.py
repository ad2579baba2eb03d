import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from realtime import __version__
from realtime.cli import common, terminal
from realtime.cli.console import Console
from realtime.errors import MissingPartError, OutputError, UsageError
from realtime.output.log import Session, SqliteSink
from realtime.sources import open_source
from realtime.sources.base import Gap, SourceCounts, SourceInfo
from realtime.watching import Account, Status


def make(body):
    @common.command("mer-try", examples="  mer-try --seconds 3   # three\n    an indented line")
    @click.option("--seconds", type=int)
    @click.argument("words", nargs=-1)
    def main(seconds, words):
        """Try."""
        return body(words)

    return main


def run(capsys, args, body=lambda words: None):
    with pytest.raises(SystemExit) as end:
        make(body).main(args, prog_name="mer-try")
    return end.value.code, *capsys.readouterr()


def fail(error):
    def body(words):
        raise error

    return body


@pytest.mark.parametrize(
    "error, code, said",
    [
        (OutputError("cannot write\n'x'"), 6, "mer-try: cannot write 'x'\n"),
        (UsageError("no"), 2, "mer-try: no\n"),
        (KeyboardInterrupt(), 130, "mer-try: interrupted\n"),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300),
            2,
            f"mer-try: '{'a' * 40}…' is no path: its name is too long; is it a setting, written name=value?\n",
        ),
    ],
)
def test_a_mistake_is_one_line_and_its_code(capsys, error, code, said):
    got, out, err = run(capsys, [], fail(error))
    assert (got, out, err.lstrip("\n")) == (code, "", said)


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        make(fail(ZeroDivisionError())).main([], prog_name="mer-try")


def test_unknown_flag_names_the_nearest_in_one_line(capsys):
    code, out, err = run(capsys, ["--second", "3"])
    assert code == 2 and out == ""
    assert "--seconds" in err and err.startswith("mer-try: ") and err.count("\n") == 1


def test_returned_number_is_the_exit_code(capsys):
    assert run(capsys, [], lambda words: 6)[0] == 6
    assert run(capsys, [], lambda words: None)[0] == 0


def test_help_keeps_examples_as_written_and_version(capsys):
    code, out, _ = run(capsys, ["-h"])
    assert code == 0 and "  mer-try --seconds 3   # three\n    an indented line\n" in out and "Exit codes" in out
    assert run(capsys, ["--version"])[:2] == (0, f"mer-try {__version__}\n")


def test_trailing_words_are_settings_or_files(tmp_path):
    file = tmp_path / "a=b.mp4"
    file.touch()
    words = ("clip.mp4", "spotter.k=0.5", "+new=1", "~spotter", "http://h/x?a=b", "model=dual_atme", str(file))
    assert common.split_words(words) == (["spotter.k=0.5", "+new=1", "~spotter", "model=dual_atme"], ["clip.mp4", "http://h/x?a=b", str(file)])
    with pytest.raises(UsageError, match="unexpected 'clip.mp4'.*use --source"):
        common.only_overrides(words, "use --source for a file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "module, words, unbuffered",
    [
        ("realtime.cli.log", ["list"], ""),
        ("realtime.cli.engine", ["list"], ""),
        ("train.cli", ["--help"], ""),
        ("realtime.cli.log", ["list"], "1"),
        ("realtime.cli.replay", ["--version"], "1"),
    ],
)
def test_a_full_standard_output_is_one_line(tmp_path, module, words, unbuffered):
    log = tmp_path / "log.sqlite3"
    SqliteSink(Session("kernel_ridge", [], {}), log).open()
    program = f"import sys; from {module} import main; main({words}, prog_name='mer-try')"
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=180,
            env=os.environ | {"MER_LIVE_LOG": str(log), "PYTHONUNBUFFERED": unbuffered},
        )
    assert ended.returncode == 6 and ended.stderr == "mer-try: standard output cannot be written: no space left on device\n"


AS_ON_WINDOWS = """
import sys, asyncio, concurrent.futures.process, ctypes, click, rich.console, numpy, cv2, omegaconf, hydra, matplotlib, platformdirs, psutil
sys.platform = "win32"
sys.modules.update(dict.fromkeys(("fcntl", "resource", "termios", "pwd", "grp")))  # an import of these fails
from importlib import import_module
for module, *words in {commands}:
    try:
        import_module(module).main(words, prog_name=module)
    except SystemExit as end:
        print(end.code)
"""


def test_on_windows_one_line_says_what_to_do():
    commands = [
        *(
            ("realtime.cli." + words).split()
            for words in ("live --list-cameras", "live --demo", "replay a.mp4", "log list", "study list", "engine list", "demo")
        ),
        ["train.cli"],
        ["train.bench.cli", "flow"],
    ]
    ended = subprocess.run([sys.executable, "-c", AS_ON_WINDOWS.format(commands=commands)], capture_output=True, text=True, timeout=120)
    lines = ended.stderr.splitlines()
    assert ended.stdout.split() == ["7"] * len(commands), ended.stderr
    assert len(lines) == len(commands) and all("WSL 2 or Docker" in line for line in lines), ended.stderr


def test_a_loop_of_ones_own_says_the_same_on_windows(monkeypatch):
    monkeypatch.setattr("realtime.sources.sys.platform", "win32")
    with pytest.raises(MissingPartError, match="WSL 2 or Docker"):
        open_source("clip.mp4")


def test_a_camera_that_was_often_away_is_summed_up_in_few_lines():
    counts = SourceCounts(frames=9, gaps=[Gap(60.0 * minute, 2.0, "it stalled") for minute in range(1440)])
    account = Account("camera 0", SourceInfo("camera 0", 640, 480, 30.0, True, None), "ended", counts, Status())
    away = [line.strip() for line in terminal.summary(account).plain.splitlines() if "away" in line]
    assert len(away) == terminal.GAPS + 1
    assert away[0] == "away for 2.0 s after 0.0 s: it stalled" and away[-1] == "away 1435 times more, 2870 s in all"


def test_a_table_is_drawn_in_a_terminal_and_stays_markdown_in_a_file():
    table, written, drawn = "| a | b |\n|---|---|\n| 1 | 2 |", io.StringIO(), io.StringIO()
    Console(file=written).markdown(table)
    Console(file=drawn, force_terminal=True).markdown(table)
    assert written.getvalue() == f"{table}\n" and "|---|" not in drawn.getvalue() and "1" in drawn.getvalue()
