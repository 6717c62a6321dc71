#!/bin/bash
# hardwire report, and the economics of plan: the page shows the numbers of plan --json, foreign text is
# escaped, malformed constants are refused. With the argument `browser`: in headless Chromium too.
# Prints TAP.
set -u
dir=build/test/report
rm -rf $dir
mkdir -p $dir
hw=build/hardwire
verdict() { # STATUS NAME
    if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2"; fi
}

# A small chip, its design, and a shape that is only counted.
$hw emit --shape 16,32,2,2,1,32,16 --rows 8 --cols 4 --vec 4 --att-pos 4 -o $dir/chip --quiet
small="--shape 16,32,2,2,1,32,16 --rows 8 --cols 4 --vec 4 --att-pos 4"
# shellcheck disable=SC2086
$hw report $small --node 28 -o $dir/small.html --json $dir/small.json
# shellcheck disable=SC2086
$hw plan $small --node 28 --json > $dir/small.plan
$hw report --shape deepseek-r1 --ctx 4096 -o $dir/r1.html --json $dir/r1.json
$hw plan --shape deepseek-r1 --ctx 4096 --json > $dir/r1.plan
$hw report --shape llama-3.2-1b -o $dir/1b.html --json $dir/1b.json
$hw plan --shape llama-3.2-1b --json > $dir/1b.plan
$hw report $dir/chip --node 28 -o $dir/design.html --json $dir/design.json

cat > $dir/same.py << 'PY'
"""The page's JSON is that of --json, its economics are those of plan --json, and every figure that it
shows in a tile is the rounded value; the tags are in balance, nothing is loaded from outside."""
import html.parser
import json
import re
import sys

directory, name = sys.argv[1:3]
page = open(f"{directory}/{name}.html", encoding="utf-8").read()
embedded = json.loads(re.search(r'<script type="application/json" id=data>(.*?)</script>', page, re.S)[1])
document = json.load(open(f"{directory}/{name}.json"))
assert embedded == document
if len(sys.argv) > 3:
    plan = json.load(open(f"{directory}/{name}.plan"))
    assert plan["economics"] == document["economics"]
results = document["economics"]["results"]
tiles = re.findall(r'<b data-result="(\w+)">([^<]+)</b><small>([^<]+) to ([^<]+)</small>', page)
assert len(tiles) == 12, tiles


def number(shown):
    value, prefix = (shown.split() + [""])[:2]
    return float(value) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix]


for result, shown, low, high in tiles:
    low = re.sub(r"^[^\d]*?, ", "", low)
    for text, which in ((shown, "value"), (low, "low"), (high, "high")):
        exact = results[result][which]
        assert abs(number(text) - exact) <= 0.051 * abs(exact), (result, which, text, exact)
    assert abs(number(shown) - results[result]["value"]) <= 0.0051 * results[result]["value"] or \
        results[result]["value"] < 0.1, (result, shown)
tags = "".join(re.findall(r"<[^>]*>", page[:page.index("<script")]))
assert not re.search(r"(src|href)=", tags), "something from outside"
assert not re.search(r"@import|url\(|https?:", page[:page.index("<body")]), "something from outside"


class Balance(html.parser.HTMLParser):
    open_tags = []

    def handle_starttag(self, tag, attrs):
        if tag in ("section", "div", "svg", "main", "table", "details", "script", "style", "h1", "h2"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        if tag in ("section", "div", "svg", "main", "table", "details", "script", "style", "h1", "h2"):
            assert self.open_tags.pop() == tag, tag


Balance().feed(page)
assert not Balance.open_tags
PY
python3 $dir/same.py $dir small plan 2> $dir/log; verdict $? "a chip's page has the numbers of plan --json"
python3 $dir/same.py $dir 1b plan 2>> $dir/log; verdict $? "the page of a dense shape"
python3 $dir/same.py $dir r1 plan 2>> $dir/log; verdict $? "the page of a mixture of experts"
python3 $dir/same.py $dir design 2>> $dir/log; verdict $? "the page of an emitted design"

# The design's ROM is that of the model it was emitted from; a changed number is seen.
python3 - $dir << 'PY' 2>> $dir/log
import json
import sys
small, design = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("small", "design"))
assert small["rom"] == design["rom"] and small["timeline"] == design["timeline"]
assert small["economics"]["results"] == design["economics"]["results"]
plan = json.load(open(f"{sys.argv[1]}/small.plan"))
assert sum(r["bits"] + r["padding"] for r in small["rom"]) == plan["rom_bits"]
assert small["timeline"]["clocks"] in [c["cycles"] for c in plan["cycles_at"] if c["position"] == 8]
array = [u for u in small["timeline"]["units"] if u["unit"] == "array"][0]
busy = [c["array_busy"] / c["cycles"] for c in plan["cycles_at"] if c["position"] == 8][0]
assert abs(array["share"] - busy) < 0.02
PY
verdict $? "an emitted design, and the bits and clocks of the plan"
sed 's/\(<b data-result="tokens_s">\)./\19/' $dir/small.html > $dir/wrong.html
cp $dir/small.json $dir/wrong.json
! python3 $dir/same.py $dir wrong 2>> $dir/log; verdict $? "a figure changed in the page is found"

# Names that a page must not take as its own.
hostile='</script><script>document.title="broken"</script><img src=x onerror=alert(1)>"&'
printf '{"%s": 1, "b": "<svg onload=alert(2)>"}\n' 'a<b>onerror' > $dir/hostile.sim
# shellcheck disable=SC2086
$hw report $small -o $dir/hostile.html --json $dir/hostile.json --title "$hostile" --sim $dir/hostile.sim
python3 - $dir "$hostile" << 'PY' 2>> $dir/log
import html
import json
import sys
page = open(f"{sys.argv[1]}/hostile.html", encoding="utf-8").read()
assert json.load(open(f"{sys.argv[1]}/hostile.json"))["title"] == sys.argv[2]
for raw in ("<img", "<svg onload", "<script>document", "a<b>"):
    assert raw not in page, raw
assert html.escape(sys.argv[2], quote=True).replace("&#x27;", "&#39;") in page
PY
verdict $? "a hostile title and hostile measurements are escaped"
python3 $dir/same.py $dir hostile 2>> $dir/log; verdict $? "and the page stays whole"

refused() { # NAME MESSAGE COMMAND...
    local name=$1 message=$2 status
    shift 2
    "$@" > $dir/refused.out 2> $dir/refused.err
    status=$?
    [ $status = 1 ] && grep -qF "$message" $dir/refused.err && [ ! -s $dir/refused.out ]
    verdict $? "$name"
}
sed 's/"wafer_usd": {"low": 700/"wafer_usd": {"low": 7000/' gen/cost/nodes.json > $dir/order.json
sed 's/"shape": "bitnet-2b"/"shape": "bitnet"/' gen/cost/nodes.json > $dir/shape.json
head -c 4000 gen/cost/nodes.json > $dir/cut.json
refused "constants out of order are refused" "$dir/order.json: node 130: wafer_usd: expected low <= value" \
    $hw plan --shape llama-3.2-1b --nodes $dir/order.json
refused "a file that is cut is refused" "$dir/cut.json: JSON line" $hw plan --shape llama-3.2-1b --nodes $dir/cut.json
refused "a node that is not there" "expected one of 130, 28, 16, 7, 5, got '3'" $hw plan --shape llama-3.2-1b --node 3
refused "a system of no known shape" "system TOM: shape: expected a shape" $hw plan --calibration --nodes $dir/shape.json
refused "no page where there is no model" "$dir/none.bin" $hw report $dir/none.bin -o $dir/none.html
[ ! -e $dir/none.html ]; verdict $? "nothing is left behind"

# Under a second, with room for a busy machine: seconds of CPU.
times_of() { # COMMAND...
    ( ulimit -t 2; "$@" > /dev/null )
}
times_of $hw plan --shape llama-3.2-1b; verdict $? "a 1B shape is planned in a second or two"
times_of $hw plan --shape deepseek-r1; verdict $? "a DeepSeek R1 shape likewise"
$hw plan --article > $dir/article && [ "$(grep -c computed: $dir/article)" -ge 9 ]; verdict $? "the article's claims"
$hw plan --calibration --json > $dir/calibration.json &&
    python3 -c "import json; assert len(json.load(open('$dir/calibration.json'))) >= 20"
verdict $? "the calibration table"

[ "${1:-}" = browser ] || exit 0
# The script of the page runs, its sliders begin at the plan's figure, nothing is wider than a phone.
browser() { # OUT OPTION... URL
    local out=$1
    shift
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir=$dir/profile "$@" > $out 2> $dir/browser.log
}
for name in small 1b r1 hostile; do
    browser $dir/$name.dom --dump-dom "file://$PWD/$dir/$name.html"
    python3 - $dir $name << 'PY' 2>> $dir/log
import json
import re
import sys
dom = open(f"{sys.argv[1]}/{sys.argv[2]}.dom", encoding="utf-8").read()
document = json.load(open(f"{sys.argv[1]}/{sys.argv[2]}.json"))
value = float(re.search(r'id="answer"[^>]*data-value="([^"]+)"', dom)[1])
exact = document["economics"]["results"]["usd_mtok"]["value"]
assert abs(value / exact - 1) < 1e-6, (value, exact)
assert "<title>broken" not in dom
PY
    verdict $? "$name: the sliders begin at the plan's figure"
    cat > $dir/width.html << HTML
<!doctype html><iframe id=f src="$name.html" style="width:400px;height:900px;border:0"></iframe>
<script>onload=function(){setTimeout(function(){var d=document.getElementById('f').contentDocument;
document.title='width '+(d?d.documentElement.scrollWidth:0)},300)}</script>
HTML
    browser $dir/width.dom --allow-file-access-from-files --virtual-time-budget=3000 --dump-dom "file://$PWD/$dir/width.html"
    [ "$(sed -n 's/.*<title>width \([0-9]*\)<.*/\1/p' $dir/width.dom)" = 400 ]
    verdict $? "$name: a page 400 pixels wide"
done
for mode in 0 1; do
    browser /dev/null --blink-settings=preferredColorScheme=$mode --window-size=1200,3000 \
        --screenshot=$dir/mode$mode.png "file://$PWD/$dir/1b.html"
done
python3 - $dir << 'PY' 2>> $dir/log
import struct
import sys
import zlib


def corner(path):
    """Red of the pixel at the top left: PNG, 8 bits."""
    data = open(path, "rb").read()
    at, idat = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        idat += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    return zlib.decompress(idat)[1]


assert corner(f"{sys.argv[1]}/mode0.png") < 60 and corner(f"{sys.argv[1]}/mode1.png") > 200
PY
verdict $? "dark and light"
