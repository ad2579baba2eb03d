"""Nothing leaves the machine: the commands run under strace, without a network where that can be had, and every look-up of
a name and every connection that is not this machine's own is a failure."""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from demo_clips import demo_start
from user_environment import bare

BIN = Path(sys.executable).parent
# in a network namespace that holds the loopback alone, and switches it on
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_one:
    fcntl.ioctl(any_one, 0x8914, struct.pack("16sh22x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
os.execvp(sys.argv[1], sys.argv[1:])
"""
# starts mer-demo by the words that it is given, fetches the page and what the page names, and ends it
VISIT = """
import re, subprocess, sys, urllib.error, urllib.request
import psutil
demo = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
def fetch(path):
    with urllib.request.urlopen(address + path, timeout=90) as answer:
        return answer.read().decode(errors="replace")
try:
    address = re.search(r"http://[^ ;]*/", demo.stdout.readline())[0]
    page = fetch("")
    for path in sorted(set(re.findall(r'(?:src|href)="[./]*([^":?#]+[.](?:js|css))', page)))[:10]:
        try:
            fetch(path)
        except urllib.error.HTTPError:
            pass
    assert "Replay" in page
finally:
    for child in psutil.Process(demo.pid).children():
        child.terminate()
demo.wait(180)
"""
OWN = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "(::1|::ffff:127\.[\d.]*)"|sin6?_port=htons\(0\)')


def works(*words: str) -> bool:
    if shutil.which(words[0]) is None:
        return False
    return subprocess.run(words, capture_output=True, timeout=90).returncode == 0


@functools.cache
def alone() -> list[str]:
    before = ["unshare", "-rn", sys.executable, "-c", ALONE]
    return before if works(*before, "true") else []


def trace(file: Path) -> list[str]:
    """The words before a command that write its network calls, and its children's, into a file."""
    if not works("strace", "-f", "-o", os.devnull, "true"):
        pytest.skip("strace is not installed, or may not watch a process here")
    return ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(file)]


def told(file: Path) -> list[str]:
    """The calls that asked or told anybody but this machine; a connection over a local resolver's socket counts."""
    lines = file.read_text(errors="replace").splitlines()
    outside = [line for line in lines if re.search(r"sa_family=AF_INET6?\b", line) and not OWN.search(line)]
    return outside + [line for line in lines if "resolve" in line and "AF_UNIX" in line and not line.endswith("ENOENT (No such file or directory)")]


@pytest.fixture
def clip(tmp_path):
    """The first four seconds of the demo clip: one event."""
    return demo_start(tmp_path / "clip.mp4", 4.0)


@pytest.mark.parametrize(
    "words",
    [
        ("mer-replay", "{clip}", "--out", "{out}", "--export", "report,elan"),
        ("mer-replay", "{clip}", "--out", "{out}", "faces.runner=mediapipe"),
        ("mer-live", "--source", "{clip}", "--as-live"),
    ],
    ids=["replay", "replay-mediapipe", "live"],
)
def test_a_command_tells_nobody(words, tmp_path, clip):
    seen, home = tmp_path / "trace", tmp_path / "home"
    home.mkdir()
    command = [word.format(clip=clip, out=tmp_path / "out") for word in words]
    watched = [*alone(), *trace(seen), str(BIN / command[0]), *command[1:]]
    done = subprocess.run(watched, capture_output=True, text=True, timeout=300, env=bare() | {"XDG_CACHE_HOME": str(home)})
    assert done.returncode == 0, done.stderr
    assert told(seen) == []
    assert not (home / "Microsoft").exists()


def test_the_page_tells_nobody(tmp_path):
    pytest.importorskip("gradio")
    seen = tmp_path / "trace"
    demo = [*trace(seen), str(BIN / "mer-demo"), "--port", "0", "--no-browser"]
    watched = [*alone(), sys.executable, "-c", VISIT, *demo]
    done = subprocess.run(watched, capture_output=True, text=True, timeout=300, env=bare())
    assert done.returncode == 0, done.stderr
    assert told(seen) == []


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=0.2)",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))",
    ],
)
def test_who_tells_somebody_is_seen(code, tmp_path):
    subprocess.run([*alone(), *trace(tmp_path / "trace"), sys.executable, "-c", code], capture_output=True, timeout=60)
    assert told(tmp_path / "trace")
