from __future__ import annotations

from tests.qtorch.execution.conftest import make_rig, own_runner, rig, runner

__all__ = ["make_rig", "own_runner", "rig", "runner"]
