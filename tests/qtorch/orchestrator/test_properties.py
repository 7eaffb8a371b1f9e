"""Each state field is a Qt property with a notify signal, for QML, Designer, animations and waitSignal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, computed_field
from PySide6.QtCore import QObject, SignalInstance

from qtorch import AsyncState, BaseOrchestrator, BaseState

if TYPE_CHECKING:
    from tests.qtorch.execution.rig import Rig

T = TypeVar("T")
S = TypeVar("S", bound=BaseState)


class Person(BaseModel, frozen=True):
    name: str


class ManyState(BaseState):
    text: str = ""
    flag: bool = False
    ratio: float = 0.0
    number: int = 0
    maybe: str | None = None
    tags: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    by_key: Mapping[str, int] = {}
    person: Person | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def title(self) -> str:
        return self.text.title()


class Many(BaseOrchestrator[ManyState]):
    pass


FIELDS = (*ManyState.model_fields, "title")


@pytest.fixture
def many(rig: Rig) -> Many:
    return Many(ManyState(), runtime=rig.runtime)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_and_computed_field_is_in_the_meta_object_with_its_notify_signal(many: Many, name: str) -> None:
    meta = many.metaObject()
    index = meta.indexOfProperty(name)
    assert index >= 0
    prop = meta.property(index)
    assert prop.hasNotifySignal()
    assert bytes(prop.notifySignal().name().data()).decode() == f"{name}Changed"
    assert not prop.isWritable(), "state changes through the orchestrator only"


def test_stateChanged_busy_and_effect_are_there_too(many: Many) -> None:
    meta = many.metaObject()
    signals = {bytes(meta.method(i).name().data()).decode() for i in range(meta.methodCount())}
    assert {"stateChanged", "effect", "busyChanged"} <= signals
    assert meta.property(meta.indexOfProperty("busy")).hasNotifySignal()


def test_qt_reads_the_current_values(many: Many) -> None:
    many.update(text="ada", flag=True, ratio=0.5, number=7, tags=("a", "b"), by_key={"a": 1}, person=Person(name="Ada"))
    assert many.property("text") == "ada"
    assert many.property("flag") is True
    assert many.property("ratio") == 0.5
    assert many.property("title") == "Ada"
    assert many.property("tags") == ["a", "b"]
    assert many.property("by_key") == {"a": 1}
    assert many.property("person") is many.state.person


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**40, 2**62])
def test_a_number_above_32_bits_stays_itself(many: Many, number: int) -> None:
    seen: list[int] = []
    many.changed("number").connect(seen.append)
    many.update(number=number)
    assert many.property("number") == number
    assert seen == [number]


def test_none_stays_none_where_a_text_may_be_missing(many: Many) -> None:
    seen: list[str | None] = []
    many.changed("maybe").connect(seen.append)
    many.update(maybe="x")
    many.update(maybe=None)
    assert many.property("maybe") is None
    assert seen == ["x", None]


def test_collections_are_lists_to_qml(many: Many) -> None:
    meta = many.metaObject()
    types = {name: meta.property(meta.indexOfProperty(name)).typeName() for name in ("tags", "names", "by_key")}
    assert types == {"tags": "QVariantList", "names": "QVariantList", "by_key": "QVariantMap"}
    assert meta.property(meta.indexOfProperty("number")).typeName() == "QVariant"


def test_a_notify_signal_carries_the_value(many: Many) -> None:
    person = Person(name="Ada")
    seen: list[Any] = []
    many.changed("person").connect(seen.append)
    many.update(person=person)
    assert seen == [person]
    assert seen[0] is person


def test_changed_gives_the_signal_of_a_field_and_names_the_fields_otherwise(many: Many) -> None:
    assert isinstance(many.changed("text"), SignalInstance)
    with pytest.raises(AttributeError, match=r"no field 'txet'.*text.*title"):
        many.changed("txet")


def test_wait_signal_sees_a_field(many: Many, qtbot: Any) -> None:
    with qtbot.waitSignal(many.changed("text")) as blocker:
        many.update(text="x")
    assert blocker.args == ["x"]


# -- which state ------------------------------------------------------------------------------------------------------


def test_the_state_class_is_found_through_generic_bases(rig: Rig) -> None:
    class Base(BaseOrchestrator[S], Generic[S]):
        def shared(self) -> str:
            return "shared"

    class Middle(Base[S], Generic[S]):
        pass

    class Leaf(Middle[ManyState]):
        pass

    leaf = Leaf(ManyState(text="x"), runtime=rig.runtime)
    assert leaf.property("text") == "x"
    assert leaf.shared() == "shared"


def test_a_subclass_of_a_whole_orchestrator_has_its_properties(rig: Rig) -> None:
    class More(Many):
        pass

    more = More(ManyState(text="x"), runtime=rig.runtime)
    seen: list[str] = []
    more.changed("text").connect(seen.append)
    more.update(text="y")
    assert more.property("text") == "y"
    assert seen == ["y"]


def test_a_generic_async_state_makes_properties_of_its_computed_fields(rig: Rig) -> None:
    class PersonState(AsyncState[Person]):
        tab: int = 0

    class People(BaseOrchestrator[PersonState]):
        pass

    people = People(PersonState(), runtime=rig.runtime)
    seen: list[bool] = []
    people.changed("is_loading").connect(seen.append)
    people.emit(people.state.to_loading())
    people.emit(people.state.to_success(Person(name="Ada")))
    assert seen == [True, False]
    assert people.property("has_data") is True
    assert isinstance(people.state, PersonState)


def test_an_async_state_can_be_used_without_a_subclass(rig: Rig) -> None:
    class People(BaseOrchestrator[AsyncState[Person]]):
        pass

    people = People(AsyncState[Person](), runtime=rig.runtime)
    people.emit(people.state.to_success(Person(name="Ada")))
    assert people.property("data") == Person(name="Ada")


def test_a_wrong_first_state_says_what_to_write(rig: Rig) -> None:
    class OtherState(BaseState):
        pass

    with pytest.raises(TypeError, match=r"(?s)Many was given a OtherState.*BaseOrchestrator\[OtherState\]"):
        Many(OtherState(), runtime=rig.runtime)  # type: ignore[arg-type]


def test_an_orchestrator_that_names_no_state_says_what_to_write(rig: Rig) -> None:
    class Nameless(BaseOrchestrator):  # type: ignore[type-arg]
        pass

    with pytest.raises(TypeError, match=r"(?s)no state that it names.*BaseOrchestrator\[ManyState\]"):
        Nameless(ManyState(), runtime=rig.runtime)


def test_a_state_of_a_subclass_may_be_emitted_and_left_again(rig: Rig) -> None:
    class Shape(BaseState):
        name: str = ""

    class Circle(Shape):
        radius: int = 0

    class Square(Shape):
        side: int = 0

    class Shapes(BaseOrchestrator[Shape]):
        pass

    shapes = Shapes(Shape(), runtime=rig.runtime)
    seen: list[Shape] = []
    shapes.stateChanged.connect(lambda new, old: seen.append(new))
    states = [Circle(radius=1), Circle(radius=2), Square(side=3), Shape(name="none")]
    for state in states:
        shapes.emit(state)
        assert shapes.state is state
    assert seen == states


# -- names that would hide something ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["parent", "objectName", "property", "state", "dispatch", "busy", "effect", "on_progress"]
)
def test_a_field_that_would_hide_a_member_is_refused_when_the_class_is_made(name: str) -> None:
    body = {"__annotations__": {name: int}, name: 0, "__module__": __name__}
    state: Any = type("BadState", (BaseState,), body)
    with pytest.raises(TypeError, match=rf"(?s){name}.*BadState.*Rename.*{name}_value"):

        class Bad(BaseOrchestrator[state]):
            pass


def test_a_field_whose_signal_would_hide_a_member_is_refused() -> None:
    class ColourState(BaseState):
        colour: str = ""

    with pytest.raises(TypeError, match=r"(?s)'colour'.*Bad\.colourChanged"):

        class Bad(BaseOrchestrator[ColourState]):
            def colourChanged(self) -> None:
                pass


def test_a_field_with_the_name_of_a_method_in_the_class_body_is_refused() -> None:
    with pytest.raises(TypeError, match=r"(?s)'text'.*Bad\.text"):

        class Bad(BaseOrchestrator[ManyState]):
            def text(self) -> str:
                return ""


def test_a_field_with_the_name_of_a_method_in_a_generic_base_is_refused() -> None:
    class Base(BaseOrchestrator[S], Generic[S]):
        def text(self) -> str:
            return ""

    with pytest.raises(TypeError, match=r"(?s)'text'.*Base\.text"):

        class Bad(Base[ManyState]):
            pass


def test_an_orchestrator_is_a_qobject_with_a_parent(rig: Rig) -> None:
    parent = QObject()
    many = Many(ManyState(), runtime=rig.runtime, parent=parent)
    assert many.parent() is parent
    many.setObjectName("many")
    assert parent.findChild(QObject, "many") is many
