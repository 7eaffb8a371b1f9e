"""What was fetched before."""
