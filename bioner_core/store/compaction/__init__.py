"""Making snapshots: the newest rows sorted in bounded memory, checked, switched to, and old ones swept."""
