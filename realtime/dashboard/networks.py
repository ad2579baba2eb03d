"""What each network is and how good it is, in one line of plain words, from its manifest."""

from __future__ import annotations

import json

from engines.zoo import ZOO

SETS = {"casme2": "CASME II", "samm": "SAMM", "smic": "SMIC-HS", "casme3": "CAS(ME)³", "mmew": "MMEW"}
UF1 = "UF1: how well the classes are told apart, each counting alike; 1.00 would be all of them right."


def trained_on(name: str) -> str:
    """As "332 micro-expressions of 53 people (CASME II, SAMM, SMIC-HS)"; "" where the manifest does not say."""
    data = _manifest(name).get("training_data", {})
    what = f"{data['samples']} micro-expressions" if "samples" in data else f"{data['clips']} clips" if "clips" in data else ""
    if not what or "people" not in data:
        return ""
    if _synthetic(data):
        return f"{what}, drawn by computer on portraits of {data['people']} people; none were real"
    return f"{what} of {data['people']} people ({', '.join(SETS.get(one, one) for one in data['sets'])})"


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
    return f"names a movement {', '.join(first)} or {last}"


def _synthetic(data: dict) -> bool:
    return data.get("name") == "synthetic"


def _manifest(name: str) -> dict:
    try:
        return json.loads((ZOO / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
