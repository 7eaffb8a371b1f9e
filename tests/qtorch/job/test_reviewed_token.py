"""A token's callback that leaves the program."""

from __future__ import annotations

from typing import Any

import pytest

from qtorch import CancellationToken


@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt])
def test_a_callback_that_exits_is_obeyed_once_the_others_have_heard(leaving: type[BaseException]) -> None:
    token = CancellationToken()
    child = CancellationToken()
    heard: list[Any] = []

    def leave() -> None:
        raise leaving

    token.on_cancel(leave)
    token.on_cancel(lambda: heard.append(token.reason))
    token.link(child)
    with pytest.raises(leaving):
        token.cancel("enough")
    assert heard == ["enough"]
    assert child.is_cancelled
