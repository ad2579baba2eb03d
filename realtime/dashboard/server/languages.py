"""The page in other languages: words/ holds a file for each, from the English that stands in the sources to what is shown.

The server speaks English. Gradio's own i18n carries the files to the browser, with the page, and says what it has to say of
its controls by them; page/shared/language.js does the same for whatever else is shown.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

LANGUAGES = ("de", "fr", "es", "zh-CN", "ja")
TRANSLATED = ("label", "info", "placeholder")  # of a component; of those that only show a text, that, too
SHOWING = ("button", "markdown")
SCRIPT = b'<script type="module" src="/mer/static/shared/language.js"></script>'


@cache
def catalogue(language: str) -> dict[str, str]:
    """English → the language.

    `{n}`, of one letter, stands for a number; `{name}` for any other text, which is translated in its turn.
    """
    if language == "en":
        return {}
    return json.loads(files("realtime.dashboard").joinpath(f"words/{language}.json").read_text(encoding="utf-8"))


def spoken(accepted: str) -> str:
    """The first language in a header Accept-Language that is ours, for what is shown before there is a page; else "en"."""
    for wish in accepted.split(","):
        base = wish.partition(";")[0].strip().lower().partition("-")[0]
        for language in ("en", *LANGUAGES):
            if language.partition("-")[0] == base:
                return language
    return "en"


def i18n():
    """Gradio's object, of all the languages."""
    import gradio as gr

    return gr.I18n(**{language: catalogue(language) for language in LANGUAGES})


def marked(config: dict) -> dict:
    """Gradio's description of a page, with its mark at every text of a control that is in the catalogues."""
    from gradio.i18n import I18nData

    known = catalogue(LANGUAGES[0])
    for component in config["components"]:
        props, names = component["props"], (*TRANSLATED, *(["value"] if component["type"] in SHOWING else []))
        props |= {name: str(I18nData(props[name])) for name in names if isinstance(props.get(name), str) and props[name] in known}
    return config


class First:
    """ASGI middleware inside Gradio's own: the script that chooses the language stands before Gradio's in its page."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] != "/":
            return await self.app(scope, receive, send)
        begun = None

        async def sending(message):
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = message
                return
            body = message.get("body", b"")
            if begun is not None:
                body = body.replace(b"<head>", b"<head>" + SCRIPT, 1)
                more = len(body) - len(message.get("body", b""))
                length = [(name, str(int(value) + more).encode() if name == b"content-length" else value) for name, value in begun["headers"]]
                await send(begun | {"headers": length})
                begun = None
            await send(message | {"body": body})

        await self.app(scope, receive, sending)
