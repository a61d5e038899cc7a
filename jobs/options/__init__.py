"""The options that several commands take, each named, explained and checked once."""
