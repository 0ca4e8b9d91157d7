#!/bin/sh
# Makes the root file system of a container that of a computer: kernel, boot loader, network, first boot.
# Run in it by chroot, without any mount:  vm-guest.sh KERNEL-PACKAGE CONSOLES bios|uefi UNITS…  <authorized_keys
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
kernel=$1 consoles=$2 firmware=$3
shift 3
case $firmware in
    bios) loader='grub-pc-bin' ;;
    uefi) loader='grub-efi-amd64-bin mtools' ;;
esac

# Nothing that is installed is started: this is not the guest yet.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get -qq update
# shellcheck disable=SC2086  # one word a package
apt-get -qqy install --no-install-recommends \
    "$kernel" initramfs-tools zstd $loader udev fdisk e2fsprogs systemd-resolved >/var/log/lab-vm.log 2>&1 ||
    { tail -n 10 /var/log/lab-vm.log >&2; exit 1; }
rm /usr/sbin/policy-rc.d /var/log/lab-vm.log

# What a container had to do without.
systemctl -q unmask "$@"
systemctl -q enable systemd-networkd systemd-resolved
# What nothing here uses, and an emulated guest would spend a part of its start on.
systemctl -q mask e2scrub_reap.service systemd-networkd-wait-online.service systemd-pstore.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service kmod-static-nodes.service \
    modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service \
    modprobe@fuse.service modprobe@loop.service dev-mqueue.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount sys-kernel-tracing.mount

# Power is taken from it all the time: what it writes is on its disk a second later, not half a minute.
echo 'LABEL=lab-root / ext4 errors=remount-ro,commit=1 0 1' >/etc/fstab
printf 'vm.dirty_%s_centisecs = 100\n' expire writeback >/etc/sysctl.d/lab.conf

# Any card gets its address from whoever gives one; a file of Vagrant's for one card comes before this one.
cat >/etc/systemd/network/90-lab.network <<'END'
[Match]
Type=ether

[Network]
DHCP=ipv4
LinkLocalAddressing=no

[DHCPv4]
ClientIdentifier=mac
END
ln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf

cat >/usr/local/sbin/first-boot <<'END'
#!/bin/sh
# The root file system takes the whole disk; a host that was given no key gets one of its own.
set -eu
grow() {
    root=$(findmnt --noheadings --output SOURCE /)
    disk=$(lsblk --noheadings --nodeps --output PKNAME "$root")
    echo ', +' | sfdisk --quiet --no-reread --force -N 1 "/dev/$disk"
    partx --update --nr 1 "/dev/$disk"
    resize2fs "$root"
}
grow || echo 'the root file system could not grow' >&2
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
touch /var/lib/first-boot
END
chmod 755 /usr/local/sbin/first-boot
cat >/etc/systemd/system/first-boot.service <<'END'
[Unit]
Description=The lab's first boot: the whole disk, a host key
ConditionPathExists=!/var/lib/first-boot
Before=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/first-boot

[Install]
WantedBy=multi-user.target
END
systemctl -q enable first-boot.service

# The kernel is named by the link that Debian keeps up to date, so that no kernel needs a new menu. It does not try
# whether the timer ticks: an emulator on a busy computer pauses for longer than the trial, which ends in a panic. After
# any panic it boots again.
mkdir -p /boot/grub
cat >/boot/grub/grub.cfg <<END
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
search --set=root --label lab-root
linux /vmlinuz root=LABEL=lab-root ro quiet net.ifnames=0 no_timer_check panic=10 $consoles
initrd /initrd.img
boot
END
echo 'configfile (hd0,msdos1)/boot/grub/grub.cfg' >/tmp/early.cfg
make_core() {
    grub-mkimage --format="$1" --output="$2" --config=/tmp/early.cfg --prefix='(hd0,msdos1)/boot/grub' \
        part_msdos ext2 normal configfile linux serial terminal search search_label echo test $3
}
case $firmware in
    bios)
        make_core i386-pc /boot/grub/core.img biosdisk
        cp /usr/lib/grub/i386-pc/boot.img /boot/grub/boot.img ;;
    uefi)  # a small file system with the one file that the firmware looks for
        make_core x86_64-efi /tmp/core.efi ''
        mformat -C -i /boot/grub/esp.img -T 65536 ::
        mmd -i /boot/grub/esp.img ::/EFI ::/EFI/BOOT
        mcopy -i /boot/grub/esp.img /tmp/core.efi ::/EFI/BOOT/BOOTX64.EFI
        rm /tmp/core.efi
        apt-get -qqy purge mtools >/dev/null ;;
esac
rm /tmp/early.cfg

# Vagrant comes in with the key that everybody knows, once, and replaces it by the lab's own.
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
cat >/home/vagrant/.ssh/authorized_keys
chown vagrant:vagrant /home/vagrant/.ssh/authorized_keys
chmod 600 /home/vagrant/.ssh/authorized_keys

apt-get -qq clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /etc/ssh/ssh_host_* /etc/hosts
printf '127.0.0.1 localhost\n' >/etc/hosts
: >/etc/machine-id
