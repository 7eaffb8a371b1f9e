"""What is shown: immutable state, and values that follow it."""
