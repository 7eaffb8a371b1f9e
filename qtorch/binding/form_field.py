"""One field of a form: what was typed into it, and what is wrong with that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from qtorch.binding.form_shape import UNSET, FieldShape
from qtorch.binding.form_tree import Part, Place, Rows, Typed, alike, input_of, node_at, planted
from qtorch.binding.refusals import message_of
from qtorch.ports import MISSING
from qtorch.state.selected import Field
from qtorch.state.source import Source

if TYPE_CHECKING:
    from qtorch.binding.form_core import FormCore
    from qtorch.binding.two_way_binding import TwoWayBinding
    from qtorch.ports import Observable

T = TypeVar("T")


class FormField(Field[T]):
    """A field in which anything may stand: to write what is wrong with it never raises, and is shown at its widgets.

    A model, or a list of them, is given as a whole, and is None while something is wrong in it.
    """

    __slots__ = ("_core", "_place", "_shape", "error")

    def __init__(self, core: FormCore, place: Place, shape: FieldShape) -> None:
        super().__init__(core.form, tuple(map(str, place)), lambda _, value: core.put(place, planted(shape, value)))
        self._core, self._place, self._shape = core, place, shape
        self.error = FormError(core, place)

    def get(self) -> T:
        """Give the value, or what was typed; None if nothing was, MISSING if the path leads through None."""
        value = self._node
        if isinstance(value, Part | Rows):
            value = _model_of(value)
        elif isinstance(value, Typed):
            value = value.content
        return None if value is UNSET else value  # type: ignore[return-value]

    @property
    def _node(self) -> Any:
        return node_at(self._core.draft.tree, self._place)

    @property
    def content(self) -> Any:
        """What a widget entered, MISSING once it has become a value."""
        node = self._node
        return node.content if isinstance(node, Typed) else MISSING

    def enter(self, content: Any) -> None:
        """Write what a widget holds; the rules make a value of it."""
        base = node_at(self._core.draft.base, self._place)
        if alike(content, base):
            self._core.put(self._place, base)
        elif content == "" and not self._shape.has_text:
            self._core.put(self._place, self._shape.blank)
        else:
            new = planted(self._shape, content)  # a combo box may hold models
            is_model = isinstance(new, Part | Rows)
            self._core.put(self._place, new if is_model else Typed(content, before=self._before))

    def refuse(self, content: Any, error: Exception) -> None:
        """Hold what a widget holds, with what its ``parse`` says against it."""
        self._core.put(self._place, Typed(content, message_of(error, self.path[-1]), self._before))

    def revert(self) -> None:
        """Take back what is wrong."""
        if self._is_wrong:
            self._core.put(self._place, self._before)

    @property
    def _is_wrong(self) -> bool:
        return self._place in self._core.draft.verdict.errors

    @property
    def _before(self) -> Any:
        node = self._node
        return node.before if isinstance(node, Typed) and self._is_wrong else node

    def shown_by(self, binding: TwoWayBinding) -> None:
        """Note a widget, to flush it before a submit and to lead the user to it.

        A spin box cannot show that there is nothing: what it shows instead is what the user sees in the form.
        """
        self._core.widgets.add(binding, self._place)
        if self._node is UNSET and binding.content not in (None, ""):
            self._core.begin(self._place, binding.content)

    def _connect(self) -> None:
        self._core.news.observe("value", self._place, self)

    def _disconnect(self) -> None:
        self._core.news.unobserve("value", self._place, self)


class FormError(Source[str]):
    """What is wrong at a place and may be shown; empty if nothing is."""

    __slots__ = ("_core", "_form", "_place")

    def __init__(self, core: FormCore, place: Place) -> None:
        super().__init__()
        # The core holds the form weakly.
        self._core, self._place, self._form = core, place, core.form

    def get(self) -> str:
        """Give it."""
        return self._core.draft.shown.get(self._place, "")

    @property
    def observables(self) -> tuple[Observable[Any], ...]:
        """The form."""
        return (self._form,)

    def _connect(self) -> None:
        self._core.news.observe("error", self._place, self)

    def _disconnect(self) -> None:
        self._core.news.unobserve("error", self._place, self)

    def __repr__(self) -> str:
        return f"error({'.'.join(map(str, self._place))})"


def _model_of(node: Part | Rows) -> Any:
    if isinstance(node, Rows):
        models = [_model_of(part) for _, part in node.rows]
        return None if None in models else node.container(models)
    try:
        return node.model.model_validate(input_of(node))
    except Exception:  # noqa: BLE001 - the form's own validation, of all of it, tells what is wrong
        return None
