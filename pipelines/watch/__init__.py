"""A job as others see it while it runs and afterwards: progress, status, and what it tells of its actors."""
