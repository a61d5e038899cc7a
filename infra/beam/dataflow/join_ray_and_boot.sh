#!/usr/bin/env bash
# Not run here. A Beam worker looks actors up through a Ray node on its own host: join the cluster, then be a Beam worker.
# RAY_HEAD is HOST:PORT; with a token (RAY_AUTH_MODE=token) RAY_AUTH_TOKEN is set too. No processors are lent to Ray, so
# no actor is ever placed here.
set -euo pipefail
: "${RAY_HEAD:?set RAY_HEAD to HOST:PORT of the Ray head}"
ray start --address="$RAY_HEAD" --num-cpus=0 --disable-usage-stats
exec /opt/apache/beam/boot "$@"
