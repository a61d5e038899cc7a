"""Symbolic tags: the automaton of moves, from spans to moves and back."""
