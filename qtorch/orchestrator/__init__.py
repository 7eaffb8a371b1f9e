"""Where events become state."""
