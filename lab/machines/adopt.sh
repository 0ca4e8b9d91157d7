# Makes a machine a host of the lab: records what is there, then makes the lab's account. Twice is once.
set -eu
before=/var/lib/lab/before
home=$(getent passwd "$LOGIN" | cut -d: -f6 || true)

if ! test -e $before/done; then
    rm -rf $before
    install -d -m 700 $before
    if test -z "$OURS"; then
        for name in $AT_HOME; do PLACES="$PLACES $home/$name"; done
    fi
    for path in $PLACES; do
        if test -e "$path" || test -L "$path"; then echo "${path#/}" >> $before/there; else echo "$path" >> $before/absent; fi
    done
    for path in $TOOLS; do
        test -e "$path" || test -L "$path" || echo "$path" >> $before/absent
    done
    touch $before/there $before/absent
    tar -C / -cpf $before/kept.tar -T $before/there
    ls /etc/systemd/system > $before/units
    dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | awk '$2 == "ii" {print $1}' > $before/packages
    nft list tables > $before/tables 2> /dev/null || true
    for unit in nginx nftables; do
        systemctl is-enabled --quiet $unit 2> /dev/null && echo "enable $unit"
        systemctl is-active --quiet $unit && echo "start $unit"
        true
    done > $before/services
    touch $before/done
fi

if test -n "$OURS"; then
    id -u "$LOGIN" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$LOGIN"
fi
home=$(getent passwd "$LOGIN" | cut -d: -f6)
group=$(id -gn "$LOGIN")
echo "$LOGIN ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/.lab
chmod 440 /etc/sudoers.d/.lab
mv /etc/sudoers.d/.lab /etc/sudoers.d/90-lab
install -d -m 700 -o "$LOGIN" -g "$group" "$home/.ssh"
touch "$home/.ssh/authorized_keys"
test -z "$OURS" || : > "$home/.ssh/authorized_keys"
sed -i '/ lab-[0-9a-f]\{8\}$/d' "$home/.ssh/authorized_keys"
echo "$PUBLIC_KEY" >> "$home/.ssh/authorized_keys"
chown "$LOGIN:$group" "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
