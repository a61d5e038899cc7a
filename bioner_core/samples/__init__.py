"""Two short dumps with invented content, written for this project: what `make demo` annotates."""
