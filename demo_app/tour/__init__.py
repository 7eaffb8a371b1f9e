"""The headless tour: the whole app, driven by keys and clicks, and checked against what its server says."""
