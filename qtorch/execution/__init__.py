"""Who does the work, and one job's life from dispatch to its end."""
