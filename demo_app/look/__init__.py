"""The look of the demo: theme, font, icons, avatars and the few widgets that Qt does not have."""
