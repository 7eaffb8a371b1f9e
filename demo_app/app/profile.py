"""The person that is shown: as stored, as edited, and what stands between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_app.app.faults import ConflictError, InvalidFieldsError, explain
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
from demo_app.server.models import Person, PersonChanges, PersonSummary
from qtorch import (
    RESTARTABLE,
    BaseOrchestrator,
    BaseState,
    Command,
    Form,
    InvalidateCacheJob,
    JobCacheHitEvent,
    JobFailureEvent,
    JobSuccessEvent,
    combine,
    on,
)

if TYPE_CHECKING:
    from qtorch.ports import DefaultRuntime


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
    """One person as the server has them, and what is in the way of saving them or of leaving.

    Attributes
    ----------
    chosen
        Who was chosen, as the list knows them; None before anybody is.
    stored
        The newest version that is known; None until it is there.
    based_on
        The version that the user knows of. The server is told it with a save, and refuses if it has a newer one.
    cached_at
        When the shown version was fetched, in seconds since 1970, while it comes from the cache; else None.
    in_conflict
        Whether the user is to decide what becomes of the edits: somebody else has stored a newer version meanwhile.
    leaving
        Set while unsaved changes stand in the way of what the user wants to do next.
    """

    chosen: PersonSummary | None = None
    stored: Person | None = None
    based_on: int = 0
    cached_at: float | None = None
    in_conflict: bool = False
    leaving: Leaving | None = None
    fetch_problem: str = ""
    save_problem: str = ""

    @property
    def shown(self) -> Person | PersonSummary | None:
        """Who is shown, as well as they are known so far."""
        return self.stored or self.chosen


class Profile(BaseOrchestrator[ProfileState]):
    """Fetches, edits and stores one person, and loses nothing that was typed on the way.

    Attributes
    ----------
    form
        What is edited. Its ``submit`` saves.
    revert
        The command to forget what was typed, and show what the server has.
    save_mine_anyway
        The command to store what was typed over what somebody else stored; what was not touched here stays theirs.
    """

    def __init__(self, *, runtime: DefaultRuntime) -> None:
        super().__init__(ProfileState(), runtime=runtime)
        form = self.form = Form(
            Person, submit=self._save, can=lambda s: s.is_dirty and s.is_valid, runtime=runtime, parent=self
        )
        form.changed("is_dirty").connect(self._edited)
        form.submit.finished.connect(self._saved)
        self.revert = Command(form.reset, can=form.select(lambda s: s.is_dirty), parent=form)
        can_save_now = combine(
            form.select(lambda s: s.is_valid),
            self.running(SavePersonJob),
            lambda is_valid, saves: is_valid and not saves,
        )
        self.save_mine_anyway = Command(self._save_mine_anyway, can=can_save_now, parent=self)

    # -- choosing and leaving --------------------------------------------------------------------------

    def choose(self, person: PersonSummary) -> None:
        """Show ``person``; if there are unsaved changes, ask first (``leaving``)."""
        chosen = self.state.chosen
        if chosen is not None and chosen.id == person.id:
            return
        if self.form.is_dirty:
            self.update(leaving=Leaving(to=person))
        else:
            self._show(person)

    def may_close(self) -> bool:
        """Whether nothing would be lost; if not, it is asked for (``leaving``), and ``Left`` may follow."""
        if self.form.is_dirty and self.state.leaving is None:
            self.update(leaving=Leaving(to=None))
        return not self.form.is_dirty

    def save_and_leave(self) -> None:
        """Answer: save first."""
        leaving = self.state.leaving
        if leaving is not None:
            self.update(leaving=leaving.copy_with(saves=True) if self.form.is_valid else None)
            self.form.submit()

    def discard_and_leave(self) -> None:
        """Answer: never mind the changes."""
        self.form.reset()
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
        self.form.clear()
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
        """Take what the server has now: what was typed stays, and the rest follows."""
        if not self._shows(person.id):
            return
        known, based_on = self.state.stored, self.state.based_on
        is_in_step = known is not None and known.version == based_on and _are_alike_but_for_the_picture(person, known)
        self.form.load(person)
        self.update(stored=person)
        if is_in_step or not self.form.is_dirty:
            self._settle()
        else:
            self.update(in_conflict=True)

    def _shows(self, person_id: int) -> bool:
        return self.state.chosen is not None and self.state.chosen.id == person_id

    def _settle(self) -> None:
        """Go on from what the server has now."""
        if self.state.stored is not None:
            self.update(based_on=self.state.stored.version, in_conflict=False)

    @on(JobSuccessEvent, ChangePictureJob, passive=True)
    def _picture_changed(self, event: JobSuccessEvent[Person]) -> None:
        self._take(event.data)

    @on(JobSuccessEvent, ConnectJob, passive=True)
    def _connected(self, event: JobSuccessEvent[Server]) -> None:  # noqa: ARG002
        self.reload()

    # -- saving ----------------------------------------------------------------------------------------

    def _save(self, _: Person) -> SavePersonJob:
        assert self.state.stored is not None, "else the form would be empty"
        self.update(save_problem="")
        changes = PersonChanges(version=self.state.based_on, **self.form.changes())
        return SavePersonJob(person=self.state.stored, changes=changes)

    def _save_mine_anyway(self) -> None:
        self._settle()
        self.form.submit()

    def _edited(self, is_dirty: bool) -> None:
        if not is_dirty:
            self._settle()
            self.update(save_problem="")

    def dismiss_conflict(self) -> None:
        """Say no more of the conflict until the next try to save."""
        self.update(in_conflict=False)

    def dismiss_problems(self) -> None:
        """Say no more of what went wrong."""
        self.update(fetch_problem="", save_problem="")

    def _saved(self, person: Person) -> None:
        """Go on after the form has taken what was stored."""
        self.dispatch(InvalidateCacheJob(key=person_key(person.id)))
        self.effect.emit(Saved(name=person.name))
        if self._shows(person.id):
            self.update(stored=person)
            self._settle()
        if not self.form.is_dirty:
            self._leave()
        elif self.state.leaving is not None and self.state.leaving.saves:
            self.form.submit()  # what could not be sent while the rest was on its way

    @on(JobFailureEvent, SavePersonJob)
    def _not_saved(self, event: JobFailureEvent) -> None:
        assert isinstance(event.job, SavePersonJob)
        person, error = event.job.person, event.error
        if isinstance(error, ConflictError):
            self.dispatch(InvalidateCacheJob(key=person_key(person.id)))
            self._take(error.current)
        else:
            self.update(save_problem=f"{person.name} was not saved. {explain(event)}")
        if isinstance(error, InvalidFieldsError) and self._shows(person.id):
            self.form.refuse(error.fields)
        if self.state.leaving is not None and self.state.leaving.saves:
            self.update(leaving=None)


def _are_alike_but_for_the_picture(one: Person, other: Person) -> bool:
    return one == other.model_copy(update={"avatar": one.avatar, "version": one.version})
