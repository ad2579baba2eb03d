"""Colours and letters: calm, for light and dark; every pair of text and ground has a contrast of 4.5 or more."""

from __future__ import annotations

from html import escape

LETTERS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
DIGITS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")
# page.css as it stands: Gradio rewrites the selectors of what it is given itself
HEAD = """
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/mer/static/shared/page.css">
<script type="module" src="/mer/static/shared/page.js"></script>
"""


def theme():
    """The Gradio theme. Its letters are the system's own: Gradio's come from a font service."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.slate,
        font=LETTERS,
        font_mono=DIGITS,
        radius_size=gr.themes.sizes.radius_md,
    ).set(
        body_background_fill="#f6f8f9",
        body_background_fill_dark="#10171c",
        body_text_color="#16232b",
        body_text_color_dark="#e6edf0",
        body_text_color_subdued="#4d5f6a",
        body_text_color_subdued_dark="#a6b6bf",
        block_background_fill="#ffffff",
        block_background_fill_dark="#182228",
        block_label_text_color="#37505d",
        block_label_text_color_dark="#c3d0d6",
        block_title_text_color="#37505d",
        block_title_text_color_dark="#c3d0d6",
        block_info_text_color="#4d5f6a",
        block_info_text_color_dark="#a6b6bf",
        border_color_primary="#d5dee2",
        border_color_primary_dark="#2b3a42",
        button_primary_background_fill="#0b6b63",
        button_primary_background_fill_hover="#09574f",
        button_primary_background_fill_dark="#0b6b63",
        button_primary_background_fill_hover_dark="#0d7a71",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#e4ebee",
        button_secondary_background_fill_hover="#d5dfe4",
        button_secondary_background_fill_dark="#26343c",
        button_secondary_background_fill_hover_dark="#30414b",
        button_secondary_text_color="#16232b",
        button_secondary_text_color_dark="#e6edf0",
        input_background_fill="#eef2f4",
        input_background_fill_dark="#202d35",
        input_border_width="1px",
        input_border_color="#a9b8c0",
        input_border_color_dark="#46575f",
        checkbox_border_color="#6b7d87",
        checkbox_border_color_dark="#8497a1",
        checkbox_background_color="#ffffff",
        checkbox_background_color_dark="#182228",
        input_placeholder_color="#5c6d77",
        input_placeholder_color_dark="#94a5ae",
        link_text_color="#0b6b63",
        link_text_color_dark="#6fd3c8",
        link_text_color_hover="#09574f",
        link_text_color_hover_dark="#97e4db",
    )


LANGUAGE = '<label class="mer-language">Language <select id="mer-language" translate="no"></select></label>'  # page/shared/language.js
HELP = '<button type="button" id="mer-help-button" class="mer-button mer-small" aria-haspopup="dialog" aria-keyshortcuts="?">Keys <kbd>?</kbd></button>'  # page/shared/help.js


def header(title: str, sentence: str, care: str, read_only: bool) -> str:
    badge = '<span class="mer-badge">Read only</span>' if read_only else ""
    return (
        f'<header class="mer-header"><div><h1>{escape(title)}{badge}</h1><p>{escape(sentence)}</p></div>'
        f'{LANGUAGE}<div class="mer-notes"><p class="mer-care" role="note">{escape(care)}</p>{HELP}</div></header>'
    )
