"""The pytest plugin of qtorch."""
