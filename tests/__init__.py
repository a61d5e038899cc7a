"""Tests, in the shape of the tree; a package, since a dependency installs a top-level `tests` of its own."""
