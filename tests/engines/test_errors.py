"""What is told while the work goes on: each line once, to whoever listens, by Python's logging."""

import logging

from engines.errors import on_notice, once


def test_a_line_is_said_once_whatever_a_library_sets_for_all(notices, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "level", logging.CRITICAL)
    heard = []
    with on_notice(heard.append):
        for line in ("100 % full", "gone", "100 % full"):
            logging.getLogger("mer_live").warning(line)
    logging.getLogger("mer_live").warning("nobody listens")
    assert heard == ["100 % full", "gone"] and notices == caplog.messages == [*heard, "nobody listens"]
    once.forget()
    logging.getLogger("mer_live").warning("gone")
    assert notices[-2:] == ["nobody listens", "gone"]
