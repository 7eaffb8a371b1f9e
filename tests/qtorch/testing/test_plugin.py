"""The plugin, as pytest runs it: what it finds in tests that leave something behind, and what it says of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from textwrap import indent

import pytest

from qtorch.testing import left_behind
from tests.qtorch.testing.searching import text

pytest_plugins = ["pytester"]

PRELUDE = """
import asyncio, threading, time
import multiprocessing
import pytest
from PySide6.QtWidgets import QLineEdit
import qtorch.testing
from qtorch import *
from qtorch.testing import FakeExecutor, gate, ok, fail

class FetchJob(BaseJob[int]):
    pass

class CountState(BaseState):
    count: int = 0

class Counting(BaseOrchestrator[CountState]):
    def fetch(self):
        return self.dispatch(FetchJob())

class Clumsy(Counting):
    def on_active_success(self, event):
        raise KeyError("clumsy")

def counts(runtime, *steps):
    runtime.register(FakeExecutor(FetchJob, steps=list(steps or (ok(1),))))
"""

# hypothesis would be imported anew for each run.
OPTIONS = ("-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:cacheprovider", "-q", "--tb=short")

ADVICE = (
    "  End, close or cancel these before the test ends, or wait for them; an error that is expected is claimed by "
    "`with qtorch_runtime.expect_error(...):`."
)


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    """Run tests in this process."""
    pytester.makepyfile(PRELUDE + source)
    pytester.makeini("[pytest]\nqt_api = pyside6\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function")
    return pytester.runpytest_inprocess(*OPTIONS)


def left_by(pytester: pytest.Pytester, body: str) -> list[str]:
    """Give what the plugin says that a test with that body leaves behind, a line each."""
    return left_by_source(pytester, "def test_it(qtorch_runtime, qtorch_clock):\n" + indent(text(body), "    "))


def left_by_source(pytester: pytest.Pytester, source: str) -> list[str]:
    result = run(pytester, source)
    lines = [line.removeprefix("E").rstrip() for line in result.outlines]
    # The summary has the whole message too where CI is set.
    starts = [n for n, line in enumerate(lines) if line.strip().startswith("qtorch.testing.left_behind.LeftBehind")]
    if not starts:
        result.assert_outcomes(passed=1)
        return []
    result.assert_outcomes(passed=1, errors=1)
    assert len(starts) == 1
    end = next(n for n, line in enumerate(lines) if n > starts[0] and "End, close or cancel" in line)
    assert lines[end].strip() == ADVICE.strip()
    return [line.strip() for line in lines[starts[0] + 1 : end]]


# -- the plugin itself ------------------------------------------------------------------------------------------------


@pytest.mark.realtime
def test_neither_qt_nor_qtorch_is_imported_until_a_fixture_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_it(request):
            assert request.config.pluginmanager.has_plugin("qtorch")
            loaded = [name for name in sys.modules if name.split(".")[0] in ("qtorch", "PySide6", "pydantic", "qasync")]
            assert loaded == []
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:pytest-qt", "-p", "no:hypothesispytest"]
    ended = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in ended.stdout, ended.stdout


def test_a_test_without_its_fixtures_is_left_alone(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(qapp):
    runtime = Runtime()
    runtime.dispatcher
    KEPT.append(Counting(CountState()))
    assert type(runtime) is Runtime and asyncio.BaseEventLoop.time.__qualname__ == "BaseEventLoop.time"
    runtime.close()
KEPT = []
""",
    )
    result.assert_outcomes(passed=1)


def test_each_test_has_a_runtime_of_its_own_with_a_log(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.parametrize("n", [1, 2])
def test_it(qtorch_runtime, qtorch_bus, qtorch_clock, n):
    assert Runtime.default() is qtorch_runtime
    assert qtorch_bus is qtorch_runtime.bus
    counts(qtorch_runtime)
    counting = Counting(CountState())
    counting.fetch()
    qtorch_clock.settle()
    assert [type(event) for event in qtorch_bus.log] == [JobStartedEvent, JobSuccessEvent]
""",
    )
    result.assert_outcomes(passed=2)


# -- what is left behind ----------------------------------------------------------------------------------------------


def test_a_job_is_named(pytester: pytest.Pytester) -> None:
    left = left_by(pytester, "counts(qtorch_runtime, gate(), ok(1)); qtorch_runtime.dispatcher.dispatch(FetchJob())")
    assert len(left) == 1
    assert left[0].startswith("job fetch-")
    assert left[0].endswith(" (running)")


def test_a_timer_is_named_with_when_it_is_due(pytester: pytest.Pytester) -> None:
    body = """
    def ring(): pass
    qtorch_runtime.clock.call_later(30, ring)
    qtorch_clock.advance(10)
    """
    (left,) = left_by(pytester, body)
    assert left.endswith(".test_it.<locals>.ring, due in 20 s")
    assert left.startswith("timer ")


def test_a_timer_in_real_time_is_named(pytester: pytest.Pytester) -> None:
    source = """
def ring(): pass
def test_it(qtorch_runtime):
    qtorch_runtime.clock.call_later(30, ring)
"""
    (left,) = left_by_source(pytester, source)
    assert left.split(", due in")[0] == "timer test_a_timer_in_real_time_is_named.ring"


@pytest.mark.realtime
def test_a_task_on_the_loop_of_the_runtime_is_named(pytester: pytest.Pytester) -> None:
    source = """
async def background():
    await asyncio.Event().wait()
@executes(FetchJob)
async def fetch(job):
    tasks.append(asyncio.create_task(background()))
    return 1
tasks = []
def test_it(qtorch_runtime, qtorch_clock):
    qtorch_runtime.register(fetch)
    counting = Counting(CountState())
    counting.fetch()
    qtorch_clock.settle()
"""
    assert left_by_source(pytester, source) == ["task background() on the Runtime's loop"]


@pytest.mark.realtime
def test_a_thread_is_named_with_its_place(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_behind, "_LAST_STEPS", 0.02)
    source = """
let_go = threading.Event()
def work():
    let_go.wait(20)
def test_it(qtorch_runtime):
    threading.Thread(target=work, name="worker", daemon=True).start()
@pytest.fixture(autouse=True, scope="module")
def ending():
    yield
    let_go.set()
"""
    (left,) = left_by_source(pytester, source)
    assert left.startswith("thread 'worker', at test_a_thread_is_named_with_its_place.py:")
    for thread in threading.enumerate():
        if thread.name == "worker":
            thread.join(20)


@pytest.mark.realtime
def test_a_thread_that_ends_by_itself_is_none_left_behind(pytester: pytest.Pytester) -> None:
    assert left_by(pytester, "threading.Thread(target=time.sleep, args=(0.05,)).start()") == []


@pytest.mark.realtime
def test_a_process_is_named_with_its_pid(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_behind, "_LAST_STEPS", 0.02)
    source = """
def test_it(qtorch_runtime):
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,), name="child", daemon=True)
    process.start()
    processes.append(process)
processes = []
@pytest.fixture(autouse=True, scope="module")
def ending():
    yield
    processes[0].kill()
    processes[0].join()
"""
    (left,) = left_by_source(pytester, source)
    assert left.startswith("process 'child', pid ")


def test_an_orchestrator_that_a_module_keeps_is_named(pytester: pytest.Pytester) -> None:
    source = """
def test_it(qtorch_runtime):
    KEPT["one"] = [Counting(CountState())]
KEPT = {}
"""
    assert left_by_source(pytester, source) == [
        "orchestrator Counting, open and kept by the module test_an_orchestrator_that_a_module_keeps_is_named"
    ]


def test_an_orchestrator_that_a_class_keeps_is_named(pytester: pytest.Pytester) -> None:
    source = """
class Window:
    shared = None
def test_it(qtorch_runtime):
    Window.shared = Counting(CountState())
"""
    assert left_by_source(pytester, source) == ["orchestrator Counting, open and kept by the class Window"]


@pytest.mark.parametrize(
    "source",
    [
        "def test_it(qtorch_runtime):\n    counting = Counting(CountState())\n    again = [counting]",
        "KEPT = []\ndef test_it(qtorch_runtime):\n    KEPT.append(Counting(CountState()))\n    KEPT[0].close()",
        """
@pytest.fixture
def counting(qtorch_runtime):
    return Counting(CountState())
def test_it(counting):
    counting.update(count=1)
""",
        """
def test_it(qtorch_runtime, qtbot):
    edit = QLineEdit()
    qtbot.addWidget(edit)
    counting = Counting(CountState())
    bind(edit, "text", counting.select(lambda s: str(s.count)))
    edit.show()
    edit.close()
""",
        """
def test_it(qtorch_runtime):
    counting = Counting(CountState())
    counting.stateChanged.connect(lambda new, old: counting.update(count=2))
""",
    ],
    ids=["in a local", "closed", "of a fixture", "bound to a closed window", "connected to itself"],
)
def test_an_orchestrator_that_nobody_keeps_open_is_none_left_behind(pytester: pytest.Pytester, source: str) -> None:
    assert left_by_source(pytester, source) == []


# -- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_of_infrastructure_that_nobody_claims_is_named(pytester: pytest.Pytester) -> None:
    body = """
    def broken(*args, **named):
        raise OSError("disk full")
    qtorch_runtime.cache.read = broken
    counts(qtorch_runtime)
    qtorch_runtime.dispatcher.dispatch(FetchJob(), cache=CachePolicy(key="k"))
    qtorch_clock.settle()
    """
    (left,) = left_by(pytester, body)
    assert left.startswith("error OSError: disk full (InMemoryCacheProvider, reading 'k')")


def test_an_error_of_user_code_fails_once_by_pytest_qt(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(qtorch_runtime, qtorch_clock):
    counts(qtorch_runtime)
    clumsy = Clumsy(CountState())
    clumsy.fetch()
    qtorch_clock.settle()
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*KeyError: 'clumsy'*"])
    result.stdout.no_fnmatch_line("*LeftBehindError*")


@pytest.mark.realtime
def test_an_error_of_user_code_is_named_where_pytest_qt_does_not_look(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        PRELUDE
        + """
@pytest.mark.qt_no_exception_capture
@pytest.mark.parametrize("is_another_expected", [False, True])
def test_it(qtorch_runtime, qtorch_clock, is_another_expected):
    counts(qtorch_runtime)
    clumsy = Clumsy(CountState())
    clumsy.fetch()
    if is_another_expected:
        with qtorch_runtime.expect_error(OSError):
            qtorch_runtime.report(ErrorReport(OSError("disk full"), "the cache"), user_code=False)
            qtorch_clock.settle()
    else:
        qtorch_clock.settle()
"""
    )
    result = pytester.runpytest_subprocess(*OPTIONS)
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["E       error KeyError: 'clumsy' (Clumsy.on_active_success*)"] * 2)


@pytest.mark.parametrize(
    "claim",
    [
        "with qtorch_runtime.expect_error(KeyError):",
        "with qtorch_runtime.expect_error((OSError, KeyError), match='clum'):",
        "with qtbot.captureExceptions() as caught:",
        "with qtorch_runtime.expect_error(KeyError), pytest.raises(AssertionError), "
        "qtorch_runtime.expect_error(OSError):",
    ],
)
def test_an_error_that_is_claimed_is_none_left_behind(pytester: pytest.Pytester, claim: str) -> None:
    source = f"""
def test_it(qtorch_runtime, qtorch_clock, qtbot):
    counts(qtorch_runtime)
    clumsy = Clumsy(CountState())
    {claim}
        clumsy.fetch()
        qtorch_clock.settle()
"""
    assert left_by_source(pytester, source) == []


def test_an_error_that_the_test_listens_for_is_none_left_behind(pytester: pytest.Pytester) -> None:
    body = """
    heard = []
    qtorch_runtime.error_occurred.connect(heard.append)
    qtorch_runtime.report(ErrorReport(OSError("disk full"), "the cache"), user_code=False)
    assert len(heard) == 1
    """
    assert left_by(pytester, body) == []


def test_an_error_that_is_expected_and_does_not_come_fails(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(qtorch_runtime):
    with pytest.raises(AssertionError) as error:
        with qtorch_runtime.expect_error((KeyError, OSError), match="full"):
            pass
    assert str(error.value) == (
        "no KeyError or OSError matching 'full' was reported.\\n"
        "  Wait inside the with block until it is: errors of hooks and listeners are told when their event is."
    )
def test_another(qtorch_runtime):
    with pytest.raises(AssertionError) as error:
        with qtorch_runtime.expect_error(KeyError):
            qtorch_runtime.report(ErrorReport(OSError("disk full"), "the cache"), user_code=False)
    assert str(error.value) == (
        "no KeyError was reported. What was:\\n"
        "    OSError: disk full (the cache)\\n"
        "  Wait inside the with block until it is: errors of hooks and listeners are told when their event is."
    )
    qtorch_runtime.reports.clear()
""",
    )
    result.assert_outcomes(passed=2)


# -- tests that have failed -------------------------------------------------------------------------------------------


def test_a_failed_test_has_no_second_error_for_what_it_left(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
KEPT = []
def test_job(qtorch_runtime, qtorch_clock):
    counts(qtorch_runtime, gate(), ok(1))
    KEPT.append(Counting(CountState()))
    KEPT[0].fetch()
    qtorch_runtime.clock.call_later(30, print)
    qtorch_runtime.report(ErrorReport(OSError("disk full"), "the cache"), user_code=False)
    assert False
def test_tester(qtorch_runtime, tester):
    counts(qtorch_runtime, gate(), ok(1))
    t = tester(Counting(CountState()))
    t.act("fetch")
    assert False
""",
    )
    result.assert_outcomes(failed=2)


def test_a_tester_that_is_not_asked_to_finish_does_so_at_the_end(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_it(tester):
    t = tester(Counting(CountState()))
    t.act("update", count=3)
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E*FactsError: Counting did more than was asserted at the end of the test:",
            "E     not asserted:",
            "E       state   count=3  (by update(count=3))",
        ]
    )


@pytest.mark.parametrize("name", ["orch_case", "job_case"])
def test_a_case_that_is_not_awaited_in_a_coroutine_warns(pytester: pytest.Pytester, name: str) -> None:
    case = {
        "orch_case": "orch_case(lambda: Counting(CountState()))",
        "job_case": "job_case(FakeExecutor(FetchJob, steps=[ok(1)]), FetchJob())",
    }[name]
    result = run(
        pytester,
        f"""
@pytest.mark.asyncio
async def test_it({name}):
    with pytest.warns(RuntimeWarning) as warned:
        {case}
    assert str(warned[0].message) == (
        "{name}(...) was not awaited, so nothing was tested: in a coroutine, write await {name}(...)."
    )
@pytest.mark.asyncio
async def test_awaited({name}):
    assert (await {case}).events is not None
""",
    )
    result.assert_outcomes(passed=2)
