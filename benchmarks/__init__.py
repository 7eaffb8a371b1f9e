"""qtorch beside what users would write or install instead, in one run on one machine."""
