"""The person that is shown: as stored, as edited, and what stands between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import computed_field

from demo_app.app.draft import Draft
from demo_app.app.faults import ConflictError, explain
from demo_app.app.jobs import (
    ChangePictureJob,
    ConnectJob,
    FetchedPerson,
    FetchPersonJob,
    SavePersonJob,
    Server,
    person_cache,
    person_key,
)
from demo_app.server.models import Person, PersonSummary
from qtorch import (
    DROPPABLE,
    RESTARTABLE,
    BaseOrchestrator,
    BaseState,
    InvalidateCacheJob,
    JobCacheHitEvent,
    JobCancelledEvent,
    JobFailureEvent,
    JobHandle,
    JobSuccessEvent,
    on,
)


class Leaving(BaseState):
    """The user wants to leave unsaved changes: for another person, or (None) for good.

    Attributes
    ----------
    saves
        Whether the changes are being saved first; else that is still the question.
    """

    to: PersonSummary | None
    saves: bool = False


@dataclass(frozen=True)
class Left:
    """The effect of a person being left for good: the window may close."""


@dataclass(frozen=True)
class Saved:
    """The effect of changes having been stored."""

    name: str


class ProfileState(BaseState):
    """One person on their way from the server to the form and back.

    Attributes
    ----------
    chosen
        Who was chosen, as the list knows them; None before anybody is.
    stored
        The version that the draft began with; None until it is there.
    draft
        What the form shows.
    cached_at
        When the shown version was fetched, in seconds since 1970, while it comes from the cache; else None.
    theirs
        The version that somebody else stored while this one was being edited.
    leaving
        Set while unsaved changes stand in the way of what the user wants to do next.
    """

    chosen: PersonSummary | None = None
    stored: Person | None = None
    draft: Draft | None = None
    cached_at: float | None = None
    theirs: Person | None = None
    leaving: Leaving | None = None
    fetch_problem: str = ""
    save_problem: str = ""

    @property
    def shown(self) -> Person | PersonSummary | None:
        """Who is shown, as well as they are known so far."""
        return self.stored or self.chosen

    @computed_field  # type: ignore[prop-decorator]
    @property
    def faults(self) -> Mapping[str, str]:
        """What is wrong in the draft, by field."""
        return self.draft.faults() if self.draft is not None else {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_dirty(self) -> bool:
        """Whether there is something to save."""
        return self.draft is not None and self.stored is not None and bool(self.draft.changes(self.stored))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def can_save(self) -> bool:
        """Whether there is something to save that the server would take."""
        return self.is_dirty and not self.faults


class Profile(BaseOrchestrator[ProfileState]):
    """Fetches, edits and stores one person, and loses nothing that was typed on the way."""

    # -- choosing and leaving --------------------------------------------------------------------------

    def choose(self, person: PersonSummary) -> None:
        """Show ``person``; if there are unsaved changes, ask first (``leaving``)."""
        chosen = self.state.chosen
        if chosen is not None and chosen.id == person.id:
            return
        if self.state.is_dirty:
            self.update(leaving=Leaving(to=person))
        else:
            self._show(person)

    def may_close(self) -> bool:
        """Whether nothing would be lost; if not, it is asked for (``leaving``), and ``Left`` may follow."""
        if self.state.is_dirty and self.state.leaving is None:
            self.update(leaving=Leaving(to=None))
        return not self.state.is_dirty

    def save_and_leave(self) -> None:
        """Answer: save first."""
        if self.state.leaving is not None:
            self.update(leaving=self.state.leaving.copy_with(saves=True))
            self.save()

    def discard_and_leave(self) -> None:
        """Answer: never mind the changes."""
        self.revert()
        self._leave()

    def stay(self) -> None:
        """Answer: neither."""
        self.update(leaving=None)

    def _leave(self) -> None:
        leaving = self.state.leaving
        self.update(leaving=None)
        if leaving is None:
            return
        if leaving.to is None:
            self.effect.emit(Left())
        else:
            self._show(leaving.to)

    # -- fetching --------------------------------------------------------------------------------------

    def _show(self, person: PersonSummary) -> None:
        self.emit(ProfileState(chosen=person))
        self._fetch(person.id)

    def reload(self) -> None:
        """Fetch the person anew, past the cache; what was typed stays."""
        if self.state.chosen is not None:
            self._fetch(self.state.chosen.id, force_refresh=True)

    def _fetch(self, person_id: int, *, force_refresh: bool = False) -> None:
        self.update(fetch_problem="")
        cache = person_cache(person_id, force_refresh=force_refresh)
        self.dispatch(FetchPersonJob(person_id=person_id), policy=RESTARTABLE, cache=cache)

    @on(JobCacheHitEvent, FetchPersonJob)
    def _cached(self, event: JobCacheHitEvent[FetchedPerson]) -> None:
        with self.batch():
            self._take(event.data.person)
            self.update(cached_at=event.data.at)

    @on(JobSuccessEvent, FetchPersonJob)
    def _fetched(self, event: JobSuccessEvent[FetchedPerson]) -> None:
        with self.batch():
            self._take(event.data.person)
            self.update(cached_at=None, fetch_problem="")

    @on(JobFailureEvent, FetchPersonJob)
    def _not_fetched(self, event: JobFailureEvent) -> None:
        self.update(fetch_problem=explain(event))

    def _take(self, person: Person) -> None:
        """Take what the server has now, without touching what was typed."""
        state = self.state
        if state.chosen is None or state.chosen.id != person.id:
            return
        if state.draft is None or state.stored is None or not state.is_dirty:
            self.update(stored=person, draft=Draft.of(person), theirs=None)
        elif Draft.of(person) == Draft.of(state.stored):
            self.update(stored=person)  # only a new picture, or nothing
        elif state.theirs is None or state.theirs.version < person.version:
            self.update(theirs=person)

    @on(JobSuccessEvent, ChangePictureJob, passive=True)
    def _picture_changed(self, event: JobSuccessEvent[Person]) -> None:
        self._take(event.data)

    @on(JobSuccessEvent, ConnectJob, passive=True)
    def _connected(self, event: JobSuccessEvent[Server]) -> None:  # noqa: ARG002
        self.reload()

    # -- saving ----------------------------------------------------------------------------------------

    def save(self) -> JobHandle[Person] | None:
        """Store what was typed; give the job, None if there is nothing that can be stored."""
        state = self.state
        if state.stored is None or state.draft is None or not state.can_save:
            self._may_not_leave()
            return None
        self.update(save_problem="")
        return self.dispatch(SavePersonJob(base=state.stored, draft=state.draft), policy=DROPPABLE)

    def revert(self) -> None:
        """Forget what was typed, and show what the server has."""
        stored = self.state.theirs or self.state.stored
        if stored is not None:
            self.update(stored=stored, draft=Draft.of(stored), theirs=None, save_problem="")

    def save_mine_anyway(self) -> None:
        """Store what was typed over what somebody else stored; fields that were not touched here stay theirs."""
        state = self.state
        if state.theirs is not None and state.stored is not None and state.draft is not None:
            self.update(stored=state.theirs, draft=state.draft.moved(state.stored, state.theirs), theirs=None)
            self.save()

    def dismiss_conflict(self) -> None:
        """Say no more of the conflict until the next try to save."""
        self.update(theirs=None)

    def dismiss_problems(self) -> None:
        """Say no more of what went wrong."""
        self.update(fetch_problem="", save_problem="")

    @on(JobSuccessEvent, SavePersonJob)
    def _saved(self, event: JobSuccessEvent[Person]) -> None:
        assert isinstance(event.job, SavePersonJob)
        self._stored(event.job.draft, event.data)

    def _stored(self, sent: Draft, person: Person) -> None:
        self.dispatch(InvalidateCacheJob(key=person_key(person.id)))
        self.effect.emit(Saved(name=person.name))
        state = self.state
        if state.chosen is None or state.chosen.id != person.id or state.draft is None:
            return
        self.update(stored=person, draft=state.draft.after_saving(sent, person), theirs=None, save_problem="")
        if not self.state.is_dirty:
            self._leave()
        elif self.state.leaving is not None and self.state.leaving.saves:
            self.save()  # what was typed while the rest was on its way

    @on(JobFailureEvent, SavePersonJob)
    def _not_saved(self, event: JobFailureEvent) -> None:
        assert isinstance(event.job, SavePersonJob)
        job, error = event.job, event.error
        if isinstance(error, ConflictError):
            self.dispatch(InvalidateCacheJob(key=person_key(job.base.id)))
            if not job.draft.moved(job.base, error.current).changes(error.current):
                # Ours was stored, and only the answer to it got lost.
                self._stored(job.draft, error.current)
                return
            self._take(error.current)
        else:
            self.update(save_problem=f"{job.base.name} was not saved. {explain(event)}")
        self._may_not_leave()

    @on(JobCancelledEvent, SavePersonJob)
    def _save_cancelled(self, event: JobCancelledEvent) -> None:
        if event.reason != "dropped":
            self._may_not_leave()

    def _may_not_leave(self) -> None:
        if self.state.leaving is not None and self.state.leaving.saves:
            self.update(leaving=None)
