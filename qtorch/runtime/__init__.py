"""The composition root, and how it ends."""

from qtorch.runtime.runtime import Runtime

__all__ = ["Runtime"]
