"""The user-profile demo application of qtorch."""
