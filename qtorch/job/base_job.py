"""What is asked: jobs are frozen, typed values."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from qtorch.job.ids import generate_job_id, kebab_case
from qtorch.job.options import NO_OPTIONS, JobOptions, merge_options

R = TypeVar("R")
J = TypeVar("J", bound="BaseJob[Any]")

# Both live beside the fields in __dict__, where pydantic neither validates, compares, prints nor dumps them.
# A private attribute would do the same and costs 3 to 5 us per job.
_OPTIONS = "_qtorch_options"
_TICKET = "_qtorch_ticket"
"""A list of one item that all copies with one id share: whoever takes the item is dispatched under that id."""
_PARENT = "_qtorch_parent"
"""The id of the job that runs this one as its child."""


class BaseJob(BaseModel, Generic[R]):
    """A request for work whose result is an ``R``.

    A job is a value: two jobs are equal if their class and payload are, whatever their ids and options. How it is to
    be run is said apart, in :attr:`default_options`, with a :class:`~qtorch.job.job_builder.JobBuilder`, or where it
    is dispatched.

    Attributes
    ----------
    id
        Made by qtorch, such as ``fetch-user-18f2c3a1``. A class may not declare it anew.
    default_options
        The options of every job of this class, for example ``default_options = JobOptions(timeout=30)``.

    Examples
    --------
    >>> class FetchUserJob(BaseJob[str]):
    ...     user_id: int
    >>> FetchUserJob(user_id=7) == FetchUserJob(user_id=7)
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_options: ClassVar[JobOptions] = NO_OPTIONS

    id: str = Field(default_factory=partial(generate_job_id, "job"))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = inspect.get_annotations(cls)
        if "id" in own or "id" in cls.__dict__:
            raise TypeError(
                f"{cls.__name__} redeclares the field id, which names the run of a job.\n"
                f"  Call the field by what it identifies, such as user_id."
            )
        # Redeclared here for each class, so that the factory knows the class without a look-up per job.
        cls.__annotations__ = {**own, "id": str}
        cls.id = Field(default_factory=partial(generate_job_id, kebab_case(cls.__name__)))
        super().__init_subclass__(**kwargs)

    def fingerprint(self) -> tuple[Any, ...]:
        """Give the class and the payload values, by which jobs are compared; override it to compare otherwise."""
        values = self.__dict__
        return (type(self), *(values[name] for name in type(self).model_fields if name != "id"))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, BaseJob):
            return NotImplemented
        return bool(self.fingerprint() == other.fingerprint())

    def __hash__(self) -> int:
        try:
            return hash(self.fingerprint())
        except TypeError as error:
            raise TypeError(
                f"{type(self).__name__} cannot be hashed: {error}.\n"
                f"  Use hashable fields (tuple for list), or override fingerprint() to leave that field out."
            ) from None

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = {k: v for k, v in state["__dict__"].items() if k not in (_OPTIONS, _TICKET, _PARENT)}
        return {**state, "__dict__": fields}

    def __copy__(self) -> Self:
        _ticket(self)
        return super().__copy__()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # Copies share what is no payload: a token in the options is the same one, or it would cancel nothing.
        shared = {id(one): one for one in (_ticket(self), attached_options(self))}
        return super().__deepcopy__({**(memo or {}), **shared})


def attached_options(job: BaseJob[Any]) -> JobOptions:
    """Give the options that a builder attached to ``job``."""
    options: JobOptions = job.__dict__.get(_OPTIONS, NO_OPTIONS)
    return options


def with_options(job: J, options: JobOptions) -> J:
    """Give a copy of ``job``, of the same class and id, that carries ``options`` over those it has."""
    copy = job.model_copy()
    _values(copy)[_OPTIONS] = merge_options(attached_options(job), options)
    return copy


def take_for_dispatch(job: J) -> J:
    """Give the job to dispatch: itself, or a copy with a fresh id if its id was used before, so that ids are unique."""
    try:
        # pop is atomic: of two threads that dispatch one object at once, one gets a copy.
        _ticket(job).pop()
    except IndexError:
        copy = job.model_copy(update={"id": generate_job_id(kebab_case(type(job).__name__))})
        _values(copy)[_TICKET] = []
        # It may have been somebody's child before, and is not now.
        _values(copy).pop(_PARENT, None)
        return copy
    return job


def mark_child(job: BaseJob[Any], parent_id: str) -> None:
    """Note whose child ``job`` is, which was taken for dispatch."""
    _values(job)[_PARENT] = parent_id


def parent_id_of(job: BaseJob[Any]) -> str | None:
    """Give the id of the job whose child ``job`` is, None if it is none."""
    parent_id: str | None = job.__dict__.get(_PARENT)
    return parent_id


def _ticket(job: BaseJob[Any]) -> list[None]:
    ticket: list[None] = _values(job).setdefault(_TICKET, [None])
    return ticket


def _values(job: BaseJob[Any]) -> dict[str, Any]:
    values: Any = job.__dict__  # the stubs say MappingProxyType, which is that of classes
    return values  # type: ignore[no-any-return]
