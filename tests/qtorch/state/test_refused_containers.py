"""What a state may not hold, wherever in an annotation it hides."""

from __future__ import annotations

import collections
import collections.abc
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from typing import Annotated, Any, Generic, List, Literal, NewType, Optional, TypeVar, Union  # noqa: UP035 - on purpose

import pytest
from pydantic import BaseModel, Field, create_model
from typing_extensions import TypeAliasType, TypedDict

from qtorch import AsyncState, BaseState

T = TypeVar("T")
Names = NewType("Names", list[str])
Alias = TypeAliasType("Alias", dict[str, int])


class Row(TypedDict):
    name: str


class Path(list[int]):
    pass


@pytest.mark.parametrize(
    ("annotation", "instead"),
    [
        (list, "tuple"),
        (list[int], "tuple"),
        (List[int], "tuple"),  # noqa: UP006 - the old spelling is on trial
        (dict[str, int], "Mapping"),
        (set[int], "frozenset"),
        (bytearray, "bytes"),
        (deque[int], "tuple"),
        (OrderedDict[str, int], "Mapping"),
        (defaultdict[str, int], "Mapping"),
        (collections.Counter[str], "Mapping"),
        (Sequence[int], "tuple"),
        (Iterable[int], "tuple"),
        (Iterator[int], "tuple"),
        (collections.abc.Collection[int], "tuple"),
        (collections.abc.Set[int], "frozenset"),
        (MutableSequence[int], "tuple"),
        (MutableSet[int], "frozenset"),
        (MutableMapping[str, int], "Mapping"),
        (Path, "tuple"),
        (Row, "Mapping"),
        (Names, "tuple"),
        (Alias, "Mapping"),
        (list[int] | None, "tuple"),
        (Optional[set[int]], "frozenset"),  # noqa: UP045 - as above
        (Union[int, str, dict[str, int]], "Mapping"),  # noqa: UP007 - as above
        (tuple[list[int], ...], "tuple"),
        (tuple[int, tuple[str, set[int]]], "frozenset"),
        (Mapping[str, list[int]], "tuple"),
        (Mapping[str, Mapping[str, tuple[dict[str, int], ...] | None]], "Mapping"),
        (frozenset[tuple[bytearray, ...]], "bytes"),
        (Annotated[list[int], Field(max_length=3)], "tuple"),
        (tuple[Annotated[set[int], "note"], ...], "frozenset"),
        (Annotated[tuple[Annotated[list[int], 1], ...], 2], "tuple"),
    ],
    ids=str,
)
def test_a_container_that_can_change_is_refused_with_what_to_write_instead(annotation: Any, instead: str) -> None:
    with pytest.raises(
        TypeError, match=rf"TableState\.rows holds a \w+, which can change(.|\n)*Write {instead} instead"
    ):
        create_model("TableState", __base__=BaseState, rows=(annotation, None))


@pytest.mark.parametrize(
    "annotation",
    [
        tuple[int, ...],
        frozenset[str],
        Mapping[str, tuple[int, ...]],
        bytes,
        Any,
        int | None,
        Literal["list", "dict"],
        type[list],
        Callable[[list[int]], dict[str, int]],
        Annotated[tuple[int, ...], ["metadata", {"may": "be anything"}]],
    ],
    ids=str,
)
def test_what_cannot_change_or_holds_nothing_is_allowed(annotation: Any) -> None:
    create_model("TableState", __base__=BaseState, rows=(annotation, None))


def test_a_subclass_is_looked_at_too() -> None:
    class Good(BaseState):
        rows: tuple[int, ...] = ()

    with pytest.raises(TypeError, match=r"Bad\.names"):

        class Bad(Good):
            names: list[str]


def test_a_generic_state_is_looked_at_when_its_argument_is_known() -> None:
    class Page(BaseState, Generic[T]):
        items: T

    Page[tuple[int, ...]](items=(1,))
    with pytest.raises(TypeError, match="items holds a list"):
        Page[list[int]]
    with pytest.raises(TypeError, match="data holds a list"):
        AsyncState[list[int]]


class Forward(BaseState):
    people: tuple[Later, ...] | None = None
    names: list[Later] | None = None


class Later(BaseModel):
    name: str = ""


def test_a_list_of_a_class_that_comes_later_is_refused_as_soon_as_that_class_is_known() -> None:
    with pytest.raises(TypeError, match=r"Forward\.names holds a list"):
        Forward()
