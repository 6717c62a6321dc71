# SPDX-License-Identifier: Apache-2.0
"""Prints every bit of a module's ports: ports.py TOP FILE.json, of Yosys' write_json."""
import json
import sys

ports = json.load(open(sys.argv[2]))["modules"][sys.argv[1]]["ports"]
print(" ".join(f"{name}[{i}]" if len(port["bits"]) > 1 else name for name, port in ports.items() for i in range(len(port["bits"]))))
