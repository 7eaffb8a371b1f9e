"""The demo's window: people and their profiles, with everything it shows bound to the state of orchestrators."""
