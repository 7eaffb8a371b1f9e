"""What a form does, behind the QObject."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from threading import get_ident
from typing import TYPE_CHECKING, Any

from qtorch.binding.form_merge import changed_names, merged
from qtorch.binding.form_news import News
from qtorch.binding.form_rules import Rules, place_of
from qtorch.binding.form_state import FormDraft, FormState
from qtorch.binding.form_tree import Part, Place, node_at
from qtorch.binding.form_widgets import FormWidgets
from qtorch.binding.home import Home
from qtorch.errors import ClosedError, WrongThreadError
from qtorch.ports import MISSING

if TYPE_CHECKING:
    from pydantic import BaseModel

    from qtorch.binding.form_words import Messages
    from qtorch.orchestrator.base_orchestrator import BaseOrchestrator


class FormCore:
    """Turns edits into new states of a form, which it refers to weakly: what is handed out refers to both.

    Attributes
    ----------
    rules
        Those of the form's model.
    news
        Who hears of which place.
    widgets
        Where the fields are shown.
    sent
        What was submitted and is on its way.
    """

    __slots__ = ("__weakref__", "_form", "_thread", "news", "rules", "sent", "widgets")

    def __init__(self, model: type[BaseModel], messages: Messages | None) -> None:
        # Weakly, for these are its own.
        self.rules = Rules(model, messages, _Report(self))
        self.widgets = FormWidgets()
        self.sent: Part | None = None
        self._thread = get_ident()
        self._form: weakref.ref[BaseOrchestrator[FormState[Any]]] | None = None
        self.news: News

    def attach(self, form: BaseOrchestrator[FormState[Any]]) -> None:
        """Begin with the form's first state."""
        self._form = weakref.ref(form)
        self.news = News(form.state.draft, weakref.ref(self))
        self._report_crash(None, form.state.draft)

    @property
    def form(self) -> BaseOrchestrator[FormState[Any]]:
        """The form; raises ClosedError if it is gone."""
        form = None if self._form is None else self._form()
        if form is None:
            raise ClosedError(f"the form of a {self.rules.model.__name__} is gone, and nobody kept it")
        return form

    @property
    def draft(self) -> FormDraft:
        """What is edited, as it is now."""
        return self.form.state.draft

    # -- edits --------------------------------------------------------------------------------------------------------

    def put(self, place: Place, new: Any) -> None:
        """Have ``new`` at ``place``; raise LookupError if there is no such place now."""
        self._refuse_other_threads()
        draft = self.draft
        if self.form.is_closed:
            raise ClosedError(
                f"{'.'.join(map(str, place))} was edited after its form was closed, so it stays as it is.\n"
                f"  Edit before close(), or ask is_closed first."
            )
        if node_at(draft.tree, place) is MISSING:
            raise LookupError(f"there is no {'.'.join(map(str, place))} in the form now: it is part of something empty")
        self._become(draft.edited(place, new, self.rules))

    def begin(self, place: Place, value: Any) -> None:
        """Have ``value`` at ``place`` as if the model had it as its default."""
        self._become(self.draft.begun(place, value, self.rules))

    def load(self, value: BaseModel, keep_edits: bool) -> None:
        """Begin anew with ``value``."""
        self._refuse_other_threads()
        if not isinstance(value, self.rules.model):
            raise TypeError(
                f"{type(self.form).__name__} takes a {self.rules.model.__name__}, and was given {type(value).__name__}"
            )
        old, theirs = self.draft, Part.of(value)
        new = old.loaded(theirs, self.rules) if keep_edits else FormDraft.of(theirs, self.rules)
        if self.sent is not None:
            # What comes back from a submit is of the record that was submitted, and may know nothing of this version.
            self.sent = merged(self.sent, old.base, new.base, set()) if keep_edits else None
        self._become(new)

    def clear(self) -> None:
        """Forget what was loaded too."""
        self._refuse_other_threads()
        self.sent = None
        self._become(FormDraft.of(Part.empty(self.rules.model), self.rules))

    def reset(self) -> None:
        """Forget what was edited."""
        self._refuse_other_threads()
        self._become(self.draft.reset(self.rules))

    def refuse(self, messages: Mapping[str | tuple[str | int, ...], str]) -> None:
        """Show what somebody else says of places."""
        self._refuse_other_threads()
        draft = self.draft
        said = dict(draft.refusals)
        for loc, message in messages.items():
            place = place_of(draft.tree, (loc,) if isinstance(loc, str) else loc)
            said[() if place is None else place] = message
        self._become(replace(draft, refusals=said))

    def changes(self, mode: str, by_alias: bool) -> dict[str, Any]:
        """Give what differs from what was loaded."""
        draft = self.draft
        value = draft.verdict.value
        if value is None:
            raise ValueError(f"{type(self.form).__name__} is not valid, so it cannot tell what would be stored")
        if not draft.is_dirty:
            return {}
        return value.model_dump(include=changed_names(draft.tree, draft.base), mode=mode, by_alias=by_alias)

    # -- submitting ---------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write every edit that waits in a widget."""
        self._refuse_other_threads()
        self.widgets.flush()

    def ask(self) -> bool:
        """Give whether the form may be submitted; if not, show everything that is wrong."""
        draft = self.draft
        is_valid = draft.verdict.value is not None
        self._become(replace(draft, is_asked=not is_valid, refusals={}))
        if not is_valid:
            self.widgets.focus_first(frozenset(self.draft.shown))
        return is_valid

    def send(self) -> BaseModel:
        """Give what is submitted, and remember it."""
        draft = self.draft
        assert draft.verdict.value is not None
        self.sent = draft.tree
        return draft.verdict.value

    def stored(self, result: object) -> None:
        """Begin anew with what was submitted, or with what the program made of it; what was edited since stays."""
        sent, self.sent = self.sent, None
        if sent is None:
            return
        draft = replace(self.draft, base=sent)
        theirs = Part.of(result) if isinstance(result, self.rules.model) else sent
        self._become(draft.loaded(theirs, self.rules))

    # -- what becomes of it -----------------------------------------------------------------------------------------

    def _become(self, new: FormDraft) -> None:
        form = self.form
        old = form.state.draft
        if new is not old:
            form.emit(FormState[Any].of(new))
            self._report_crash(old, new)

    def _report_crash(self, old: FormDraft | None, new: FormDraft) -> None:
        crash, before = new.verdict.crash, None if old is None else old.verdict.crash
        if crash is None or crash is before:
            return
        # Each edit calls the rules again: the same fault is told once.
        if before is None or (type(before), str(before)) != (type(crash), str(crash)):
            self.report(crash)
        crash.__traceback__ = None  # its frames hold whatever was in use there

    def report(self, error: Exception) -> None:
        """Tell the Runtime of an error of user code."""
        form = None if self._form is None else self._form()
        Home(form).report(error, f"rules of {self.rules.model.__name__}")

    def _refuse_other_threads(self) -> None:
        if get_ident() != self._thread:
            raise WrongThreadError(
                f"{type(self.form).__name__} was changed on another thread than the one that made it.\n"
                f"  Return the value from process(), and load it in a hook: hooks run on the right thread."
            )


class _Report:
    """Reports through a core that it keeps nothing alive of."""

    __slots__ = ("_core",)

    def __init__(self, core: FormCore) -> None:
        self._core = weakref.ref(core)

    def __call__(self, error: Exception) -> None:
        core = self._core()
        if core is not None:
            core.report(error)
