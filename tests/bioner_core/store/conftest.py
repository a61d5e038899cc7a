"""Its folder is on the path of every test below it, so that all find the little stores and samples beside it."""
