"""The texts that stand in the sources of the page: Python's strings, those of the scripts, and what stands in their HTML.

A hole is what a value is put into: f"{n} events" and `${n} events` are "{} events".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

SHOWN = ("alt", "aria-label", "aria-valuetext", "data-word", "label", "placeholder", "title")  # as page/shared/language.js
HTML = re.compile(r"</?[a-z]\w*[\s/>]")
SPECIAL = re.compile(r"//[^\n]*|/\*.*?\*/|[\"'`{}]", re.DOTALL)


def normal(text: str) -> str:
    """Holes without their names and units, several at one place as one; no holes and joints at the ends."""
    text = re.sub(r"(\{\w*\})+", "{}", " ".join(text.split()))
    text = re.sub(r"\{\} ?(%|ms|s|MB)(?!\w)", "{}", text)
    text = re.sub(r"^[ ;:,.]*(\{\}[ ;:,.]*)+|([ ;:,]*\{\})+$", "", text)
    return text.strip(" ;:,")


def pieces(text: str) -> list[str]:
    """A normal text as page/shared/translate.js takes it apart where it does not know it: sentences, without their stops."""
    return [normal(one).removesuffix(".") for one in re.split(r"(?<=[.!?…]) (?=\S)", text)]


class _Html(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.texts, self._silent = [], 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._silent += tag in ("style", "script")
        self.texts += [value for name, value in attrs if name in SHOWN and value]

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "script")

    def handle_data(self, data):
        self.texts += [] if self._silent else [data]


def parts(text: str) -> tuple[list[str], bool]:
    """What a browser shows of a string, each part by itself; whether it is HTML."""
    if HTML.search(text):
        return [" ".join(one.split()) for one in _Html(text).texts], True
    return [" ".join(line.strip("# ").split()) for line in text.split("\n")], False


def python(source: str) -> Iterator[str]:
    """Every string of a Python file but its docstrings."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            waiting += [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield re.sub(r"\{\w*(:\w*)?\}", "{}", node.value)
        else:
            waiting += ast.iter_child_nodes(node)


def script(source: str) -> list[str]:
    """Every string and template of a script; those in the values of a template, too."""
    found: list[str] = []

    def code(at: int) -> int:
        """After the brace that ends it."""
        while match := SPECIAL.search(source, at):
            mark, at = match[0], match.end()
            if mark == "}":
                return at
            if mark == "{":
                at = code(at)
            elif mark in "\"'`":
                at = string(at, mark)
        return len(source)

    def string(at: int, quote: str) -> int:
        said = ""
        while source[at] != quote:
            if quote == "`" and source.startswith("${", at):
                said, at = said + "{}", code(at + 2)
                continue
            at += source[at] == "\\"
            said, at = said + source[at], at + 1
        found.append(said)
        return at + 1

    # a pattern may hold quotes
    source = re.sub(
        r"(?<=[(,=:!] )/(?![/*])(?:\\.|\[(?:\\.|[^\]])*\]|[^/\n\[\\])+/[a-z]*|(?<=\()/(?![/*])(?:\\.|\[(?:\\.|[^\]])*\]|[^/\n\[\\])+/[a-z]*",
        "0",
        source,
    )
    at = 0
    while at < len(source):
        at = code(at)
    return found


def texts(path: Path) -> list[str]:
    source = path.read_text(encoding="utf-8")
    return list(python(source)) if path.suffix == ".py" else script(source)


def all_parts(path: Path) -> set[str]:
    """Of a source, whatever could be shown."""
    return {normal(part) for text in texts(path) for part in parts(text)[0]}


def for_people(path: Path) -> set[str]:
    """Of a source of the page, what is words: several of them, or one that begins with a capital or stands in HTML."""
    found = set()
    for text in texts(path):
        shown, html = parts(text)
        for one in map(normal, shown):
            wordy = re.search(r"[A-Za-z]{2}", one.replace("{}", "")) and not CODE.search(one)
            if wordy and (html or " " in one or re.fullmatch(r"[A-Z][a-z]+[.…:]?", one)):
                found.add(one)
    return found


# selectors, class names, pieces of scripts, headers of HTTP
CODE = re.compile(
    r"=>|\b(mer|mr|rv)-(?!live|demo|train|replay|log\b)|\[data-|import\(|\.\w+\(|[{(]\w*, ?\w+|: \w+ *[{}]|[#.:]\w+ ?[>\[,]|=\"|^\w+: \w+$|; (charset|Secure)|'self'"
)
