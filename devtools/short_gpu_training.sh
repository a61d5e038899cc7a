#!/usr/bin/env bash
# A quarter of an hour of a GPU on a machine without a network, in one command that needs nobody in between:
#   bash devtools/short_gpu_training.sh PIECES OUTPUT MINUTES RATE...
# joins the pieces that `devtools.short_gpu_run pack` made, trains the default recipe once for each peak learning rate,
# all runs beside one another, keeps each new checkpoint in OUTPUT/checkpoints, so that a machine that is taken away
# midway has not worked for nothing, writes the models into OUTPUT in pieces of at most 16 MiB before anything else is
# tried, and then scores each on samples of the gold corpora. Run it in a checkout; it works in WORK (default
# /tmp/short_gpu). A run that fails does not stop the others; their logs are in OUTPUT too.
# For rehearsals: RECIPE, MAX_TOKENS, SENTENCES (0: score nothing).
set -uo pipefail
pieces=$(realpath "$1"); output=$(realpath -m "$2"); minutes=$3; shift 3
checkout=$PWD; work=${WORK:-/tmp/short_gpu}; python=${PYTHON:-python3}
recipe=$(realpath "${RECIPE:-$checkout/bioner_core/training/recipes/gemma_gpu.toml}")
export PYTHONPATH=$checkout:${PYTHONPATH:-} BIONER_CACHE=${BIONER_CACHE:-$work/cache}
export PYTHONUNBUFFERED=1 TOKENIZERS_PARALLELISM=false PYTHONWARNINGS=ignore OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
mkdir -p "$work/here" "$output"; cd "$work/here" || exit 1

"$python" -m devtools.short_gpu_run unpack "$pieces" --shared "$work/shared" || exit 1
"$python" -m devtools.short_gpu_run keep runs --output "$output/checkpoints" > "$output/keep.log" 2>&1 &
keeper=$!
trap 'kill $(jobs -p) 2> /dev/null' EXIT
runs=()
for rate in "$@"; do
  "$python" -m jobs.main train sft --settings "$recipe" --output "runs/rate_$rate" --learning-rate "$rate" \
    --max-minutes "$minutes" ${MAX_TOKENS:+--max-tokens "$MAX_TOKENS"} > "$output/rate_$rate.log" 2>&1 &
  runs+=($!)
done
wait "${runs[@]}"

mkdir -p models
for rate in "$@"; do
  [ -f "runs/rate_$rate/model.toml" ] || { echo "rate $rate: no model; see rate_$rate.log"; continue; }
  mkdir -p "models/rate_$rate"
  cp -r "runs/rate_$rate/adapter" "runs/rate_$rate/model.toml" "runs/rate_$rate/rows.safetensors" "models/rate_$rate/"
done
"$python" -m devtools.short_gpu_run cut models --output "$output/models" || exit 1
kill "$keeper" 2> /dev/null

scores=()
for rate in "$@"; do
  [ "${SENTENCES:-400}" -gt 0 ] && [ -d "models/rate_$rate" ] && {
    "$python" -m devtools.cross_corpus --model "models/rate_$rate" --no-selector --sentences "${SENTENCES:-400}" \
      --data "$work/shared/data" > "$output/scores_$rate.txt" 2> "$output/scores_$rate.log" &
    scores+=($!)
  }
done
[ ${#scores[@]} -gt 0 ] && { wait "${scores[@]}"; head -n 12 "$output"/scores_*.txt; }
tail -n 3 "$output"/rate_*.log | cut -c 1-160
[ -n "$(ls models)" ]
