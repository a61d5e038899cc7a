"""What is measured, and the numbers of one process."""
