"""From a document to its mentions: rows, batches that fit the memory, answers, failures kept to one row, placing.

Importing a module of this package loads no torch, but for `annotator`, `device_budget` and `out_of_memory`.
"""
