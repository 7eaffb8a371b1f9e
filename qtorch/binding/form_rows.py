"""A list of models in a form, whose rows come, go and move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from qtorch.binding.form_field import FormError, FormField
from qtorch.binding.form_shape import field_at
from qtorch.binding.form_tree import Part, Place, Rows, node_at
from qtorch.state.path import path_of
from qtorch.state.source import Source

if TYPE_CHECKING:
    from qtorch.binding.form_core import FormCore
    from qtorch.ports import Observable
    from qtorch.state.selected import Field

R = TypeVar("R", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
T = TypeVar("T")

Models = tuple[type[BaseModel], ...]


class FormPart(Generic[R]):
    """The fields of a model within a form: of the form's own, or of a row."""

    __slots__ = ("_core", "_models", "_place")

    def __init__(self, core: FormCore, place: Place, models: Models) -> None:
        self._core, self._place, self._models = core, place, models

    def field(self, path: Callable[[R], T]) -> Field[T]:
        """Give one field by its path; see :meth:`Form.field`."""
        names = path_of(path)
        return FormField(self._core, (*self._place, *names), field_at(self._models, names))

    def error(self, path: Callable[[R], object]) -> Source[str]:
        """Give what is wrong with one field; see :meth:`Form.error`."""
        names = path_of(path)
        field_at(self._models, names)
        return FormError(self._core, (*self._place, *names))

    def rows(self, path: Callable[[R], Sequence[Q] | None]) -> FormRows[Q]:
        """Give a list of models by its path; see :meth:`Form.rows`."""
        names = path_of(path)
        shape = field_at(self._models, names)
        if not shape.rows:
            raise TypeError(
                f"rows() takes the path of a list of pydantic models, such as tuple[Phone, ...], and "
                f"{'.'.join(names)} is none.\n"
                f"  Write field(lambda m: m.{'.'.join(names)}) to edit it as a whole."
            )
        return FormRows(self._core, (*self._place, *names), shape.rows, shape.container)


class FormRow(FormPart[R]):
    """One model in a list, which keeps the form no more alive than the list does.

    It stays itself when rows move, and equals the same row given at another time.

    Attributes
    ----------
    key
        What tells it from every other row; for ``KeyedListModel(key=lambda row: row.key)``.

    Examples
    --------
    >>> bind_two_way(number_edit, row.field(lambda phone: phone.number))  # doctest: +SKIP
    """

    __slots__ = ()

    @property
    def key(self) -> int:
        """What tells it from every other row."""
        key = self._place[-1]
        assert isinstance(key, int)
        return key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FormRow) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"row({'.'.join(map(str, self._place))})"


class FormRows(Generic[R]):
    """A list of models in a form, which it does not keep alive: a form may keep it. To change it counts as an edit.

    Attributes
    ----------
    place
        Where it is in the form.

    Examples
    --------
    >>> phones = form.rows(lambda p: p.phones)  # doctest: +SKIP
    >>> bind(list_of_editors.set_rows, phones.items)  # doctest: +SKIP
    >>> phones.move(phones.append(), to=0)  # doctest: +SKIP
    """

    __slots__ = ("_container", "_core", "_models", "place")

    def __init__(self, core: FormCore, place: Place, models: Models, container: type[Any]) -> None:
        self._core, self.place, self._models, self._container = core, place, models, container

    @property
    def items(self) -> Source[tuple[FormRow[R], ...]]:
        """A source of the rows, in order."""
        return _Items(self._core, self)

    def get(self) -> tuple[FormRow[R], ...]:
        """Give the rows as they are now; none where the path leads through None."""
        return tuple(FormRow(self._core, (*self.place, key), self._models) for key, _ in self._rows)

    @property
    def _rows(self) -> tuple[tuple[int, Part], ...]:
        node = node_at(self._core.draft.tree, self.place)
        return node.rows if isinstance(node, Rows) else ()

    def _put(self, rows: Sequence[tuple[int, Part]]) -> None:
        self._core.put(self.place, Rows(self._container, rows))

    def append(self, value: R | None = None) -> FormRow[R]:
        """Add a row with ``value``, or one to be filled in, and give it.

        Raises
        ------
        TypeError
            Rows may be of several classes, so one has to be given.
        LookupError
            The path of the list leads through None.
        """
        if value is None and len(self._models) != 1:
            names = " or ".join(model.__name__ for model in self._models)
            raise TypeError(f"append() cannot know whether the row is to be a {names}; give it one")
        new = Part.empty(self._models[0]) if value is None else Part.of(value)
        ((key, part),) = Rows.of(self._container, (new,)).rows
        self._put((*self._rows, (key, part)))
        return FormRow(self._core, (*self.place, key), self._models)

    def remove(self, row: FormRow[R]) -> None:
        """Take a row out; one that is gone already is no error."""
        if self._index(row) is not None:
            self._put([one for one in self._rows if one[0] != row.key])

    def move(self, row: FormRow[R], to: int) -> None:
        """Put a row where it is number ``to``, from 0; too far is the end.

        Raises
        ------
        LookupError
            The row is gone.
        """
        index = self._index(row)
        if index is None:
            raise LookupError(f"{row!r} is not in the form any more, so it cannot be moved")
        rows = list(self._rows)
        rows.insert(max(0, to), rows.pop(index))
        self._put(rows)

    def _index(self, row: FormRow[R]) -> int | None:
        return next((index for index, (key, _) in enumerate(self._rows) if key == row.key), None)

    def __repr__(self) -> str:
        return f"rows({'.'.join(map(str, self.place))})"


class _Items(Source[tuple[FormRow[R], ...]]):
    """The rows of a list, and a change when they come, go or move."""

    __slots__ = ("_core", "_form", "_rows")

    def __init__(self, core: FormCore, rows: FormRows[R]) -> None:
        super().__init__()
        self._core, self._rows = core, rows
        self._form = core.form  # the core holds it weakly

    def get(self) -> tuple[FormRow[R], ...]:
        return self._rows.get()

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """The form."""
        return (self._form,)

    def _connect(self) -> None:
        self._core.news.observe("value", self._rows.place, self)

    def _disconnect(self) -> None:
        self._core.news.unobserve("value", self._rows.place, self)

    def __repr__(self) -> str:
        return f"{self._rows!r}.items"
