#!/bin/sh
# `make demo`: the whole way on sample photographs. densecolor's commands must be on the PATH.
set -eu
rm -rf demo
python tools/sample_photographs.py demo/photographs
densecolor-pack demo/photographs/colour demo/packed --image-size 128
densecolor-train demo/packed demo/run --model dense_small --image-size 64 --batch-size 16 --epochs 25
densecolor-evaluate demo/run demo/packed --report demo/report
densecolor-colorize demo/photographs/gray --model demo/run --output demo/colorized
echo
echo "Look at:"
echo "  demo/colorized/          two photographs that the model has never seen, in its colours"
echo "  demo/run/samples/        gray, predicted and true tiles after each epoch"
echo "  demo/report/             how good it is: open index.html in a browser"
echo "Seven photographs teach a network little; README.md shows what more of them do."
