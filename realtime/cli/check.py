"""`mer-live --check`: a few seconds of each source before a session, and whether they are good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from realtime.naming.recognizer import Recognizer
from realtime.pipeline import Pipeline
from realtime.sampling import Sampling
from realtime.sources import Source
from realtime.watching import LiveSettings

SECONDS = 5.0


def check(opened: Sequence[Source], names: Sequence[str], chosen: LiveSettings, recognizer: Recognizer, seconds: float = SECONDS) -> None:
    """Watch one source after another for so long, through all that a session does, and say what each is like.

    Raises:
        SourceError: one broke off.
    """
    for source, name in zip(opened, names, strict=True):
        sampling = Sampling()
        pipeline = Pipeline(name, chosen, recognizer=recognizer, now=source.info.now)
        try:
            for frame in source:
                sampling.add(pipeline(frame, source.waiting()))
                if sampling.seconds >= seconds:
                    break
        finally:
            counts = source.counts
            source.close()
            pipeline.close()
        click.echo(f"{name}, {source.info.width}×{source.info.height}, {sampling.seconds:.1f} s")
        findings = sampling.findings(source.info, counts, pipeline.remarks)
        for finding in findings:
            click.echo(f"  {finding.what:8} {finding.measured}")
        for line in counts.said:
            click.echo(f"  {line}")
        advice = [f"not at its best: {line}" for finding in findings for line in finding.advice]
        click.echo("\n".join(advice or [f"good: movements of {sampling.shortest_ms} ms and longer can be seen"]))


def patient(chosen: LiveSettings) -> LiveSettings:
    """The same settings, but a source that stays away is not waited for: who checks stands beside it."""
    return replace(chosen, source=replace(chosen.source, give_up_seconds=chosen.source.give_up_seconds or SECONDS))
