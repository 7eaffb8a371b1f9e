"""State management for PySide6."""
