# Makes a host's folders what @PACKED@ says: removes what it lacks, and puts what it has; run by root.
set -eu
cd /
stage=/var/tmp/lab-save.d
rm -rf "$stage"
trap 'rm -rf "$stage" @PACKED@' EXIT
mkdir -m 700 "$stage"
tar --numeric-owner -xpzf @PACKED@ -C "$stage"
roots=
for root in @ROOTS@; do [ -d "$root" ] && roots="$roots $root"; done
find $roots -xdev \( @LEFT@ \) -prune -o \( -type f -o -type d -o -type l \) -print0 | sort -rz |
    STAGE=$stage xargs -0 sh -c '
        kind() { if [ -L "$1" ]; then echo link; elif [ -d "$1" ]; then echo folder; elif [ -e "$1" ]; then echo file; fi; }
        for path; do
            was=$(kind "$path")
            if [ -n "$was" ] && [ "$(kind "$STAGE/$path")" != "$was" ]; then
                if [ "$was" = folder ]; then rmdir "$path" 2>/dev/null || true; else rm -f "$path"; fi
            fi
        done' sh
tar --numeric-owner -xpzf @PACKED@
sync
