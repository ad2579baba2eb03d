"""What the page says of itself: three steps at a first visit, and its keys at `?`. Shown by page/shared/help.js."""

from __future__ import annotations

from realtime.dashboard.review.tab import JUDGE, LOOK, TRAIN

STEPS = (
    (
        "See it at work",
        "A face moves briefly, and each movement stands in the list: when it began, peaked and ended, and what it is called.",
        '<button type="button" class="mer-button mer-main" data-step="demo">Play the demo clip</button>',
    ),
    (
        "Look at your own",
        "Live takes your camera, once everyone in view has agreed. Replay takes recordings, and shows them frame by frame.",
        '<button type="button" class="mer-button" data-step="replay">Open Replay</button>',
    ),
    (
        "Correct it, take it with you",
        "Review is where you accept, correct and reject. Tables, ELAN files and reports are under Download.",
        '<button type="button" class="mer-button" data-step="review">Open Review</button>',
    ),
)
EVERYWHERE = (
    ("<kbd>?</kbd>", "show these keys"),
    ("<kbd>Esc</kbd>", "close what is open"),
    ("<kbd>Tab</kbd>", "to the next control"),
    ("<kbd>←</kbd> <kbd>→</kbd>", "to another tab, where one has the focus"),
)
LIVE = (
    ("<kbd>Enter</kbd>", "watch the source that was typed, or show the event that has the focus"),
    ("<kbd>Space</kbd>", "press the button, or tick the box, that has the focus"),
)
REPLAY = (
    ("<kbd>←</kbd> <kbd>→</kbd>", "a frame back or on"),
    ("<kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd>", "ten frames"),
    ("<kbd>↑</kbd> <kbd>↓</kbd>", "the event before or after"),
    ("<kbd>Home</kbd> <kbd>End</kbd>", "the first or the last frame"),
    ("<kbd>Space</kbd>", "play or pause"),
    ("<kbd>+</kbd> <kbd>−</kbd>", "zoom in or out"),
)


def welcome() -> str:
    """The three steps, hidden until the script knows that this browser has not seen them."""
    steps = "".join(f"<li><h3>{title}</h3><p>{about}</p>{button}</li>" for title, about, button in STEPS)
    return (
        '<section id="mer-welcome" aria-labelledby="mer-welcome-title" hidden><h2 id="mer-welcome-title">Three steps to begin with</h2>'
        '<button type="button" class="mer-close" data-step="done" aria-label="Close the three steps">×</button>'
        f"<ol>{steps}</ol></section>"
    )


def keys(read_only: bool) -> str:
    """The dialog with the keys of each tab."""
    review = LOOK if read_only else LOOK + JUDGE + TRAIN
    tabs = {"Everywhere": _rows(EVERYWHERE), "Live": _rows(LIVE), "Replay": _rows(REPLAY), "Review": review}
    parts = "".join(f'<section data-tab="{name.lower()}"><h3>{name}</h3><dl>{rows}</dl></section>' for name, rows in tabs.items())
    return (
        '<dialog id="mer-help" class="mer-dialog" aria-labelledby="mer-help-title"><form method="dialog">'
        f'<h2 id="mer-help-title" tabindex="-1" autofocus>Keys</h2><div class="mer-keys">{parts}</div>'
        '<p class="mer-state">While you type in a field, its letters are yours: Esc gives the keys back.</p>'
        '<div class="mer-answer"><button class="mer-button" value="steps">Show the first steps</button>'
        '<button class="mer-button mer-main" value="">Close</button></div></form></dialog>'
    )


def _rows(pairs: tuple[tuple[str, str], ...]) -> str:
    return "".join(f"<div><dt>{keys}</dt><dd>{what}</dd></div>" for keys, what in pairs)
