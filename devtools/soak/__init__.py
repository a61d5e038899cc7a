"""The soak: an endless stream of small jobs while actors, feeders and nodes die at random (docs/faults.md).

It needs what tests need (`pip install -e '.[dev]'`), no model and no GPU.
"""
