"""The batch pipeline: Beam plans and does the input and output, Ray is the service that annotates.

Whatever runs in a Beam worker imports no torch; only an actor's own process does.
"""

import os

# Ray reads this when it is imported. Without it a SIGTERM, as `systemctl stop` and Kubernetes send it, prints native
# stacks among the lines of a job that ends in order.
os.environ.setdefault("RAY_DISABLE_FAILURE_SIGNAL_HANDLER", "1")
