"""What is asked: jobs, how they are to be run, and how they ended."""
