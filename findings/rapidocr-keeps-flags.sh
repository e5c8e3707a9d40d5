#!/usr/bin/env bash
# rapidocr 3.10.0: flags of one call stay for all later ones. After `engine(picture, use_rec=False)`, which asks where
# lines are, `engine(picture)` still reads none: its result has boxes and no texts, without an error or a word that
# recognition is off. Only a call that says `use_rec=True` reads again. So a program that now looks for boxes alone and
# now reads has to pass every flag (`use_det`, `use_cls`, `use_rec`) every time.
# Versions: rapidocr 3.10.0, onnxruntime 1.32.0, opencv-python-headless 5.0.0.93; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
# Without dependencies, as opencv-python and opencv-python-headless have files of the same names.
venv/bin/pip install --quiet --disable-pip-version-check --no-deps rapidocr==3.10.0
venv/bin/pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 opencv-python-headless==5.0.0.93 \
    numpy pillow pyclipper==1.4.0 shapely==2.2.0 omegaconf==2.4.0 colorlog==6.12.0 six tqdm requests
cat > flags.py <<'PYTHON'
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR

picture = Image.new("RGB", (640, 120), "white")
ImageDraw.Draw(picture).text((30, 30), "HARBOUR CLOSED", fill="black", font=ImageFont.load_default(size=48))
pixels, engine = np.asarray(picture), RapidOCR()


def texts(**flags):
    """What a call reads, and how many boxes it finds."""
    found = engine(pixels, **flags)
    said = getattr(found, "txts", None)
    return list(said) if said else None, 0 if found.boxes is None else len(found.boxes)


first = texts()
boxes = texts(use_rec=False)
after = texts()
again = texts(use_rec=True)
print("first call:", first, "| boxes alone:", boxes, "| plain call after it:", after, "| use_rec=True:", again)
assert first[0] and again[0] == first[0]
assert boxes[0] is None and boxes[1] > 0
assert after == boxes
PYTHON
venv/bin/python flags.py 2>/dev/null
echo "as described"
