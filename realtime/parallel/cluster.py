"""On a Ray cluster: many machines. Nothing but the program itself must lie on them.

The cluster is the one that RAY_ADDRESS names, else a Ray of this machine's own that ends with the program, and that
nobody on the network can reach: whoever reaches a Ray runs programs on it.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial

from realtime.errors import MerError, MissingPartError
from realtime.parallel.local import Failed

OFTEN = 0.5  # seconds between two looks for messages
RETRIES = 3  # how often a task is done again whose worker was killed


def outcomes(
    function: Callable,
    shared: object,
    tasks: list,
    workers: int | None = None,
    tell: Callable | None = None,
    gpu: bool = False,
    again: Callable[[object], bool] | None = None,
) -> Generator[tuple, None, None]:
    """(task, result or Failed), as they end; one CPU core a task. See `realtime.parallel`.

    A task is done again where its worker was killed, up to RETRIES times; or, with `again`, once more where again(result)
    says so, of a result or of a Failed. The function's own errors are no reason by themselves.

    Args:
        workers: how many cores a Ray of this machine's own takes, all by default.
        gpu: where the cluster has GPUs, every task is given its share of one; without it, Ray hides them all.

    Raises:
        MissingPartError: Ray is not installed, or the cluster cannot be reached.
    """
    if not tasks:
        return
    with connected(workers) as ray:
        told = _Messages(ray) if tell else None
        kept = ray.put((function, shared, told.queue if told else None))
        gpus = _share(ray.cluster_resources()) if gpu else 0
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0 if again else RETRIES)(_call)
        under_way = {remote.remote(kept, number, task): (number, 1) for number, task in enumerate(tasks)}
        while under_way:
            done, _ = ray.wait(list(under_way), num_returns=1, timeout=OFTEN if told else None)
            for number, message in told.so_far() if told else ():
                tell(tasks[number], message)
            if not done:
                continue
            number, tries = under_way.pop(done[0])
            result = _fetched(ray, done[0])
            if again and tries == 1 and again(result):
                under_way[remote.remote(kept, number, tasks[number])] = (number, 2)
            else:
                yield tasks[number], result


class _Messages:
    """What the workers tell, while they work."""

    def __init__(self, ray):
        from ray.util.queue import Queue

        self.queue = Queue(actor_options={"num_cpus": 0})
        self._error = ray.exceptions.RayError

    def so_far(self) -> list[tuple[int, object]]:
        """(task's number, message), of each worker in its order."""
        try:
            return self.queue.get_nowait_batch(self.queue.qsize())
        except self._error:  # the machine that it lay on is gone: the work itself goes on
            return []


def _call(shared: tuple, number: int, task: object) -> object:
    """On a worker."""
    import cv2

    cv2.setNumThreads(1)
    function, own, told = shared
    return function(own, task, *([partial(_tell, told, number)] if told is not None else []))


def _tell(told, number: int, message: object) -> None:
    from ray.exceptions import RayError

    with suppress(RayError):
        told.put((number, message))


def _fetched(ray, job) -> object:
    try:
        return ray.get(job)
    except ray.exceptions.RayTaskError as error:
        # a defect of ours keeps Ray's text, which holds the traceback
        return Failed(error.cause if isinstance(error.cause, MerError) else error)
    except ray.exceptions.RayError as error:
        return Failed(MerError(f"a worker died ({type(error).__name__}: {_first(error)})"), killed=True)


def _share(resources: dict[str, float]) -> float:
    """Of a GPU, so that as many tasks share each as there are cores for it; to the thousandth, as Ray counts."""
    return min(1.0, int(1000 * resources.get("GPU", 0) / max(resources.get("CPU", 1), 1)) / 1000)


@contextmanager
def connected(workers: int | None = None):
    """Ray, for all that is done in the block; one that is there already stays, and stays after it.

    Raises:
        MissingPartError: Ray is not installed, or the cluster cannot be reached.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        what = "Ray is not installed: pip install 'mer-live[cluster]', or choose another launcher"
        raise MissingPartError(what) from error
    if ray.is_initialized():
        yield ray
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    address = os.environ.get("RAY_ADDRESS")
    where = f"the Ray cluster at RAY_ADDRESS={address}" if address else "a Ray on this machine"
    own = {} if address else {"include_dashboard": False, "num_cpus": workers or os.cpu_count()}
    try:
        if address:
            _knock(address)
        else:
            stay_here()
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, job_config=_job(ray), **own)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        what = (
            "is it up, has it the same Ray version, does it ask for a token (RAY_AUTH_MODE=token)?"
            if address
            else "see the logs in /tmp/ray/session_latest"
        )
        raise MissingPartError(f"cannot use {where} ({_first(error)}): {what}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _job(ray):
    """Ray would put the working folder and the script's first on its workers' search path."""

    class Nothing(list):
        extend = lambda self, paths: None

    job = ray.job_config.JobConfig()
    job._py_driver_sys_path = Nothing()
    return job


def stay_here() -> None:
    """The Ray that is started next listens on the loopback alone, and one that is joined is looked for there, as by
    default on macOS and Windows; and without its dashboard's process, which asks the network which cloud this is though
    its reports are switched off.

    Ray has no public setting for either; a version without these names would do what it does by default.
    """
    from ray._private import ray_constants, services

    ray_constants.ENABLE_RAY_CLUSTER = False
    services.start_api_server = lambda *_, **__: ("", None)  # (its address, its process)


def _knock(address: str) -> None:
    """Ray itself goes on trying for minutes where nobody answers. Raises OSError.

    It also takes a loopback's address for this machine's on the network, where a Ray that listens on the loopback alone is
    never found."""
    from ray._private import services

    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        return
    with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as answer:
        local = ipaddress.ip_address(answer.getpeername()[0]).is_loopback
    if local and not _answers(services.get_node_ip_address(), int(port)):
        stay_here()


def _answers(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=10):
        return True
    return False


def _first(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
