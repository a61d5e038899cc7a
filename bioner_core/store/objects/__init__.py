"""Stores on object storage: requests, paths of objects, leases, and what query engines read of them."""
