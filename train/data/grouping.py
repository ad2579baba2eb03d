"""From the emotions that a set annotates to the classes that a network tells apart, as in the papers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.errors import UsageError

EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "repression", "sadness", "surprise")
KNOWN = (*EMOTIONS, "others", "neutral", "negative", "positive")  # the last two: SMIC, and sets that come grouped
SAME = {"other": "others", "happy": "happiness", "sad": "sadness", "angry": "anger"}  # SAMM, CAS(ME)³, folders

_THREE = {
    **dict.fromkeys(("anger", "contempt", "disgust", "fear", "repression", "sadness", "negative"), "negative"),
    **dict.fromkeys(("happiness", "positive"), "positive"),
    "surprise": "surprise",
}


def _own(*classes: str) -> tuple[tuple[str, ...], dict[str, str]]:
    return classes, {name: name for name in classes}


# name → the classes in their order, and the emotion → class; an emotion not named is left out
GROUPINGS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    # MEGC2019's composite: SMIC-HS, CASME II and SAMM, less the clips of DROPPED
    "megc2019": (("negative", "positive", "surprise"), _THREE),
    # SKD-TSTSAN Sec. 4.1, on CASME II, SAMM and CAS(ME)³; MoExt and every other set likewise
    "three": (("negative", "positive", "surprise"), _THREE),
    "casme2_5": _own("happiness", "disgust", "repression", "surprise", "others"),  # Sec. 4.1
    "samm_5": _own("happiness", "anger", "contempt", "surprise", "others"),  # the field's five with 10 clips or more
    "mmew_4": _own("happiness", "disgust", "surprise", "others"),  # Sec. 4.1
    "mmew_6": _own("happiness", "disgust", "surprise", "fear", "sadness", "others"),  # Sec. 4.1: all but anger
    "casme3_4": (("negative", "positive", "surprise", "others"), {**_THREE, "others": "others"}),  # Sec. 4.1
    "casme3_7": _own("anger", "disgust", "fear", "happiness", "others", "sadness", "surprise"),  # Sec. 4.1
    "dfme_7": _own("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"),  # Zhao et al. 2023
    "4dme_5": _own("negative", "positive", "surprise", "repression", "others"),  # Li et al. 2022
    "ckplus_7": _own("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"),  # Sec. 4.2
    "synthetic_8": _own(*EMOTIONS),  # all that mer-synth shows
}

# where a set's own rule differs. CASME II: its 7 sad and 2 fearful clips are in no three classes (SKD-TSTSAN Sec. 4.1;
# Dual-ATME Table 2: 88 negative clips are disgust and repression), while SAMM's are.
EXCEPT = {
    ("megc2019", "casme2"): {"sadness": None, "fear": None},
    ("three", "casme2"): {"sadness": None, "fear": None},
    ("casme3_4", "casme2"): {"sadness": None, "fear": None},
}

# clips of CASME II that the composite's 442 do not hold: clip → the one class under which they do, if any
# (sub05/EP12_03f is often named as dropped, but the 25 surprises are complete only with it)
DROPPED = {"sub04/EP12_01f": None, "sub24/EP02_07": None, "sub05/EP12_03f": "surprise"}

# the composite's clips and people (Dual-ATME Table 2); together 250, 109, 83 and 68
COMPOSITE = {"smic": (70, 51, 43, 16), "casme2": (88, 32, 25, 24), "samm": (92, 26, 15, 28)}


def classes(name: str) -> tuple[str, ...]:
    """The classes of a grouping, in the order of the labels 0, 1, ….

    Raises:
        UsageError: it is unknown.
    """
    if name not in GROUPINGS:
        raise UsageError(f"no grouping '{name}': choose one of {', '.join(GROUPINGS)}")
    return GROUPINGS[name][0]


def grouping(name: str, dataset: str) -> dict[str, str | None]:
    """Every known emotion of `dataset` (in lower case) → its class, or None where the clip is left out on purpose.

    Raises:
        UsageError: it is unknown, or one that SMIC's labels cannot be put into.
    """
    if dataset == "smic" and "negative" not in classes(name):
        raise UsageError(f"SMIC is labelled negative, positive, surprise only, not for '{name}': use three or megc2019")
    to_class = {**dict.fromkeys(KNOWN), **GROUPINGS[name][1]}
    to_class |= EXCEPT.get((name, dataset), {})
    return to_class | {alias: to_class[emotion] for alias, emotion in SAME.items()}


def class_of(name: str, dataset: str, clip: str, label: str, row: str = "") -> str | None:
    """The class of one clip; None where the grouping leaves it out on purpose.

    A clip of several emotions (4DME's "negative+repression") is of the one class of all that are in any.

    Args:
        clip: its name.
        label: as in `Clip`.
        row: as in `Clip`.

    Raises:
        UsageError: the label is no known emotion; the row is named.
    """
    to_class = grouping(name, dataset)
    for emotion in label.split("+"):
        if emotion not in to_class:
            known = ", ".join(KNOWN)
            raise UsageError(f"{row or f'{dataset} {clip}'}: the emotion '{emotion}' is none of {known}: correct the table")
    groups = {to_class[emotion] for emotion in label.split("+")} - {None}
    group = groups.pop() if len(groups) == 1 else None
    dropped = (name, dataset) == ("megc2019", "casme2") and group != DROPPED.get(clip, group)
    return None if dropped else group


Strings = Sequence[str] | np.ndarray


def check_composite(dataset: Strings, subject: Strings, label: Strings) -> list[str]:
    """How the clips differ from MEGC2019's composite: a line for each set and one for the whole; none where equal.

    dataset, subject, label (the class): one entry for each clip. Says nothing unless all three sets are there.
    """
    sets, people, labels = (np.asarray(part, str) for part in (dataset, subject, label))
    if not set(COMPOSITE) <= set(sets):
        return []
    lines, total = [], np.zeros(4, int)
    for name, expected in COMPOSITE.items():
        mine = sets == name
        got = [int((mine & (labels == group)).sum()) for group in classes("megc2019")] + [len(set(people[mine]))]
        total += got
        lines += _difference(name, got, expected)
    return lines + _difference("the composite", total.tolist(), np.sum(list(COMPOSITE.values()), axis=0).tolist())


def _difference(name: str, got: Sequence[int], expected: Sequence[int]) -> list[str]:
    if list(got) == list(expected):
        return []
    parts = zip((*classes("megc2019"), "people"), got, expected, strict=True)
    return [f"{name}: " + ", ".join(f"{g} {what} (MEGC2019: {e})" for what, g, e in parts if g != e)]
