"""What runs in a worker process, and what crosses its border. No Qt: a worker starts without it."""
