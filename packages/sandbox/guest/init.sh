#!/bin/busybox sh
# The first program of a guest: loads what its kernel needs, puts the file systems together, and gives way to guest.py.
export PATH=/bin
for name in dev proc root sys; do
  /bin/busybox mkdir -p "/$name"
done
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
for module in /modules/*.ko; do
  insmod "$module" || echo "no $module"
done

# Disks in the order in which the host gives them: the system, what may be written to; what comes after them is shown when the host says so.
mount -t squashfs -o ro,nosuid,nodev /dev/vda /root || exit 1
mount -t ext4 -o nosuid,nodev,noatime /dev/vdb /root/jail || exit 1
for name in agent guest run tmp; do
  mount -t tmpfs -o mode=755,nosuid,nodev "$name" "/root/$name" || exit 1
done
cp -a /syla/agent/. /root/agent
cp -a /syla/guest/. /root/guest
for name in dev proc sys; do
  mount --move "/$name" "/root/$name"
done
exec switch_root /root /usr/bin/python3 -I -S /guest/guest.py
