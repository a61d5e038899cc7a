"""Tools of those who work on bioner: soak, ablations, benches, checks of dumps, pages. They are not installed.

Each runs from the repository as `python -m devtools.NAME`.
"""
