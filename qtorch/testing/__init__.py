"""Testing applications that use qtorch, with pytest-qt."""

from qtorch.testing.fake_clock import FakeClock

__all__ = ["FakeClock"]
