# SPDX-License-Identifier: Apache-2.0
"""The drawings are those that docs/draw.py makes, and a page shows each; of links in README.md and docs/ none
leads nowhere. docs/benchmarks.md: make bench replaces what lies between its markers and nothing else, and the tables there
are those that sim/bench.py makes, with their columns. Prints TAP."""
import contextlib
import glob
import io
import os
import re
import subprocess
import sys

sys.path.insert(0, "sim")
import bench  # noqa: E402

PATH = "build/test/bench_page.md"


def ok(name, yes):
    print(f"{'ok' if yes else 'not ok'} {name}")


def refuses(text):
    with open(PATH, "w") as file:
        file.write(text)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            bench.write_page(PATH, "new")
    except SystemExit:
        with open(PATH) as file:
            return file.read() == text
    return False


with open(bench.PAGE) as file:
    page = file.read()
with open(PATH, "w") as file:
    file.write(page)
bench.write_page(PATH, "**new**\n")
with open(PATH) as file:
    written = file.read()
before, old, after = re.split(f"({re.escape(bench.BEGIN)}.*?{re.escape(bench.END)})", page, flags=re.S)
ok("the text around the tables stays", written == f"{before}{bench.BEGIN}\n**new**\n\n{bench.END}{after}" and before and after)
ok("a page without markers is refused and stays", refuses("# Benchmarks\n"))
ok("so is one with its markers turned round", refuses(bench.END + bench.BEGIN))

# The head line of every table() call, of those without a computed title also the title.
with open("sim/bench.py") as file:
    source = file.read()
calls = re.findall(r"\n    table\(f?\"([^\"]*)\",\s*\[(.*?)\]", source, flags=re.S)
heads = ["| " + " | ".join(re.findall(r'"([^"]*)"', head)) + " |" for _, head in calls]
titles = [f"**{title}**" for title, _ in calls if "{" not in title]
missing = [text for text in heads + titles if text not in old]
ok(f"the page has the {len(heads)} tables of sim/bench.py {missing or ''}", not missing and len(heads) >= 9)
with open(bench.ECONOMICS) as file:
    economics = file.read()
ok(f"{bench.ECONOMICS}: the calibration is what the planner computes (make calibration)",
   f"{bench.CALIBRATION_BEGIN}\n{bench.calibration_table()}\n{bench.CALIBRATION_END}" in economics)
ok("no table states tokens a second of a chip that was not placed", "tokens/s at" not in old)

os.makedirs("build/test/drawings", exist_ok=True)
subprocess.run([sys.executable, "docs/draw.py", "build/test/drawings"], check=True)
made, pages = sorted(os.listdir("build/test/drawings")), ""
for path in ["README.md", *sorted(glob.glob("docs/*.md"))]:
    with open(path) as file:
        text = file.read()
    pages += text
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    lost = [link for link in links if link and not os.path.exists(os.path.join(os.path.dirname(path), link))]
    ok(f"{len(links)} links of {path} lead somewhere {lost or ''}", not lost)
for name in made:
    with open(f"build/test/drawings/{name}") as a, open(f"docs/{name}") as b:
        ok(f"docs/{name} is what docs/draw.py draws", a.read() == b.read())
    ok(f"a page shows {name}", f"{name})" in pages)
drawn = sorted(os.path.basename(p) for p in glob.glob("docs/*.svg"))
masks = [name for name in drawn if name.startswith("mask-")] # of hardwire layout: tests/layout.sh
ok("a page shows what hardwire layout drew", all(f"{name})" in pages for name in masks))
ok("docs/ has no other drawing", made == [name for name in drawn if name not in masks])
