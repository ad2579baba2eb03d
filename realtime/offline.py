"""A thread that can open no socket, nor any thread that it starts: for libraries that talk to their makers unasked.

What does it is seccomp, a filter on system calls that Linux puts on a thread for good and that its threads and children
inherit; it needs no rights. The rest of the process, which may read network streams, is not touched.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF: word at an offset, jumps, end
NUMBER, ARCHITECTURE = 0, 4  # offsets in the kernel's `struct seccomp_data`
SOCKETS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # machine → (audit architecture, socket())
IO_URING = 425  # io_uring_setup(), the other door to a socket
FOREIGN = 0x40000000  # calls of the x32 interface, which have other numbers


def forbid_sockets() -> bool:
    """From here on, socket() fails with EPERM in this thread and in whatever it starts. False where this cannot be had.

    Sockets of every kind: a look-up may also go over a local daemon's. Those that are open stay usable.
    """
    if not sys.platform.startswith("linux") or platform.machine() not in SOCKETS or sys.maxsize < 2**32:
        return False
    architecture, socket = SOCKETS[platform.machine()]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 5, architecture),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 3, 0, FOREIGN),
        (EQUAL, 2, 0, socket),
        (EQUAL, 1, 0, IO_URING),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, DENY),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0) == 0
