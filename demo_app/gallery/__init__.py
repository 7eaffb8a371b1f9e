"""Every binding of qtorch live, one page each, beside the code that makes it."""
