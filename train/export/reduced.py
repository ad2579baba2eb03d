"""How far a network falls short of its paper's, so that no card passes a small one off as the paper's."""

from __future__ import annotations

from train.methods import method
from train.settings import chosen

PAPERS = ("skd_tstsan", "moext", "dual_atme", "sa_at")
FILES = ("magnet", "style_file")  # settings of a model that name a file
OURS = {"sa_at": {"input": "apex"}}  # what we have otherwise in full size, too
SAME_NETWORK = ("chunk", "recompute")  # settings of memory and speed alone


def reduced(about: dict) -> dict[str, str]:
    """{"network": …, "training": …} in words, of a manifest: what is not as in the paper, its value in brackets. Empty where all is."""
    if about["name"] not in PAPERS:
        return {}
    paper = chosen(f"model={about['name']}").as_dict()
    found = {}
    if other := _other(about["model"], paper["model"] | OURS.get(about["name"], {})):
        whole = method(about["name"]).build(chosen(f"model={about['name']}").model, len(about["classes"]))
        parameters = sum(parameter.numel() for parameter in whole.parameters())
        found["network"] = f"{about['parameters'] / parameters:.1%} of the paper's {parameters:,} parameters: {other}"
    if other := _other(about["training"], paper["fit"]):
        found["training"] = f"schedule {about['training']['schedule']}: {other}"
    return found


def _other(own: dict, paper: dict) -> str:
    """The settings of `own` that the paper has otherwise; what was no setting when the network was made is as it is today."""
    known = {key: value for key, value in paper.items() if key in own and key not in (*FILES, *SAME_NETWORK)}
    return ", ".join(f"{key} {_word(own[key])} ({_word(value)})" for key, value in known.items() if own[key] != value)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
