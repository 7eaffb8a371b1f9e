"""How everything that happens reaches the GUI thread and those who listen there."""

from qtorch.bus.signal_bus import SignalBus
from qtorch.state.subscription import Subscription

__all__ = ["SignalBus", "Subscription"]
