"""Calls from many threads as one batch."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engines.batcher import Batcher

WAIT = 10  # seconds; a test that waits this long has failed


class Gate:
    """A batch that does not end until `open` is set; remembers what it was given."""

    def __init__(self):
        self.batches, self.open, self.entered = [], threading.Event(), threading.Event()

    def __call__(self, items):
        self.batches.append(list(items))
        self.entered.set()
        assert self.open.wait(WAIT)
        return [10 * item for item in items]


def waiting(batcher, number):
    """Wait until `number` calls have gathered."""
    until = threading.Event()
    for _ in range(int(WAIT / 0.005)):
        if len(batcher._waiting) == number:
            return
        until.wait(0.005)
    pytest.fail(f"{number} calls should have gathered, there are {len(batcher._waiting)}")


def test_what_gathers_while_a_batch_runs_is_the_next_batch():
    gate = Gate()
    batcher = Batcher(gate, most=4)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(batcher, 0)]
        assert gate.entered.wait(WAIT)
        for item in range(1, 7):
            calls.append(pool.submit(batcher, item))
            waiting(batcher, item)
        gate.open.set()
        assert [call.result(WAIT) for call in calls] == [0, 10, 20, 30, 40, 50, 60]
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_a_caller_alone_is_served_at_once():
    batcher = Batcher(lambda items: [len(items)] * len(items))
    assert [batcher(n) for n in range(3)] == [1, 1, 1]


def test_a_patient_batch_waits_for_those_who_come_within_such_a_time():
    batches = []
    batcher = Batcher(lambda items: batches.append(sorted(items)) or items, patience=0.3)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(batcher, 0)]
        waiting(batcher, 1)
        calls += [pool.submit(batcher, item) for item in (1, 2)]
        assert [call.result(WAIT) for call in calls] == [0, 1, 2]
    assert batches == [[0, 1, 2]] and batcher(3) == 3


def test_a_batch_that_fails_raises_in_each_of_its_callers_and_in_no_other():
    gate = Gate()

    def run(items):
        results = gate(items)
        if 1 in items:
            raise ValueError("one of them is bad")
        return results

    batcher = Batcher(run, most=2)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(batcher, 0)]
        assert gate.entered.wait(WAIT)
        for item in (1, 2, 3):
            calls.append(pool.submit(batcher, item))
            waiting(batcher, item)
        gate.open.set()
        assert calls[0].result(WAIT) == 0 and calls[3].result(WAIT) == 30
        for call in calls[1:3]:
            with pytest.raises(ValueError, match="one of them"):
                call.result(WAIT)


def test_a_batch_with_too_few_results_leaves_nobody_waiting():
    with pytest.raises(RuntimeError, match="0 results for a batch of 1"):
        Batcher(lambda items: [])(1)


def test_many_threads_each_get_their_own_answer():
    batcher = Batcher(lambda items: [item + 1 for item in items], most=5)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(batcher, range(2000))) == list(range(1, 2001))
