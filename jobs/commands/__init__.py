"""One module per command of `bioner`, named like it; none imports another."""
