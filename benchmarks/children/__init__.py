"""Programs that measure what only a process of its own can tell; each prints its figures as JSON."""
