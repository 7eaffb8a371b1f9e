"""A pydantic model on its way through the hands of a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from pydantic import BaseModel, RootModel

from qtorch.binding.command import Command
from qtorch.binding.form_core import FormCore
from qtorch.binding.form_rows import FormPart, FormRows
from qtorch.binding.form_state import FormDraft, FormState, M
from qtorch.binding.form_tree import Part
from qtorch.orchestrator.base_orchestrator import BaseOrchestrator

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from qtorch.binding.form_words import Messages
    from qtorch.ports import DefaultRuntime
    from qtorch.state.selected import Field
    from qtorch.state.source import Source

Q = TypeVar("Q", bound=BaseModel)
T = TypeVar("T")


class Form(BaseOrchestrator[FormState[M]], Generic[M]):
    """Holds a draft of a pydantic model, in which anything may stand, and says what is wrong by the model's rules.

    It is an orchestrator: what can be shown of it are the fields of :class:`FormState`, by ``form.select(lambda s:
    s.is_dirty)`` or as Qt properties, and a subclass can have hooks and ``@on`` handlers for its jobs. The rules are
    asked once per edit. What is wrong with a field is shown once the user has edited it, what is wrong with a model as
    a whole once anything in it was edited, and everything after a submit: to walk through a form with the tabulator
    marks nothing.

    Parameters
    ----------
    model
        The class of the model. The form begins with its defaults and nothing else; see :meth:`load`.
    submit
        Called by the command :attr:`submit` with the model, when that is valid; what it returns is the work, as for
        any :class:`Command`, such as a job: one of the orchestrator's whose method this is, else one of the form's.
        None: to submit is all, and ``form.submit.finished`` has the model.
    can
        Of the form's state: when submit is enabled at all, such as ``lambda s: s.is_dirty``.
    messages
        From the type of a pydantic error and its context to the program's own words; None for the usual ones.
    runtime, parent
        As for any orchestrator.

    Attributes
    ----------
    submit
        The command. It first writes what waits in the widgets of the form. While something is wrong it does nothing
        but show everything that is, and leads the user to the first such widget. When the work has ended well, what
        was submitted counts as loaded, or the result if that is such a model; what was edited meanwhile stays.

    Raises
    ------
    TypeError
        ``model`` is no pydantic model with fields.

    Examples
    --------
    >>> form = Form(Person, submit=lambda person: SavePersonJob(person=person), parent=window)  # doctest: +SKIP
    >>> form.load(person)  # doctest: +SKIP
    >>> bind_two_way(zip_edit, form.field(lambda p: p.address.zip))  # doctest: +SKIP
    >>> bind(zip_message, "text", form.error(lambda p: p.address.zip))  # doctest: +SKIP
    >>> bind(summary, "text", form.select(lambda s: s.summary))  # doctest: +SKIP
    >>> bind_command(save_button, form.submit)  # doctest: +SKIP
    """

    # The Qt properties, for type checkers.
    value: M | None
    is_valid: bool
    is_dirty: bool
    summary: str
    conflicts: tuple[tuple[str, ...], ...]

    def __init__(
        self,
        model: type[M],
        *,
        submit: Callable[[M], object] | None = None,
        can: Callable[[FormState[M]], object] | None = None,
        messages: Messages | None = None,
        runtime: DefaultRuntime | None = None,
        parent: QObject | None = None,
    ) -> None:
        _refuse_unfit(model)
        core = FormCore(model, messages)
        draft = FormDraft.of(Part.empty(model), core.rules)
        super().__init__(FormState[M].of(draft), runtime=runtime, parent=parent)
        self._form = core
        self._fields: FormPart[M] = FormPart(core, (), (model,))
        core.attach(self)
        self._core.observe("draft", core.news)
        self.submit = _Submit(core, submit or _itself, None if can is None else self.select(can), self)
        self.submit.finished.connect(self._stored)

    # -- its fields ---------------------------------------------------------------------------------------------------

    def field(self, path: Callable[[M], T]) -> Field[T]:  # type: ignore[override]  # of the model, not of the state
        """Give one field by its path, for ``bind_two_way``.

        To write to it never raises for an unfit value: that stays in the draft, and the widget is marked. While the
        form is not valid it may hold what was typed, which need not have the field's type; None if nothing was. A path
        through None gives MISSING.

        Raises
        ------
        TypeError
            It is no plain path.
        AttributeError
            There is no such field, or it is computed.
        """
        return self._fields.field(path)

    def error(self, path: Callable[[M], object]) -> Source[str]:
        """Give what is wrong with one field and may be shown; empty if nothing is.

        Raises
        ------
        TypeError, AttributeError
            As for :meth:`field`.
        """
        return self._fields.error(path)

    def rows(self, path: Callable[[M], Sequence[Q] | None]) -> FormRows[Q]:
        """Give a list of models by its path.

        Raises
        ------
        TypeError
            It is no list of models.
        AttributeError
            There is no such field.
        """
        return self._fields.rows(path)

    # -- what is in it ------------------------------------------------------------------------------------------------

    def load(self, value: M, *, keep_edits: bool = True) -> None:
        """Take a stored version; what was edited stays, the rest follows.

        Where both changed a field, the edit stays, and ``conflicts`` has its titles. A list of models is one field.

        Parameters
        ----------
        value
            The model.
        keep_edits
            False for another record: forget what was edited, and what is being submitted.

        Raises
        ------
        TypeError
            It is no such model.
        """
        self._form.load(value, keep_edits)

    def reset(self) -> None:
        """Go back to what was loaded, with nothing marked."""
        self._form.reset()

    def clear(self) -> None:
        """Forget what was loaded as well: the form is as it began, such as while no record is chosen."""
        self._form.clear()

    def changes(self, *, mode: Literal["python", "json"] = "python", by_alias: bool = False) -> dict[str, Any]:
        """Give only what differs from what was loaded, as ``model_dump`` gives it; a list of models as a whole.

        Raises
        ------
        ValueError
            The form is not valid.
        """
        return self._form.changes(mode, by_alias)

    # A Mapping is invariant in its keys: a server's dict[str, str] is none of the mixed ones.
    @overload
    def refuse(self, messages: Mapping[str | tuple[str | int, ...], str]) -> None: ...
    @overload
    def refuse(self, messages: Mapping[str, str] | Mapping[tuple[str | int, ...], str]) -> None: ...
    def refuse(self, messages: Mapping[Any, str]) -> None:
        """Show what the server says of fields, each until it is edited, all until the next submit.

        Parameters
        ----------
        messages
            By the name of a field, or by its place as in pydantic's ``loc``: ``{"email": "is taken", ("phones", 1,
            "number"): "is not in use", (): "The offer has ended."}``.
        """
        self._form.refuse(messages)

    def _stored(self, result: object) -> None:
        self._form.stored(result)


class _Submit(Command):
    """Asks the form first, and begins with what is in it."""

    def __init__(self, core: FormCore, function: Callable[..., object], can: Source[Any] | None, form: QObject) -> None:
        super().__init__(function, can=can, parent=form)
        self._form = core

    def _may_begin(self) -> bool:
        self._form.flush()  # before can= is asked: it may be about what waits
        return super()._may_begin() and self._form.ask()

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super()._begin((self._form.send(), *args), kwargs)


def _itself(value: object) -> object:
    return value


def _refuse_unfit(model: object) -> None:
    if isinstance(model, type) and issubclass(model, BaseModel) and not issubclass(model, RootModel):
        return
    if isinstance(model, type):
        kind = "a RootModel, which has no fields" if issubclass(model, RootModel) else "no pydantic model"
        raise TypeError(
            f"Form takes the class of a pydantic model with fields, and {model.__name__} is {kind}.\n"
            f"  Write class {model.__name__}(BaseModel), and name what it holds."
        )
    raise TypeError(f"Form takes a class, not {type(model).__name__}: write Form(Person), then form.load(person)")
