# Packs a host's folders into @PACKED@; run by root. Ends with 3 and a sentence when they hold more than @LIMIT@ MiB.
set -eu
umask 077
cd /
list=/var/tmp/lab-save.list
trap 'rm -f "$list"' EXIT
roots=
for root in @ROOTS@; do [ -d "$root" ] && roots="$roots $root"; done
find $roots -xdev \( @LEFT@ \) -prune -o \( -type f -o -type d -o -type l \) -print0 >"$list"
find $roots -xdev \( @LEFT@ \) -prune -o -type f -printf '%s %p\n' | sort -rn | awk -v limit=@LIMIT@ '
    NR == 1 { size = $1; sub(/^[0-9]+ /, ""); largest = $0 }
    { total += NR == 1 ? size : $1 }
    END {
        if (total <= limit * 1048576) exit 0
        printf "has %d MiB to save, more than %d; the largest file is /%s with %d MiB\n", \
            total / 1048576, limit, largest, size / 1048576
        exit 3
    }' || exit 3
rm -f @PACKED@
# 1: a file changed while it was read, which is as if it had been read a moment before or after
tar --null --no-recursion --numeric-owner -I 'gzip -1' -cf @PACKED@ -T "$list" || [ $? -eq 1 ]
