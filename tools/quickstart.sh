#!/usr/bin/env bash
# Installs what is missing, builds, fetches MiniLM and rated sentences, fine-tunes in every recipe, prints the table.
# A run whose figures are already there is not repeated.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh programs
work=build/quickstart
mkdir -p "$work/runs"
python3 tools/fetch_quickstart_data.py "$work"

for recipe in fp32 bf16 int8 approach1 approach2 rowwise; do
  figures="$work/runs/$recipe.json"
  [ -e "$figures" ] && continue
  echo "== $recipe"
  build/release/examples/finetune --model "$work/minilm" --task text --data "$work/reviews.tsv" --limit 2000 \
    --eval-limit 1000 --epochs 2 --lr 1e-4 --batch-size 32 --seed 0 --recipe "$recipe" \
    --out "$work/runs/$recipe" --json "$figures"
done
echo
build/release/examples/compare "$work"/runs/{fp32,bf16,int8,approach1,approach2,rowwise}.json | tee "$work/table.md"
