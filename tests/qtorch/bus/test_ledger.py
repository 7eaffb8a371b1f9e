"""Which jobs run on a bus, and which ended lately."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from qtorch import UnknownJobError
from qtorch.bus.ledger import REMEMBERED, Ledger


class Run:
    """One job's life, as far as the ledger is concerned."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id

    def cancel(self, reason: str | None) -> None: ...


def ended(ledger: Ledger, count: int, prefix: str = "other") -> None:
    for number in range(count):
        run = Run(f"{prefix} {number}")
        ledger.add(run)
        ledger.end(run)


def test_a_running_job_is_found_by_its_id() -> None:
    ledger, run = Ledger(), Run("a")
    ledger.add(run)
    assert ledger.find("a") is run
    assert list(ledger.running) == ["a"]


def test_an_ended_job_is_found_among_the_last_thousand_without_anybody_holding_it() -> None:
    ledger = Ledger()
    ended(ledger, 1, "a")
    ended(ledger, REMEMBERED - 1)
    assert ledger.find("a 0").id == "a 0"
    assert not ledger.running


def test_an_older_one_is_known_only_as_long_as_somebody_holds_it() -> None:
    gc.collect()
    ledger, held = Ledger(), Run("held")
    ledger.add(held)
    ledger.end(held)
    ended(ledger, 1, "dropped")
    ended(ledger, REMEMBERED)
    assert ledger.find("held") is held
    with pytest.raises(UnknownJobError):
        ledger.find("dropped 0")
    gone = weakref.ref(held)
    del held
    assert gone() is None
    with pytest.raises(UnknownJobError):
        ledger.find("held")


def test_an_unknown_id_says_why_it_may_be_and_what_to_keep() -> None:
    with pytest.raises(UnknownJobError, match=r"no job 'x' is known to this bus(.|\n)*Keep the JobHandle"):
        Ledger().find("x")


def test_ending_a_job_that_does_not_run_does_nothing() -> None:
    ledger, run, namesake = Ledger(), Run("a"), Run("a")
    ledger.end(run)
    with pytest.raises(UnknownJobError):
        ledger.find("a")
    ledger.add(run)
    ledger.end(namesake)
    assert ledger.find("a") is run
    assert list(ledger.running) == ["a"]


@pytest.mark.realtime
def test_a_job_is_found_at_every_moment_while_it_ends_and_others_push_it_out() -> None:
    ledger, held = Ledger(), [Run(f"held {number}") for number in range(50)]
    for run in held:
        ledger.add(run)
    is_over = threading.Event()
    lost: list[str] = []

    def look() -> None:
        while not is_over.is_set():
            for run in held:
                try:
                    assert ledger.find(run.id) is run
                except UnknownJobError:
                    lost.append(run.id)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for run in held:
        ledger.end(run)
        ended(ledger, 30)
    is_over.set()
    for thread in threads:
        thread.join()
    assert lost == []
