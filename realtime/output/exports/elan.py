"""ELAN's annotation format, EAF 3.0 (Max Planck Institute for Psycholinguistics; its schema is EAFv3.0.xsd)."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from realtime import __version__
from realtime.output.exports.found import Found, clean
from realtime.output.exports.tiers import Annotation, Tier, tiers_of
from realtime.records import UNSURE

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
VOCABULARY = "expressions"
# ELAN's words for how a tier hangs on its parent
WITHIN, BESIDE = "Included_In", "Symbolic_Association"
CONSTRAINTS = {
    WITHIN: "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
    BESIDE: "1-1 association with a parent annotation",
}
TYPES = {"movement": None, "moment": WITHIN, "property": BESIDE, "span": None, "marker": None}


def eaf(found: Found, folder: Path | None = None) -> bytes:
    """An .eaf file, to lie in `folder`: tiers "micro-expression" and "macro-expression" with an annotation for each event,
    whose value is its label (of a controlled vocabulary). What belongs to an event hangs on it in child tiers: its apex,
    one frame long, its score and confidence, and its estimated action units. "not judged" says where nothing could have been found, and why.

    More faces and each reviewer have tiers of their own; so have annotations that would overlap, which ELAN does not
    allow within a tier.
    """
    ET.register_namespace("xsi", XSI)
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    root = ET.Element("ANNOTATION_DOCUMENT", AUTHOR=f"mer-live {__version__}", DATE=now, FORMAT="3.0", VERSION="3.0")
    root.set(f"{{{XSI}}}noNamespaceSchemaLocation", SCHEMA)
    tiers = tiers_of(found)
    entries = {label: f"label{number}" for number, label in enumerate(_labels(found))}
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    absolute, relative = addresses(found, folder)
    kind = mimetypes.guess_type(found.name)[0] or "video/mp4"
    ET.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=absolute, MIME_TYPE=kind, RELATIVE_MEDIA_URL=relative)
    last = ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")

    slots = _time_order(root, tiers)
    ids = {one: f"a{number}" for number, one in enumerate((one for tier in tiers for one in tier.annotations), 1)}
    last.text = str(len(ids))
    for tier in tiers:
        _tier(root, tier, slots, ids, entries)
    for name, constraint in TYPES.items():
        facts = {"LINGUISTIC_TYPE_ID": name, "TIME_ALIGNABLE": str(constraint != BESIDE).lower(), "GRAPHIC_REFERENCES": "false"}
        facts |= {"CONSTRAINTS": constraint} if constraint else {}
        facts |= {"CONTROLLED_VOCABULARY_REF": VOCABULARY} if name == "movement" else {}
        ET.SubElement(root, "LINGUISTIC_TYPE", facts)
    ET.SubElement(root, "LANGUAGE", LANG_ID="und", LANG_LABEL="undetermined (und)", LANG_DEF="http://cdb.iso.org/lg/CDB-00130975-001")
    for name, words in CONSTRAINTS.items():
        ET.SubElement(root, "CONSTRAINT", STEREOTYPE=name, DESCRIPTION=words)
    _vocabulary(root, entries)
    ET.indent(root, "    ")
    return ET.tostring(root, encoding="UTF-8", xml_declaration=True)


def addresses(found: Found, folder: Path | None = None) -> tuple[str, str]:
    """Where the recording lies, absolute and seen from `folder`; beside the file where that is not known."""
    if found.path is None:
        name = _address(found.name)
        return f"file:///{name}", f"./{name}"
    path = Path(os.path.abspath(found.path))
    absolute, relative = path.as_posix(), f"./{path.name}"
    if folder is not None and path.drive == Path(os.path.abspath(folder)).drive:
        relative = Path(os.path.relpath(path, os.path.abspath(folder))).as_posix()
        relative = relative if relative.startswith("../") else f"./{relative}"
    return f"file://{'' if absolute.startswith('/') else '/'}{_address(absolute)}", _address(relative)


def _address(name: str) -> str:
    """A path for an xs:anyURI. ELAN takes it literally, so only what that type forbids is written otherwise."""
    name = clean(name).replace("%", "%25")
    return name if name.count("#") < 2 else name.replace("#", "%23")


def _labels(found: Found) -> list[str]:
    """What an event may be called: the network's classes, and what people have called one."""
    return list(dict.fromkeys([*found.classes, *(clean(event.label) for event in found.events), UNSURE]))


def _time_order(root: ET.Element, tiers: Sequence[Tier]) -> dict[tuple[Annotation, int], str]:
    """(annotation, 0 for its begin and 1 for its end) → the id of its moment."""
    moments = [
        ((one.begin, one.end)[end], place, number, end)
        for place, tier in enumerate(tiers)
        if tier.kind != "property"
        for number, one in enumerate(tier.annotations)
        for end in (0, 1)
    ]
    order, slots = ET.SubElement(root, "TIME_ORDER"), {}
    for count, (ms, place, number, end) in enumerate(sorted(moments), 1):
        slots[tiers[place].annotations[number], end] = f"ts{count}"
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{count}", TIME_VALUE=str(ms))
    return slots


def _tier(root: ET.Element, tier: Tier, slots: dict, ids: dict, entries: dict[str, str]) -> None:
    facts = {"TIER_ID": tier.name, "LINGUISTIC_TYPE_REF": tier.kind, "PARTICIPANT": tier.participant, "ANNOTATOR": tier.annotator}
    element = ET.SubElement(root, "TIER", facts | ({"PARENT_REF": tier.parent} if tier.parent else {}))
    for one in tier.annotations:
        which = {"ANNOTATION_ID": ids[one]}
        if tier.kind == "property":
            inner = ET.SubElement(ET.SubElement(element, "ANNOTATION"), "REF_ANNOTATION", which, ANNOTATION_REF=ids[one.of])
        else:
            which |= {"TIME_SLOT_REF1": slots[one, 0], "TIME_SLOT_REF2": slots[one, 1]}
            which |= {"CVE_REF": entries[one.value]} if tier.kind == "movement" else {}
            inner = ET.SubElement(ET.SubElement(element, "ANNOTATION"), "ALIGNABLE_ANNOTATION", which)
        ET.SubElement(inner, "ANNOTATION_VALUE").text = one.value


def _vocabulary(root: ET.Element, entries: dict[str, str]) -> None:
    vocabulary = ET.SubElement(root, "CONTROLLED_VOCABULARY", CV_ID=VOCABULARY)
    ET.SubElement(vocabulary, "DESCRIPTION", LANG_REF="und").text = "What a movement of the face may be called"
    for label, entry in entries.items():
        ET.SubElement(ET.SubElement(vocabulary, "CV_ENTRY_ML", CVE_ID=entry), "CVE_VALUE", LANG_REF="und").text = label
