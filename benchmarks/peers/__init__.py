"""What does the tasks: qtorch, and one file for everything that users would pick instead."""
