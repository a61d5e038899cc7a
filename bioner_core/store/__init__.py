"""The store: Arrow schemas, atomic shard commits, manifests, readers and the check of it all."""
