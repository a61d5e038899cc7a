"""The batch pipeline: Beam plans and does the input and output, Ray is the service that annotates.

Whatever runs in a Beam worker imports no torch; only an actor's own process does.
"""
