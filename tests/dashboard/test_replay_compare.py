"""What is said of two networks that were asked about the same movements."""

import json
import re
from html import unescape

from realtime.dashboard.replay.compare import comparison
from realtime.output.exports import Found
from realtime.records import Event


def event(number, label, **scores):
    return Event(number, "a.mp4", 0, number, number + 0.1, number + 0.2, label, scores, "one", 1.0)


def compared(*pairs):
    """pairs: (label and scores of the first, those of the second)."""
    events = [event(i, label, **scores) for i, ((label, scores), _) in enumerate(pairs, 1)]
    answers = {i: answer for i, (_, answer) in enumerate(pairs, 1)}
    return comparison(Found("a.mp4", events, model="one"), "<two>", answers)


GOOD, BAD = ("positive", {"positive": 0.9, "negative": 0.1}), ("negative", {"positive": 0.2, "negative": 0.8})
NEITHER = ("unsure", {"positive": 0.51, "negative": 0.49})


def test_it_says_how_many_differ_which_and_how():
    page = compared((GOOD, GOOD), (GOOD, BAD), (BAD, BAD), (BAD, NEITHER))
    text = unescape(re.sub("<[^>]+>", " ", page))
    assert "2 of 4 events have the same label (50 %). Cohen's kappa, which takes chance out: 0.20." in text
    assert "one: positive, <two>: negative , event 2" in text and "one: negative, <two>: unsure , event 4" in text
    assert re.findall(r"<td>(same|differs)</td>", page) == ["same", "differs", "same", "differs"]
    assert "unsure (positive 0.51)" in page
    assert "<two>" not in page


def test_the_timeline_is_told_the_others_answers():
    page = compared((GOOD, BAD), (GOOD, ("<b>odd</b>", {"<b>odd</b>": 1.0})))
    told = json.loads(unescape(re.search(r'data-compared="([^"]*)"', page)[1]))
    assert told["model"] == "<two>" and told["answers"]["1"] == {"label": "negative", "scores": BAD[1]}
    assert told["answers"]["2"]["label"] == "<b>odd</b>" and "<b>odd" not in page


def test_of_many_that_differ_the_first_are_named():
    text = compared(*[(GOOD, BAD)] * 20)
    assert "events 1, 2, 3, 4, 5, 6, 7, 8 and 12 more" in text and "0 of 20" in text


def test_nothing_to_compare_is_said_as_such():
    assert "no movement to compare" in compared()
