"""The Ray service: actors that each hold a model, the pool that owns them, and the clients that send them batches."""
