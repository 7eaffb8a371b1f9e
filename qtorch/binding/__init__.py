"""State on the screen: bindings, commands and models."""
