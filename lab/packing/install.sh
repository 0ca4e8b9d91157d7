#!/bin/sh
# Installs the lab from a pack, without internet, and unpacks the pack:
#
#   tar -xf FILE install.sh && sh install.sh FILE [FOLDER]
#
# FOLDER is where the lab's Python environment goes; default: ~/.local/share/failover-lab.
# It needs tar, Python, and for `lab up` Vagrant with its provider.
set -eu

fail() { printf 'install: %s\n' "$*" >&2; exit 4; }

[ $# -ge 1 ] || fail "name the pack: sh install.sh FILE [FOLDER]"
pack=$1
folder=${2:-$HOME/.local/share/failover-lab}
[ -f "$pack" ] || fail "$pack is no file; name the pack: sh install.sh FILE [FOLDER]"
command -v python3 >/dev/null || fail "python3 is not installed; install it, version 3.11 or newer"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' HUP INT TERM
tar -xf "$pack" -C "$scratch" manifest.json SHA256SUMS wheels ||
    fail "$pack is damaged, or only a part of the pack; copy it again"

# Checksums, Python and processor: looked at before anything is installed.
(cd "$scratch" && python3 - "$pack" <<'PYTHON') || exit 4
import hashlib, json, os, platform, sys

def refuse(sentence):
    sys.exit(f"install: {sys.argv[1]}: {sentence}")

for line in open("SHA256SUMS", encoding="utf-8"):
    wanted, name = line.rstrip("\n").split("  ", 1)
    if name == "manifest.json" or name.startswith("wheels/"):
        if not os.path.isfile(name) or hashlib.sha256(open(name, "rb").read()).hexdigest() != wanted:
            refuse(f"is damaged or was altered: the checksum of {name} does not fit; copy it again")
known = json.load(open("manifest.json", encoding="utf-8"))
here = f"{sys.version_info.major}.{sys.version_info.minor}"
if (known["system"], known["machine"]) != (platform.system(), platform.machine()):
    refuse(f"is for {known['system']} on {known['machine']}, and this is {platform.system()} on {platform.machine()}; "
           "write one on such a computer")
if known["python"] != here:
    refuse(f"its wheels are for Python {known['python']}, and python3 here is {here}; "
           f"install Python {known['python']}, or write a pack where Python is {here}")
PYTHON

venv=$folder/venv
python3 -m venv --without-pip "$venv" || fail "$venv cannot be made; install the package python3-venv"
set -- "$scratch"/wheels/pip-*.whl
[ -f "$1" ] || fail "$pack has no pip in it; write it again with lab pack"
# pip runs from its own wheel, for Python may come without one.
"$venv/bin/python" "$1/pip" -q --disable-pip-version-check --isolated install --no-index \
    --find-links "$scratch/wheels" --force-reinstall pip failover-lab || fail "the lines above say why pip could not install the lab"

echo "The lab is installed: $venv/bin/lab"
bin=$HOME/.local/bin
if [ ! -e "$bin/lab" ] && [ ! -L "$bin/lab" ] && mkdir -p "$bin" 2>/dev/null; then
    ln -s "$venv/bin/lab" "$bin/lab" && echo "and on the PATH of whoever has $bin in it."
fi
"$venv/bin/lab" unpack "$pack"
