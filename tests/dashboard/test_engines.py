"""Tab Speed: what each network is; a command that runs beside the page; what is said of one that is stopped, and of one that fails."""

import time

import psutil
import pytest
from places import DEMO

pytest.importorskip("gradio", reason="the demo extra is not installed")

from engines.tensorrt import library
from engines.zoo import known
from realtime.dashboard import speed
from realtime.dashboard.server.command import Job
from realtime.errors import UsageError


@pytest.fixture
def job():
    job = Job()
    yield job
    job.stop()


def ended(job, seconds=180):
    end = time.monotonic() + seconds
    while job.running and time.monotonic() < end:
        time.sleep(0.05)
    return job.state


def test_a_stop_in_the_middle_leaves_no_traceback_and_no_process(job):
    job.start("Measuring", "realtime.cli.bench", "live", "--source", DEMO.name, "--seconds", "600", folder=DEMO.parent)
    with pytest.raises(UsageError, match="still running"):
        job.start("Another", "realtime.cli.bench", folder=DEMO.parent)
    child = psutil.Process(job._child.pid)
    while child.cpu_times().user < 0.2:  # amid its imports, however busy the machine is
        time.sleep(0.01)
    job.stop()
    assert ended(job).startswith("Measuring: stopped") and not job.failed
    assert "Traceback" not in job.text


def test_a_command_that_fails_says_so_and_the_log_says_why(job):
    job.start("Measuring", "realtime.cli.bench", "live", "--source", "nothing.mp4", folder=DEMO.parent)
    assert "failed after" in ended(job) and "exit code 3" in job.state and job.failed
    assert "nothing.mp4" in job.text and "Traceback" not in job.text
    job.start("Measuring", "realtime.cli.bench", "--help", folder=DEMO.parent)
    assert "Measuring: done" in ended(job) and "frames a second" in job.text.lower()


def test_each_network_is_said_in_plain_words():
    drawn = "799 micro-expressions, drawn by computer on portraits of 44 people, none of them real"
    assert speed.trained_on("moext") == f"{drawn}; reduced network and training, not as large as the paper's"
    assert "reduced" not in speed.trained_on("kernel_ridge")
    assert speed.how_good("moext") == "UF1 0.77 on other drawn movements; on real ones not known"
    for name in known():
        assert speed.trained_on(name) and speed.how_good(name) and "?" not in speed.task(name)
    assert speed.how_good("dual_atme") == "UF1 0.75 on people it had not seen"


def test_a_fault_is_shown_on_the_page_and_the_next_command_can_start(start_demo, open_page, shot, axe, tmp_path):
    demo = start_demo(env={"MER_ENGINES": str(tmp_path / "engines"), "MER_NO_GPU": "1"})
    page = open_page(demo.url, tab="Speed")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="kernel_ridge"))
    assert "332 micro-expressions of 53 people (CASME II, SAMM, SMIC-HS)" in row.inner_text()
    assert "UF1 0.80 on people it had not seen" in row.inner_text() and "not built" not in row.inner_text()
    build = page.get_by_role("button", name="Build")
    assert build.is_disabled() and page.get_by_role("button", name="Check").is_disabled()
    assert "cannot be used as it is" in page.locator("#mer-no-build").inner_text()
    if not library.installed():
        return
    page.get_by_label("GPUs (for building)").fill("a toaster")
    build.and_(page.locator(":enabled")).wait_for()  # for GPUs that are elsewhere
    page.get_by_role("button", name="Build").click()
    page.get_by_text("failed after").wait_for()
    page.get_by_role("button", name="Build").and_(page.locator(":enabled")).wait_for()
    assert "Traceback" not in page.get_by_role("textbox", name="Log").input_value()
    assert not axe(page)
    shot(page, "engines-fault")
