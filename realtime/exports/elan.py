"""ELAN's annotation format, EAF 3.0 (Max Planck Institute for Psycholinguistics; its schema is EAFv3.0.xsd)."""

from __future__ import annotations

import mimetypes
import re
from datetime import datetime
from xml.etree import ElementTree as ET

from realtime import __version__
from realtime.exports import Found
from realtime.records import Event

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TIERS = {"micro": "micro-expression", "macro": "macro-expression"}
TYPE = "movement"
Span = tuple[int, int, str]  # begin and end in milliseconds, words


def eaf(found: Found) -> bytes:
    """An .eaf file: tiers "micro-expression" and "macro-expression" with an annotation each event ("surprise 0.85"), and
    "apex" with its moment, one frame long. More faces have tiers of their own; so have annotations that would overlap,
    which ELAN does not allow within a tier.
    """
    ET.register_namespace("xsi", XSI)
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    root = ET.Element("ANNOTATION_DOCUMENT", AUTHOR=f"mer-live {__version__}", DATE=now, FORMAT="3.0", VERSION="3.0")
    root.set(f"{{{XSI}}}noNamespaceSchemaLocation", SCHEMA)
    tiers = _tiers(found)
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    name = _address(clean(found.name))
    kind = mimetypes.guess_type(name)[0] or "video/mp4"
    # where the recording lies is nobody's business: ELAN looks beside the .eaf, and asks where it is not there
    ET.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=f"file:///{name}", MIME_TYPE=kind, RELATIVE_MEDIA_URL=f"./{name}")
    ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(sum(len(spans) for _, _, spans in tiers))

    moments = sorted((ms, tier, place, end) for tier, (_, _, spans) in enumerate(tiers)
                     for place, span in enumerate(spans) for end, ms in enumerate(span[:2]))  # fmt: skip
    order, slots = ET.SubElement(root, "TIME_ORDER"), {}
    for number, (ms, *which) in enumerate(moments, 1):
        slots[tuple(which)] = f"ts{number}"
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(ms))
    number = 0
    for index, (tier_id, face, spans) in enumerate(tiers):
        tier = ET.SubElement(root, "TIER", TIER_ID=tier_id, LINGUISTIC_TYPE_REF=TYPE, PARTICIPANT=face, ANNOTATOR="mer-live")
        for place, (_, _, words) in enumerate(spans):
            number += 1
            one = ET.SubElement(
                ET.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{number}",
                TIME_SLOT_REF1=slots[index, place, 0], TIME_SLOT_REF2=slots[index, place, 1],
            )  # fmt: skip
            ET.SubElement(one, "ANNOTATION_VALUE").text = clean(words)
    ET.SubElement(root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID=TYPE, TIME_ALIGNABLE="true", GRAPHIC_REFERENCES="false")
    ET.indent(root, "    ")
    return ET.tostring(root, encoding="UTF-8", xml_declaration=True)


def clean(words: str) -> str:
    """Without what XML cannot hold: control characters, and the undecodable bytes of a file name."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", words)


def _address(name: str) -> str:
    """A file name for an xs:anyURI. ELAN takes it literally, so only what that type forbids is written otherwise."""
    name = name.replace("%", "%25")
    return name if name.count("#") < 2 else name.replace("#", "%23")


def _tiers(found: Found) -> list[tuple[str, str, list[Span]]]:
    """(name, participant, spans by time) of each tier. The two of the first face are there even without events."""
    faces = sorted({event.face for event in found.events}) or [0]
    frame = max(1, round(found.frame_s * 1000))
    tiers = []
    for place, face in enumerate(faces):
        mine = sorted((event for event in found.events if event.face == face), key=lambda event: event.onset_s)
        of = "" if place == 0 else f" face {place + 1}"
        wanted = {f"{name}{of}": [_span(event) for event in mine if event.kind == kind] for kind, name in TIERS.items()}
        wanted[f"apex{of}"] = [(ms := round(event.apex_s * 1000), ms + frame, event.label) for event in mine]
        for name, spans in wanted.items():
            for lane, some in enumerate(_apart(sorted(spans))):
                tiers.append((name if lane == 0 else f"{name} {lane + 1}", f"face {place + 1}", some))
    return tiers


def _span(event: Event) -> Span:
    begin, end = round(event.onset_s * 1000), round(event.offset_s * 1000)
    return begin, max(end, begin + 1), f"{event.label} {event.score:.2f}"


def _apart(spans: list[Span]) -> list[list[Span]]:
    """Spread over as many lists as it takes for none to hold two that overlap; one, empty, where there are none."""
    lanes: list[list[Span]] = [[]]
    for span in spans:
        for lane in lanes:
            if not lane or lane[-1][1] <= span[0]:
                lane.append(span)
                break
        else:
            lanes.append([span])
    return lanes
