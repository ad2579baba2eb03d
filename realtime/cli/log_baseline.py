"""`mer-log baseline`: what is kept of participants."""

from __future__ import annotations

import click

from realtime.cli import common
from realtime.cli.console import print_table
from realtime.output import baselines


@click.group("baseline", cls=common.Group)
def baseline():
    """What was learnt of participants (mer-live --baseline, mer-replay --baseline): numbers, no picture."""


@baseline.command("list")
def list_them():
    """List the participants with a baseline."""
    found = baselines.listed()
    if not found:
        click.echo("no baselines yet: mer-live --participant NAME --baseline 30 learns one")
        return
    print_table(
        ["participant", "made", "seconds", "blinks a minute", "blink below", "speech", "alarms", "reported from"],
        [
            [one.participant, made[:16].replace("T", " "), f"{one.seconds:.0f}", one.blinks_a_minute, one.blink_drop, f"{100 * one.speech:.0f} %"]
            + [len(one.alarms), one.confidence]
            for one, made in found
        ],
    )


@baseline.command("delete")
@click.argument("participant")
def delete(participant):
    """Delete a participant's baseline."""
    baselines.delete(participant)
    click.echo(f"the baseline of {participant} is deleted")
