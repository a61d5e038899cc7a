"""SQL over a store: its views, ready questions, and a session that reads nothing else."""
