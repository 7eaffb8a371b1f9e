"""Orchestrators and commands in QML: what it reads, what it calls, and who owns what."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from pydantic import computed_field
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QUrl, Slot
from PySide6.QtQml import QQmlComponent, QQmlEngine, qmlRegisterType

from qtorch import SEQUENTIAL, BaseExecutor, BaseJob, BaseOrchestrator, BaseState, Command, KeyedListModel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from qtorch.testing.hygiene import TestRuntime

Make = Callable[..., QObject]


class Person(BaseState):
    id: int
    name: str


class PeopleState(BaseState):
    text: str = "hello"
    views: int = 2**40
    nickname: str | None = None
    people: tuple[Person, ...] = (Person(id=1, name="Ada"), Person(id=2, name="Grace"))
    current: Person | None = Person(id=1, name="Ada")
    tags: tuple[str, ...] | None = ("new", "vip")
    board: tuple[tuple[int, ...], ...] = ((1, 2), (3,))
    groups: frozenset[str] = frozenset({"staff"})
    ages: Mapping[str, int] = {"Ada": 36}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def current_name(self) -> str:
        return self.current.name if self.current else ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rows(self) -> tuple[Mapping[str, object], ...]:
        return tuple(person.model_dump() for person in self.people)


class People(BaseOrchestrator[PeopleState]):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(PeopleState(), parent=parent)
        self.taken: list[object] = []

    @Slot(str)
    def rename(self, text: str) -> None:
        self.update(text=text)

    @Slot("QVariant")
    def take(self, value: object) -> None:
        self.taken.append(value)

    @Slot()
    def fail(self) -> None:
        raise LookupError("no such person")


class FailJob(BaseJob[None]):
    pass


class Failing(BaseExecutor[FailJob]):
    def process(self, job: FailJob) -> None:
        raise LookupError("no such person")


@pytest.fixture
def engine(qapp: QCoreApplication) -> Iterator[QQmlEngine]:
    engine = QQmlEngine()
    yield engine
    if shiboken6.isValid(engine):
        shiboken6.delete(engine)


@pytest.fixture
def make(engine: QQmlEngine) -> Iterator[Make]:
    """``make("property ...", people=people)``: an object of QML with these members and initial properties."""
    components: list[QQmlComponent] = []
    used: list[object] = []  # QML keeps nothing alive: what goes before its bindings is null to them

    def make(body: str, are_kept: bool = True, imports: str = "", **given: Any) -> QObject:
        component = QQmlComponent(engine)
        components.append(component)
        required = "".join(f"required property QtObject {name}; " for name in given)
        component.setData(f"import QtQml\n{imports}\nQtObject {{ {required}{body} }}".encode(), QUrl())
        assert not component.errors(), component.errorString()
        made = component.createWithInitialProperties(given)
        assert made is not None, component.errorString()
        used.extend(given.values() if are_kept else ())
        return made

    yield make
    for component in components:
        if shiboken6.isValid(component):
            shiboken6.delete(component)  # with what it made


def value_of(make: Make, expression: str, **given: Any) -> Any:
    return make(f"property var value: {expression}", **given).property("value")


def flush(engine: QQmlEngine) -> None:
    """Let the engine collect what it thinks is garbage."""
    for _ in range(3):
        engine.collectGarbage()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


# -- what it reads ------------------------------------------------------------------------------------------------


def test_a_field_is_read_and_followed(qtorch_runtime: TestRuntime, make: Make) -> None:
    people = People()
    shown = make('property string line: people.text + "!"', people=people)
    assert shown.property("line") == "hello!"
    people.update(text="bye")
    assert shown.property("line") == "bye!"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("people.views", 2**40),
        ('people.nickname ?? "nobody"', "nobody"),
        ("people.nickname === undefined", True),
        ("people.tags.length", 2),
        ("JSON.stringify(people.tags)", '["new","vip"]'),
        ("JSON.stringify(people.board)", "[[1,2],[3]]"),
        ("JSON.stringify(people.groups)", '["staff"]'),
        ("people.ages.Ada", 36),
        ("people.people.length", 2),
        ("people.current.name === undefined", True),  # a model is opaque
        ("people.current_name", "Ada"),
        ("people.rows[1].name", "Grace"),
    ],
)
def test_what_qml_makes_of_a_value(
    qtorch_runtime: TestRuntime, make: Make, expression: str, expected: object, capfd: pytest.CaptureFixture[str]
) -> None:
    assert value_of(make, expression, people=People()) == expected
    assert capfd.readouterr().err == ""


def test_python_reads_the_very_values_of_the_state(qtorch_runtime: TestRuntime) -> None:
    people: Any = People()
    for name in ("tags", "board", "groups", "ages", "people"):
        assert getattr(people, name) is getattr(people.state, name)


def test_a_field_cannot_be_assigned(qtorch_runtime: TestRuntime, make: Make, qtbot: QtBot) -> None:
    people = People()
    with qtbot.captureExceptions():
        assert value_of(make, '{ try { people.text = "x" } catch (error) { return "refused" } }', people=people)
    assert people.state.text == "hello"


# -- what it calls ------------------------------------------------------------------------------------------------


def test_a_slot_is_an_action(qtorch_runtime: TestRuntime, make: Make) -> None:
    people = People()
    shown = make('property string line: people.text; function go() { people.rename("new") }', people=people)
    shown.go()  # type: ignore[attr-defined]
    assert people.state.text == shown.property("line") == "new"


def test_a_model_that_went_through_qml_is_the_same_object(qtorch_runtime: TestRuntime, make: Make) -> None:
    people = People()
    value_of(make, "people.take(people.current)", people=people)
    assert people.taken == [people.state.current]
    assert people.taken[0] is people.state.current


def test_what_a_slot_raises_is_told_to_python_and_thrown_in_qml(
    qtorch_runtime: TestRuntime, make: Make, qtbot: QtBot
) -> None:
    with qtbot.captureExceptions() as raised:
        said = value_of(make, "{ try { people.fail() } catch (error) { return error.message } }", people=People())
    assert said == "no such person"
    assert [kind for kind, *_ in raised] == [LookupError]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("trigger()", ()),
        ("trigger(7)", (7,)),
        ('trigger(7, "Ada")', (7, "Ada")),
        ('trigger(7, "Ada", true)', (7, "Ada", True)),
        ("trigger(null)", (None,)),
        ("trigger([1, {name: 'Ada'}])", ([1, {"name": "Ada"}],)),
        ("trigger({id: 1, tags: ['new']})", ({"id": 1, "tags": ["new"]},)),
    ],
)
def test_a_command_is_triggered_with_what_a_delegate_knows(
    qtorch_runtime: TestRuntime, make: Make, call: str, expected: tuple[object, ...]
) -> None:
    seen: list[tuple[object, ...]] = []
    command = Command(lambda *args: seen.append(args))
    value_of(make, f"command.{call}", command=command)
    assert seen == [expected]


def test_arguments_that_wait_outlive_the_engine_they_came_from(
    qtorch_runtime: TestRuntime, make: Make, engine: QQmlEngine
) -> None:
    seen: list[tuple[object, ...]] = []

    def note(*args: object) -> None:
        seen.append(args)
        if not args:
            shown.go()  # type: ignore[attr-defined]
            shiboken6.delete(engine)

    command = Command(note, policy=SEQUENTIAL)
    shown = make("function go() { command.trigger([1, {id: 2}]) }", command=command)
    command.trigger()
    assert seen == [(), ([1, {"id": 2}],)]


def test_what_a_command_can_do_now_is_followed(qtorch_runtime: TestRuntime, make: Make) -> None:
    people = People()
    command = Command(people.fail, can=people.select(lambda s: bool(s.text)))
    shown = make("property bool can: command.enabled && !command.running && !command.cancellable", command=command)
    assert shown.property("can") is True
    people.update(text="")
    assert shown.property("can") is False


def test_the_error_of_a_command_is_a_text_to_qml(qtorch_runtime: TestRuntime, make: Make) -> None:
    def divide(by: int) -> float:
        return 1 / by

    command = Command(divide)
    shown = make(
        "property string line: command.errorMessage; property bool failed: !!command.error; "
        "function go(by) { command.trigger(by) }",
        command=command,
    )
    assert (shown.property("line"), shown.property("failed")) == ("", False)
    shown.go(0)  # type: ignore[attr-defined]
    assert (shown.property("line"), shown.property("failed")) == ("division by zero", True)
    assert qtorch_runtime.reports == [], "who shows the text has heard of it"
    shown.go(1)  # type: ignore[attr-defined]
    assert (shown.property("line"), shown.property("failed")) == ("", False)


def test_an_error_without_words_is_named_by_its_class(qtorch_runtime: TestRuntime) -> None:
    def fail() -> None:
        raise KeyError

    command = Command(fail)
    command.errorChanged.connect(lambda _: None)
    command.trigger()
    assert command.errorMessage == "KeyError"


@pytest.mark.realtime
def test_the_error_of_a_job_is_shown_as_well(qtorch_runtime: TestRuntime, make: Make, qtbot: QtBot) -> None:
    qtorch_runtime.register(Failing())
    command = Command(FailJob)
    shown = make("property string line: command.errorMessage", command=command)
    command.trigger()
    qtbot.waitUntil(lambda: shown.property("line") == "no such person")
    qtbot.waitUntil(lambda: not command.running)


# -- who owns what ------------------------------------------------------------------------------------------------


class Finder(QObject):
    """Gives away, by a slot, what has no parent: QML takes such objects over."""

    def __init__(self, found: QObject) -> None:
        super().__init__()
        self._found = found

    @Slot(result=QObject)
    def find(self) -> QObject:
        return self._found


@pytest.mark.parametrize("kind", ["orchestrator", "command", "model"])
def test_the_engine_never_deletes_what_python_owns(
    qtorch_runtime: TestRuntime, make: Make, engine: QQmlEngine, kind: str
) -> None:
    made: dict[str, Callable[[], QObject]] = {
        "orchestrator": People,
        "command": lambda: Command(print),
        "model": lambda: KeyedListModel(key=str),
    }
    thing = made[kind]()
    user = make("property var found: finder.find()", finder=Finder(thing))
    assert user.property("found") is thing
    user.deleteLater()
    flush(engine)
    assert shiboken6.isValid(thing)
    shiboken6.delete(engine)
    assert shiboken6.isValid(thing)


def test_an_engine_that_goes_first_leaves_the_orchestrator_at_work(
    qtorch_runtime: TestRuntime, make: Make, engine: QQmlEngine
) -> None:
    people = People()
    shown = make("property string line: people.text", people=people)
    shown.deleteLater()
    flush(engine)
    shiboken6.delete(engine)
    people.update(text="later")
    assert people.state.text == "later"


def test_an_orchestrator_that_goes_first_is_null_in_qml(qtorch_runtime: TestRuntime, make: Make) -> None:
    people = People()
    gone = weakref.ref(people)
    shown = make('property string line: people ? people.text : "gone"', are_kept=False, people=people)
    gc.disable()
    try:
        del people
        assert gone() is None
    finally:
        gc.enable()
    assert shown.property("line") == "gone"


def test_an_orchestrator_that_qml_makes_goes_with_it(
    qtorch_runtime: TestRuntime, make: Make, engine: QQmlEngine
) -> None:
    qmlRegisterType(People, "QtorchTest", 1, 0, "People")  # type: ignore[call-overload]
    shown = make(
        "property People own: People {}; property QtObject people: own; property string line: own.text",
        imports="import QtorchTest",
    )
    people = shown.property("people")
    people.rename("made in QML")
    assert shown.property("line") == "made in QML"
    shown.deleteLater()
    flush(engine)
    assert people.is_closed
