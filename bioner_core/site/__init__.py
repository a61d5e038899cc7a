"""A store's snapshot as pages that a browser on this machine may read, and nothing else."""
