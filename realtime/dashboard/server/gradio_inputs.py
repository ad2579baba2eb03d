"""What a page may hand to a function of Gradio's: for each input a value of its own kind.

Gradio itself takes any object for any input, looks in it for {"path": …}, and fetches or copies what that names. The browser
is not asked to behave: what is refused here never reaches Gradio's own reading of it, whichever way it came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar

import gradio as gr
from gradio.components import Component

from realtime.dashboard.server.browser_json import all_plain, written
from realtime.dashboard.server.languages import marked
from realtime.errors import MerError, UsageError

MOST_TEXT = 100_000  # characters of a box
MOST_WORDS = 1000  # of a list that is chosen from
MOST_PICTURE = 8 * 2**20  # characters of one picture of a camera, as a data: address
LARGEST = 1e15  # a number beyond means nothing on this page
PICTURE = "data:image/"
NOT_TAKEN = "the page sent a value that its control does not have: reload it"
MOST_NAME = 64  # characters of a page's own name

refusals: ContextVar[list[str]] = ContextVar("refusals")  # of a request, for whoever answers it


class Page(gr.Blocks):
    """Blocks that look at what comes in before Gradio does.

    Args:
        find: raises MerError for a path that is no upload of ours.
    """

    def __init__(self, find: Callable[[str], object], **options):
        super().__init__(**options)
        self._find = find
        self.has_launched = True  # mounted on another app it never says so, and then Gradio checks no path at all

    def get_config_file(self, *more, **named):
        return marked(super().get_config_file(*more, **named))

    def check(self, asked: dict) -> None:
        """Before a function is run.

        Args:
            asked: what a page sends to have it run.

        Raises:
            MerError: for what it does not take.
        """
        number, name = asked.get("fn_index"), asked.get("session_hash")
        if not isinstance(number, int) or number not in self.fns or self.fns[number].fn is None:
            raise UsageError("there is no such control: reload the page")
        if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME:
            raise UsageError("the page does not say which one it is: reload it")
        check(self.fns[number].inputs, asked.get("data"), self._find)

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        try:
            check(block_fn.inputs, inputs, self._find)
            texts = [isinstance(component, gr.Textbox) for component in block_fn.inputs]
            inputs = ["" if text and value is None else value for text, value in zip(texts, inputs, strict=True)]
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except Exception as error:  # whatever Gradio makes of it, what was sent is to blame
            line = str(error) if isinstance(error, MerError) else NOT_TAKEN
            refusals.get([]).append(line)
            raise gr.Error(line, print_exception=False) from None

    async def postprocess_data(self, block_fn, predictions, state):
        """A name that is not UTF-8, of a file or from the log, is no reason to answer nothing."""
        return all_plain(await super().postprocess_data(block_fn, predictions, state))


def check(components: Sequence[Component], values: object, find: Callable[[str], object]) -> None:
    """One value for each input.

    Raises:
        UsageError: for another kind of value, or what `find` raises of a file's path.
    """
    if not isinstance(values, list) or len(values) != len(components):
        raise UsageError(f"this control sends {len(components)} values: reload the page")
    for component, value in zip(components, values, strict=True):
        if value is None:
            continue
        if isinstance(component, gr.File | gr.UploadButton):
            for one in value if isinstance(value, list) else [value]:
                if not isinstance(one, dict):
                    raise UsageError("a file was expected: drop the recording on the page again")
                find(one.get("path"))
        elif not _kind(component)(value):
            raise UsageError(f"that is no value for '{component.label or component.get_block_name()}': reload the page")


def _kind(component: Component) -> Callable[[object], bool]:
    kinds = ((gr.Image, _picture), (gr.Textbox, _text), (gr.Checkbox, _truth), ((gr.Number, gr.Slider), _number))
    return next((check for kind, check in kinds if isinstance(component, kind)), _words)


def _text(value) -> bool:
    return isinstance(value, str) and len(value) <= MOST_TEXT and written(value)


def _truth(value) -> bool:
    return isinstance(value, bool)


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and abs(value) <= LARGEST


def _scalar(value) -> bool:
    return value is None or _truth(value) or _number(value) or _text(value)


def _words(value) -> bool:
    """What is chosen, or several."""
    return all(map(_scalar, value)) and len(value) <= MOST_WORDS if isinstance(value, list) else _scalar(value)


def _picture(value) -> bool:
    """A picture of a camera: it is in the value itself and in no file."""
    address = value.get("url") if isinstance(value, dict) else None
    fits = isinstance(address, str) and address.startswith(PICTURE) and len(address) <= MOST_PICTURE
    return fits and value.get("path") is None and not value.get("is_stream")
