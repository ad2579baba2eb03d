"""What every command shares: one line for a mistake, an exit code for a script, settings at the end of the line, and how a
session is told to end from outside: Ctrl-C, SIGTERM (a service manager), SIGHUP (a closed terminal).
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from engines import environment, isolated
from realtime import __version__
from realtime.cli.console import given_up
from realtime.errors import ON_WINDOWS, MerError, MissingPartError, OutputError, UsageError
from realtime.names import printable
from realtime.sources.addresses import without_password

INTERRUPTED = 130  # what a shell reports for a program ended by Ctrl-C
EXIT_CODES = """\
Exit codes: 0 done, 1 a defect, 2 wrong usage, 3 no source, 4 source broke off, 5 network unusable,
6 result not written, 7 part not installed, 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP."""

HELPS = {"-h", "--help", "--version"}
# "spotter.max_duration=0.5", "+new.key=1", "~group"; never "http://host/a=b" (the colon comes before the sign)
_OVERRIDE = re.compile(r"(\+{1,2}|~)?[A-Za-z_][\w.@/-]*=|~[A-Za-z_][\w.@]*$")


class _OneLine:
    """Mixed into click's classes: a mistake is one line on stderr and an exit code, a defect keeps its traceback.

    A command may return an int, which becomes its exit code; None means 0.
    """

    name: str | None  # click's, as the next
    epilog: str | None

    def main(self, args=None, prog_name=None, complete_var=None, standalone_mode=True, **extra):
        name = prog_name or self.name
        if not standalone_mode:
            return super().main(args, name, complete_var, False, **extra)  # type: ignore[misc]  # click's, which it stands before
        if sys.platform == "win32" and not HELPS & set(sys.argv[1:] if args is None else args):
            sys.exit(_say(name, ON_WINDOWS, MissingPartError.exit_code))
        sys.path[:] = isolated.path()  # what is imported later is not looked for among somebody's recordings
        environment.forget_telemetry()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # whatever a name holds and a terminal lacks
        if environment.home_instead:
            _echo(f"{name}: you have no home folder (HOME): event log, engines and caches are in {environment.home_instead}")
        try:
            code = super().main(args, name, complete_var, standalone_mode=False, **extra)  # type: ignore[misc]  # the same
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where it can be said: Python's own at the end would be a traceback
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # of any path that somebody typed, wherever it is first looked at
                words = f"'{str(error.filename)[:40]}…' is no path: its name is too long; is it a setting, written name=value?"
                sys.exit(_say(name, words, UsageError.exit_code))
            why = "" if error.filename else given_up(sys.stdout)
            if not why:
                raise  # not of standard output
            code = _say(name, f"standard output cannot be written: {why}", OutputError.exit_code)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else name
            code = _say(name, f"{error.format_message()} ({where} --help shows what is known)", error.exit_code)
        except click.ClickException as error:
            code = _say(name, error.format_message(), error.exit_code)
        except MerError as error:
            code = _say(name, str(error), error.exit_code)
        except click.Abort as error:
            code = _say(name, "interrupted", getattr(error.__cause__, "code", INTERRUPTED))
        sys.exit(code if isinstance(code, int) else 0)

    def format_epilog(self, ctx, formatter):
        """Examples keep their lines: click would refill them as a paragraph."""
        if self.epilog:
            formatter.write_paragraph()
            for line in self.epilog.strip("\n").splitlines():
                formatter.write(f"{line}\n")


class Command(_OneLine, click.Command):
    pass


class Group(_OneLine, click.Group):
    # sub-commands made by `@group.command()` write their examples verbatim too
    command_class = Command


def command(name: str, examples: str = ""):
    """Decorator: a click command with -h/--help, --version, verbatim `examples` and one-line errors."""
    return _made(Command, name, examples)


def group(name: str, examples: str = ""):
    """Decorator: the same for a command with sub-commands (`@main.command("list")` as in click)."""
    return _made(Group, name, examples)


def _made(cls, name, examples):
    epilog = f"Examples:\n{examples.strip(chr(10))}\n\n{EXIT_CODES}" if examples else EXIT_CODES
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

    def decorate(function):
        function = click.version_option(__version__, prog_name=name, message="%(prog)s %(version)s")(function)
        return click.command(name, cls=cls, epilog=epilog, context_settings=settings)(function)

    return decorate


def split_words(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Trailing words → (Hydra overrides, the others): ("a.mp4", "spotter.k=2") → (["spotter.k=2"], ["a.mp4"]).

    A word that names an existing file is a file, even with "=" in it.
    """
    overrides: list[str] = []
    others: list[str] = []
    for word in words:
        is_override = _OVERRIDE.match(word) and not os.path.exists(word)
        (overrides if is_override else others).append(word)
    return overrides, others


def only_overrides(words: tuple[str, ...], hint: str) -> list[str]:
    """The same for a command that takes no other words; `hint` says what the person may have meant.

    Raises:
        UsageError: "unexpected 'clip.mp4': settings are written name=value; <hint>".
    """
    overrides, others = split_words(words)
    if others:
        raise UsageError(f"unexpected '{without_password(others[0])}': settings are written name=value; {hint}")
    return overrides


def complain(name: str) -> Callable[[str], None]:
    """A function that says one line on stderr, for faults that do not end the command."""
    return lambda line: _echo(f"{name}: {line}")


def told(name: str, error: Exception, what: str) -> int:
    """Say why one part of the work (`what`) failed while the rest goes on; returns the exit code for that.

    A defect of ours is said with the last steps of its traceback.
    """
    if isinstance(error, MerError):
        return _say(name, str(error), error.exit_code)
    steps = "".join(traceback.format_exception(error, limit=-3)).rstrip()
    _echo(f"{name}: {what} ended by a defect of ours, the rest goes on:\n{steps}", kept="\n")
    return MerError.exit_code


def _say(name: str, message: str, code: int) -> int:
    _echo(f"{name}: {' '.join(message.split())}")
    return code


def _echo(line: str, kept: str = "") -> None:
    with suppress(OSError):  # of a terminal that was closed: the work goes on
        click.echo(printable(line, kept), err=True)


BY = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


class Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP came: whoever knows what to do at Ctrl-C does the same.

    Attributes:
        code: what a shell reports for it.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


def heard() -> list[int]:
    """Who starts a program with SIGHUP ignored (nohup) wants it to outlive the terminal."""
    return [number for number in BY if signal.getsignal(number) != signal.SIG_IGN]


@contextmanager
def signals() -> Iterator[None]:
    """While it holds, SIGTERM and SIGHUP end in order; a second one does not break off the ending.

    Raises:
        Ended: in the main thread, at the first of them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told: list[int] = []

    def end(number: int, _) -> None:
        told.append(number)
        if len(told) == 1:
            raise Ended(number)

    before = {number: signal.signal(number, end) for number in heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
