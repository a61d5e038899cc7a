"""Corrections by humans: what of a store they should look at, and what comes of it."""
