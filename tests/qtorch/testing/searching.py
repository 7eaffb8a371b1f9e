"""An orchestrator that searches, for the tests of what follows orchestrators."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from qtorch import (
    RESTARTABLE,
    BaseEvent,
    BaseJob,
    BaseOrchestrator,
    BaseState,
    JobFailureEvent,
    JobSuccessEvent,
    RetryPolicy,
    on,
)


class SearchJob(BaseJob[tuple[str, ...]]):
    text: str


class CountJob(BaseJob[int]):
    pass


@dataclass(frozen=True)
class Found(BaseEvent):
    number: int = 0


class SearchState(BaseState):
    query: str = ""
    items: tuple[str, ...] = ()
    error: str = ""


class Search(BaseOrchestrator[SearchState]):
    def type(self, text: str) -> None:
        self.update(query=text)
        retry = RetryPolicy(max_retries=2, base_delay=1, jitter=0)
        self.dispatch(SearchJob(text=text), debounce=0.3, retry=retry, lane="search", policy=RESTARTABLE)

    def search(self, text: str = "ab") -> None:
        self.dispatch(SearchJob(text=text))

    def announce(self) -> None:
        self.bus.emit(Found("search", number=7))

    def rename(self, query: str) -> None:
        self.update(query=query)

    def boom(self) -> None:
        self.update(query="x")
        raise ValueError("boom")

    @on(JobSuccessEvent, SearchJob)
    def _found(self, event: JobSuccessEvent[tuple[str, ...]]) -> None:
        self.update(items=event.data)
        self.effect.emit("found")

    def on_active_failure(self, event: JobFailureEvent) -> None:
        self.update(error=event.error_message)


def text(block: str) -> str:
    """Give the text of an indented block."""
    return dedent(block).strip("\n")
