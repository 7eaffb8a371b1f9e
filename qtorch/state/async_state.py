"""The state of one thing that is loaded."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Generic, Self, TypeVar

from pydantic import Field, computed_field, field_validator

from qtorch.errors import text_of, without_frames
from qtorch.state.base_state import BaseState

T = TypeVar("T")
V = TypeVar("V")


class AsyncStatus(StrEnum):
    """Where the loading of something stands."""

    INITIAL = "initial"
    LOADING = "loading"
    SUCCESS = "success"
    FAILURE = "failure"
    REFRESHING = "refreshing"

    # The reference's spelling, which is also the value.
    initial = INITIAL
    loading = LOADING
    success = SUCCESS
    failure = FAILURE
    refreshing = REFRESHING


class AsyncState(BaseState, Generic[T]):
    """Data that is loaded: its status, the data itself, the last error.

    Subclass it to add fields; the transitions keep the subclass.

    Examples
    --------
    >>> class UserState(AsyncState[str]):
    ...     tab: int = 0
    >>> state = UserState(tab=2).to_loading().to_success("Ada")
    >>> state.status.value, state.data, state.tab
    ('success', 'Ada', 2)
    """

    status: AsyncStatus = AsyncStatus.INITIAL
    data: T | None = None
    error: BaseException | None = Field(default=None, exclude=True)

    def to_loading(self) -> Self:
        """Give the state while it loads for the first time, or anew from nothing; the data stays, the error goes."""
        return self.copy_with(status=AsyncStatus.LOADING, error=None)

    def to_refreshing(self) -> Self:
        """Give the state while shown data is loaded anew; the data stays, the error goes."""
        return self.copy_with(status=AsyncStatus.REFRESHING, error=None)

    def to_success(self, data: T) -> Self:
        """Give the state with ``data`` loaded."""
        return self.copy_with(status=AsyncStatus.SUCCESS, data=data, error=None)

    def to_failure(self, error: BaseException) -> Self:
        """Give the state after ``error``; the data stays. The error is kept without its frames."""
        return self.copy_with(status=AsyncStatus.FAILURE, error=error)

    @field_validator("error")
    @classmethod
    def _keep_no_frames(cls, error: BaseException | None) -> BaseException | None:
        return None if error is None else without_frames(error)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_loading(self) -> bool:
        """Whether something is on its way, for the first time or again."""
        return self.status in (AsyncStatus.LOADING, AsyncStatus.REFRESHING)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def has_data(self) -> bool:
        """Whether there is data to show."""
        return self.data is not None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def has_error(self) -> bool:
        """Whether the last load failed."""
        return self.error is not None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def error_message(self) -> str:
        """The error's own text, or its class name if it has none; empty without an error."""
        return "" if self.error is None else text_of(self.error)

    def when(
        self,
        *,
        initial: Callable[[], V],
        loading: Callable[[], V],
        success: Callable[[T], V],
        failure: Callable[[BaseException | None], V],
        refreshing: Callable[[T | None], V] | None = None,
    ) -> V:
        """Run the one handler that fits and give what it returns, None included.

        Without ``refreshing`` a refresh is shown as ``success(data)`` if there is data, else as ``loading()``.
        """
        match self.status:
            case AsyncStatus.INITIAL:
                return initial()
            case AsyncStatus.LOADING:
                return loading()
            case AsyncStatus.FAILURE:
                return failure(self.error)
            case AsyncStatus.REFRESHING:
                if refreshing is not None:
                    return refreshing(self.data)
                return loading() if self.data is None else success(self.data)
            case _:
                return success(self.data)  # type: ignore[arg-type]  # None only where T allows it

    def maybe_when(
        self,
        *,
        or_else: Callable[[], V],
        initial: Callable[[], V] | None = None,
        loading: Callable[[], V] | None = None,
        success: Callable[[T], V] | None = None,
        failure: Callable[[BaseException | None], V] | None = None,
        refreshing: Callable[[T | None], V] | None = None,
    ) -> V:
        """Run the handler that fits, or ``or_else`` if it was not given; never both."""

        def otherwise(*_: object) -> V:
            return or_else()

        return self.when(
            # By identity: a callable with a length of 0 is false.
            initial=otherwise if initial is None else initial,
            loading=otherwise if loading is None else loading,
            success=otherwise if success is None else success,
            failure=otherwise if failure is None else failure,
            refreshing=refreshing,
        )
