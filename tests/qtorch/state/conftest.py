from __future__ import annotations

import pytest

from tests.qtorch.state.box import Box, PersonState


@pytest.fixture
def box() -> Box[PersonState]:
    return Box(PersonState())
