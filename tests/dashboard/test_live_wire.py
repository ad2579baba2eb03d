"""The bytes of the WebSocket are those that the page's own tests know (tests/page/wire.test.js)."""

import json

import pytest
from places import ROOT

from realtime.dashboard.live.outbox import with_head
from realtime.dashboard.live.socket import chunk
from realtime.errors import SourceError

KNOWN = json.loads((ROOT / "tests/page/wire.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("known", KNOWN["chunks"], ids=range(len(KNOWN["chunks"])))
def test_a_picture_of_the_camera_is_read_as_the_page_writes_it(known):
    packet = chunk(bytes.fromhex(known["message"]))
    assert (packet.microseconds, packet.key, packet.layout, packet.full) == (known["microseconds"], known["key"], known["layout"], known["full"])
    assert packet.data == bytes.fromhex(known["data"])
    with pytest.raises(SourceError):
        chunk(bytes.fromhex(known["message"])[:-1])


@pytest.mark.parametrize("known", KNOWN["pictures"], ids=range(len(KNOWN["pictures"])))
def test_a_picture_is_written_as_the_page_reads_it(known):
    assert with_head(known["head"], bytes.fromhex(known["data"])) == bytes.fromhex(known["message"])
