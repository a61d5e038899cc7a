"""How things look in a terminal, and how a command behaves as a process: output, progress, signals, exit codes."""
