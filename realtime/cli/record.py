"""`--record`, and the key R of the window: the streams of a session kept together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from realtime.cli import common
from realtime.errors import OutputError, UsageError
from realtime.output.exports import CARE
from realtime.output.recorder import Recorder, Tapped
from realtime.sources import Source

RECORDINGS = "recordings"  # where R puts them, without --record


def place(where: str, sources: int) -> Path:
    """What `--record` names, before any of the sources is opened.

    Raises:
        UsageError: it is neither a folder nor, for one source, an .mp4 file.
    """
    path = Path(where)
    if path.suffix and path.suffix.lower() != ".mp4" and not path.is_dir():
        raise UsageError(f"--record {where}: expected the name of an .mp4 file, or a folder")
    if path.suffix.lower() == ".mp4" and sources > 1:
        raise UsageError(f"--record {where}: {sources} sources are recorded into a folder, one file each")
    return path


class Recording:
    """The recorders of all sources, which begin and end together.

    Attributes:
        recorders: one for each source that comes live.
    """

    def __init__(self, where: str, sources: Sequence[Source], names: Sequence[str], console: Console, asked: bool):
        """
        Args:
            where: FILE.mp4 for one source, or a folder.
            asked: on the command line; then what cannot be recorded is a mistake.

        Raises:
            UsageError: as `place`; or a source is a file, which is kept already.
        """
        path = place(where, len(sources))
        files = [name for source, name in zip(sources, names, strict=True) if not isinstance(source, Tapped)]
        if asked and files:
            raise UsageError(f"--record keeps what comes live: {files[0]} is a file already; --as-live plays it as if it were a camera")
        say = common.complain("mer-live")
        live = [(source, name) for source, name in zip(sources, names, strict=True) if isinstance(source, Tapped)]
        self.recorders = [Recorder(source, name, path, say) for source, name in live]
        self._console, self._say = console, say
        self._refused = False

    @property
    def on(self) -> bool:
        return any(recorder.on for recorder in self.recorders)

    @property
    def exit_code(self) -> int:
        return max((recorder.exit_code for recorder in self.recorders), default=OutputError.exit_code * self._refused)

    def toggle(self) -> None:
        """Begin, or end what was begun; what hinders it is said."""
        if self.on:
            return self.end()
        try:
            self.begin()
        except OutputError as error:
            self._refused = True
            self._say(str(error))

    def begin(self) -> None:
        """
        Raises:
            OutputError: there is no room for it.
        """
        for recorder in self.recorders:
            recorder.start()
            self._console.print(f"recording to {recorder.path}: {CARE}", style="yellow")

    def end(self) -> None:
        for recorder in self.recorders:
            if words := recorder.stop():
                self._console.print(f"recorded {words}", style="dim")
