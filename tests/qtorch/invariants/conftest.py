from __future__ import annotations

from tests.qtorch.execution.conftest import make_rig, rig, runner

__all__ = ["make_rig", "rig", "runner"]
