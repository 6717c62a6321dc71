#!/bin/bash
# The committed design of a tiny model, tests/golden/, against what emit writes today: every file that is not
# a template, byte for byte; of manifest.json all but the hashes of templates. So a change of the writer, or of
# the formulas of its tables, shows in review.
#     tests/golden.sh          compare; names each file that differs, and the first line; prints TAP
#     tests/golden.sh write    write tests/golden/ anew
set -u
dir=build/test/golden
golden=tests/golden
rm -rf $dir
mkdir -p $dir
# Weights from a generator, so that nothing here depends on the quantizer; banks of 128 bytes, so that ROMs are trees.
build/hardwire emit --shape 8,12,1,2,1,30,16 --rows 4 --cols 4 --vec 4 --att-pos 4 --bank-bytes 128 -o $dir/design -q || exit 1
python3 - $dir/design $dir/new << 'PY'
import json, os, sys
design, new = sys.argv[1:]
is_template = lambda name: os.path.exists("rtl_templates/" + os.path.basename(name))
for folder, _, names in os.walk(design):
    for name in names:
        path = os.path.relpath(os.path.join(folder, name), design)
        if is_template(path):
            continue
        text = open(os.path.join(design, path)).read()
        if path == "manifest.json":
            manifest = json.loads(text)
            manifest["files"] = {k: v for k, v in manifest["files"].items() if not is_template(k)}
            del manifest["fabric_sha256"]
            text = json.dumps(manifest, indent=2) + "\n"
        os.makedirs(os.path.dirname(os.path.join(new, path)), exist_ok=True)
        open(os.path.join(new, path), "w").write(text)
PY
if [ "${1:-}" = write ]; then
    rm -rf $golden
    cp -r $dir/new $golden
    echo "$golden: $(find $golden -type f | wc -l) files, $(cat $(find $golden -type f) | wc -c) bytes"
    exit
fi
compare() { # FOLDER: against the golden one; a line a file that differs
    python3 - $golden "$1" << 'PY'
import os, sys
def files(root):
    return {os.path.relpath(os.path.join(d, n), root): open(os.path.join(d, n)).read().split("\n")
            for d, _, names in os.walk(root) for n in names}
old, new = map(files, sys.argv[1:])
for name in sorted(old.keys() | new.keys()):
    if name not in new:
        print(f"{name}: no longer written")
    elif name not in old:
        print(f"{name}: new")
    elif old[name] != new[name]:
        a, b = old[name] + ["(end)"], new[name] + ["(end)"]
        line = next(i for i in range(min(len(a), len(b))) if a[i] != b[i])
        print(f"{name}: line {line + 1}: expected '{a[line].strip()}', got '{b[line].strip()}'")
PY
}
if [ -d $golden ] && compare $dir/new > $dir/words && [ ! -s $dir/words ]; then
    echo "ok the design of a tiny model is the committed one, $(find $golden -type f | wc -l) files"
else
    sed 's/^/not ok /' $dir/words
    [ -s $dir/words ] || echo "not ok no golden design"
    echo "# where this is meant: tests/golden.sh write, and read the diff"
fi
# The comparison itself: a line that differs, a file too many, one too few.
rm -rf $dir/planted
cp -r $dir/new $dir/planted
sed -i '0,/data <= 64/s/data <= 64.h./data <= 64'"'"'hz/' $dir/planted/personality/weight_b00.v
rm $dir/planted/filelist.f
echo > $dir/planted/fabric/extra.v
if [ "$(compare $dir/planted | cut -d: -f1 | sort | tr '\n' ' ')" = "fabric/extra.v filelist.f personality/weight_b00.v " ] &&
    compare $dir/planted | grep -q "weight_b00.v: line 1[0-9]: expected '.*data <= 64'h[0-9a-f]*;', got '.*data <= 64'hz"; then
    echo "ok a difference is named by file and line"
else
    echo "not ok a difference is named by file and line"
    compare $dir/planted | sed 's/^/# /'
fi
