"""A store's newest state, or one of its runs, in figures and as a page."""
