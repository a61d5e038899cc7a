"""Models: fetching, loading, tokens, prompt, and the files of a model directory."""
