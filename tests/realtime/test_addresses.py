"""Passwords in addresses are never shown, whatever they hold, and no proxy stands between us and a camera nearby."""

import json
import os
import subprocess
import sys

import pytest
from places import ROOT

from realtime.errors import SourceError
from realtime.sources import open_source
from realtime.sources.addresses import check_address, forget_socks, host_of, proxy_for, without_password


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://me:s3cr3t@host/1",
        "rtsp://me:s3c/r3t@host/1",
        "rtsp://me:s3c#r3t@host/1",
        "rtsp://me:s3c]r3t@host/1",
        "rtsp://me:s3c@r3t@host/1",
        "rtsp://me:s3c:r3t@host/1",
        "rtsp://me:s3c?r3t@host/1",
        "rtsp://me:p@s3c/r3t@host/1",
        "http://host/1?user=me&password=s3cr3t&channel=1",
        "http://host/1?usr=me&pwd=s3cr3t",
        "http://host/1?loginuse=me&loginpas=s3cr3t",
        "http://host/1?access_token=s3cr3t",
        "http://host/1?p=s3cr3t",
        "rtsp://host:554/user=me_password=s3cr3t_channel=1.sdp",
        "http://me:s3cr3t@[fe80::1]:80/1",
        "rtsp://me:12/s3cr3t@host/1",
    ],
)
def test_no_password_is_shown(url):
    for user in (True, False):
        shown = without_password(url, user)
        assert "s3c" not in shown and "r3t" not in shown and ("host" in shown or "fe80" in shown)
        assert without_password(shown, user) == shown
        assert "s3c" not in without_password(json.dumps({"sources": [f"{url}"], "more": f"cannot open {url}: no"}), user)
    assert "me:***@" in without_password(url, user=True) or "?" in url or "me_" in url


@pytest.mark.parametrize(
    "url", ["http://host:80/a?b=c", "http://10.0.0.1:80/live@2", "rtsp://host/live@2", "rtsp://[::1]:554/a@b", "a:b@c, no address"]
)
def test_what_is_no_password_stays(url):
    assert without_password(url) == url and check_address(url) is None


@pytest.mark.parametrize("sign", "/?#")
def test_a_password_that_ends_the_address_is_to_be_encoded(sign):
    with pytest.raises(SourceError, match="percent-encode it") as caught:
        open_source(f"rtsp://me:s3c{sign}r3t@127.0.0.1:1/video")
    assert "r3t" not in str(caught.value) and f"%{ord(sign):02X}" in str(caught.value) and "127.0.0.1" in str(caught.value)
    check_address(f"rtsp://me:s3c%{ord(sign):02X}r3t@host/video")


def test_hosts():
    urls = ["http://Host:80/a", "rtsp://me:a@b@host", "http://[fe80::1]:80/", "http://me:a/b@host:1/x"]
    assert [host_of(url) for url in urls] == ["host", "host", "fe80::1", "host"]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1:80/a", False),
        ("http://[::1]/a", False),
        ("http://192.168.1.9/a", False),
        ("http://camera/a", False),
        ("http://cam.local/a", False),
        ("http://cam.example.org/a", True),
        ("https://8.8.8.8/a", True),
        ("rtsp://cam.example.org/a", False),
        ("http://x.known.org/a", False),
    ],
)
def test_only_what_is_far_goes_through_a_proxy(monkeypatch, url, asked):
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy:3128")
    monkeypatch.setenv("no_proxy", "known.org")
    assert proxy_for(url) == ("http://proxy:3128" if asked else None)


def test_a_proxy_that_fails_is_named(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(SourceError, match=r"through the proxy http://127.0.0.1:1 of http_proxy \(no_proxy=cam.example.org"):
        open_source("http://cam.example.org/video")
    with pytest.raises(SourceError, match=r"cannot open http://127.0.0.1:2/video: Connection refused"):
        open_source("http://127.0.0.1:2/video")


def test_the_page_starts_behind_a_socks_proxy():
    environment = os.environ | {"ALL_PROXY": "socks5://127.0.0.1:9", "http_proxy": "socks5h://127.0.0.1:9", "https_proxy": "http://proxy:1"}
    program = (
        "from realtime.sources.addresses import forget_socks; forget_socks(); import httpx, os; httpx.Client(); print(os.environ['https_proxy'])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "http://proxy:1\n", done.stderr
    assert forget_socks() is None
