# Brings a machine back to what adopt.sh recorded, as far as the lab and its exercises are known to change it.
# With RELEASE the lab's account, tools and mark go as well. Twice is once.
set -u
before=/var/lib/lab/before
test -e $before/done || exit 3
home=$(getent passwd "$LOGIN" | cut -d: -f6)
there() { grep -qxF -- "$2" $before/"$1"; }
kill_pm2() { test -e "$1/pm2.pid" && { pkill -KILL -P "$(cat "$1/pm2.pid")"; kill -KILL "$(cat "$1/pm2.pid")"; } 2> /dev/null; }
gone() { chattr -R -f -i -a "$1" 2> /dev/null; rm -rf -- "$1"; }

# What a run may have left in force.
systemctl list-units --all --plain --no-legend 'lab-*' | awk '{print $1}' | while read -r unit; do
    systemctl stop "$unit"
done 2> /dev/null
while mountpoint -q /var/log/nginx; do umount -l /var/log/nginx || break; done
tc qdisc show 2> /dev/null | awk '$2 == "netem" && / root /  {print $5}' | while read -r device; do
    tc qdisc delete dev "$device" root
done

# Units that start pm2 or something of the lab's account, and were not there before.
for path in /etc/systemd/system/*.service /etc/systemd/system/*.timer; do
    unit=${path##*/}
    test -f "$path" && ! there units "$unit" && grep -qE "pm2|$LOGIN" "$path" || continue
    systemctl disable --quiet --now "$unit" 2> /dev/null
    gone "$path"
done
for path in /etc/systemd/system/pm2-*.service.d; do
    gone "$path/lab.conf"
    rmdir "$path"
done 2> /dev/null

# Processes: pm2 with its apps, what else runs on a Node of the lab's, and all of the lab's own account.
kill_pm2 /root/.pm2
kill_pm2 "$home/.pm2"
if there absent /usr/local/bin/node; then
    for process in /proc/[0-9]*; do
        case $(readlink "$process/exe") in /usr/local/bin/node*) kill -KILL "${process#/proc/}" ;; esac
    done 2> /dev/null
fi
if test -n "$OURS" && test -n "$home"; then
    systemctl stop "user-$(id -u "$LOGIN").slice" 2> /dev/null
    pkill -KILL -u "$LOGIN"
    for _ in $(seq 50); do pgrep -u "$LOGIN" > /dev/null || break; sleep 0.1; done
    rm -f "/var/spool/cron/crontabs/$LOGIN"
    chattr -R -f -i -a "$home" 2> /dev/null
    userdel --force --remove "$LOGIN" 2> /dev/null
    id -u "$LOGIN" > /dev/null 2>&1 && { echo "the account $LOGIN cannot be removed" >&2; exit 1; }
fi

# nginx and the firewall, where they came with the lab.
systemctl stop nginx nftables 2> /dev/null
pkill -KILL -x nginx
nft list tables 2> /dev/null | grep -vxFf $before/tables | while read -r table; do nft delete $table; done
packages=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | awk '$1 ~ /^(lib)?nginx|^nftables$/ && $2 != "un" {print $1}' |
    grep -vxFf $before/packages)
if test -n "$packages"; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qqy -o DPkg::Lock::Timeout=60 purge $packages > /dev/null 2>&1 || dpkg --purge --force-all $packages > /dev/null || exit 1
fi

# Files: what was not there goes, what was there comes back.
while read -r path; do
    case " $TOOLS " in *" $path "*) test -n "$RELEASE" || continue ;; esac
    gone "$path"
done < $before/absent
while read -r path; do gone "/$path"; done < $before/there
tar -C / -xpf $before/kept.tar || exit 1
rm -f /var/lib/lab/exercise.json /var/lib/lab/pending-* /etc/sudoers.d/90-lab
systemctl daemon-reload
systemctl reset-failed 2> /dev/null

test -n "$RELEASE" || exit 0
command -v update-ca-certificates > /dev/null && update-ca-certificates --fresh > /dev/null 2>&1
while read -r verb unit; do systemctl $verb --quiet "$unit"; done < $before/services 2> /dev/null
test -n "$home" && sed -i '/ lab-[0-9a-f]\{8\}$/d' "$home/.ssh/authorized_keys" 2> /dev/null
rm -rf /var/lib/lab /etc/lab-host
