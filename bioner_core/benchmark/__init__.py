"""Benches: how fast decoding is, against what it cannot beat, what outsiders would write, and the usual encoders."""
