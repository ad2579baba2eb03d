"""A coder's ELAN file with our tiers in it: everything that was there stays as it was."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from realtime.errors import UsageError
from realtime.output.exports.elan import XSI

OURS = "mer-live"
# the order that EAFv3.0.xsd wants; what is not named here stays behind these
ORDER = ("LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT", "CONTROLLED_VOCABULARY")
IDS = ("TIME_SLOT_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2", "ANNOTATION_ID", "ANNOTATION_REF", "CVE_ID", "CVE_REF")
NAMES = ("LINGUISTIC_TYPE_ID", "LINGUISTIC_TYPE_REF", "CV_ID", "CONTROLLED_VOCABULARY_REF")
KEYS = {"LANGUAGE": "LANG_ID", "CONSTRAINT": "STEREOTYPE"}  # of what is the same in every file


def merged(theirs: bytes, ours: bytes, named: str) -> bytes:
    """`theirs` with the tiers of `ours`, both .eaf documents. Tiers that an earlier merging has left are replaced.

    Args:
        named: what their file is called, for messages.

    Raises:
        UsageError: theirs is no ELAN document.
    """
    ET.register_namespace("xsi", XSI)
    try:
        document = ET.fromstring(theirs)
    except ET.ParseError as error:
        raise UsageError(f"{named} is no ELAN file ({error})") from error
    if document.tag != "ANNOTATION_DOCUMENT" or document.find("TIME_ORDER") is None:
        raise UsageError(f"{named} is no ELAN file: it begins with <{document.tag}>")
    _forget_ours(document)
    added = ET.fromstring(ours)
    _renamed(added, {tier.get("TIER_ID") for tier in document.iter("TIER")})
    document.find("TIME_ORDER").extend(added.find("TIME_ORDER"))
    for element in added:
        key = KEYS.get(element.tag)
        known = key and any(one.get(key) == element.get(key) for one in document.findall(element.tag))
        if element.tag not in ("HEADER", "TIME_ORDER") and not known:
            document.append(element)
    parts = list(document)
    document[:] = sorted(parts, key=lambda one: ORDER.index(one.tag) if one.tag in ORDER else len(ORDER))  # stable: theirs come first
    ET.indent(document, "    ")
    return ET.tostring(document, encoding="UTF-8", xml_declaration=True)


def _forget_ours(document: ET.Element) -> None:
    """Take out what an earlier merging has put in: its ids begin with OURS."""
    for element in list(document):
        ids = [one.get(name, "") for one in element.iter() for name in (*IDS, *NAMES)]
        if element.tag in ("LINGUISTIC_TYPE", "CONTROLLED_VOCABULARY") and any(name.startswith(OURS) for name in ids):
            document.remove(element)
        elif element.tag == "TIER" and element.get("LINGUISTIC_TYPE_REF", "").startswith(OURS):
            document.remove(element)
    order = document.find("TIME_ORDER")
    for slot in [slot for slot in order if slot.get("TIME_SLOT_ID", "").startswith(OURS)]:
        order.remove(slot)


def _renamed(document: ET.Element, taken: set[str | None]) -> None:
    """Ids of ours that can be none of theirs; tiers keep their names where they can."""
    tiers = {tier.get("TIER_ID"): f"{tier.get('TIER_ID')} ({OURS})" for tier in document.iter("TIER") if tier.get("TIER_ID") in taken}
    for element in document.iter():
        for name in (*IDS, *NAMES):
            if (value := element.get(name)) is not None:
                element.set(name, f"{OURS}-{value}")
        for name in ("TIER_ID", "PARENT_REF"):
            if element.get(name) in tiers:
                element.set(name, tiers[element.get(name)])
