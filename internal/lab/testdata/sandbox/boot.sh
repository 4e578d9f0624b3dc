# boot.sh KIND: becomes PID 1 of a sandbox.
#
# The harness starts it in new pid, mount, uts, ipc and network namespaces and
# in a cgroup of its own. What it does is seen by nobody else: the file system
# is an overlay whose upper layer is memory, and dies with this process.
#
# KIND is plain (a shell that sleeps) or systemd (the real one). The harness
# sets LAB_BASE (files laid over /), LAB_BIN (programs shown at /lab),
# LAB_SCENARIO (the scenario's own files, shown at /scenario) and, where the
# scenario needs Go, LAB_SRC, LAB_GOROOT, LAB_MODCACHE and LAB_GOCACHE.
# LAB_ROOT is another system to copy than this machine's, a folder with its root.
# File descriptor 3 is told when the sandbox is ready.
set -eu

# The cgroup namespace has to begin after the move into the sandbox's cgroup.
if [ -z "${LAB_CGROUPED-}" ]; then
	export LAB_CGROUPED=1
	exec unshare --cgroup -- sh "$0" "$@"
fi

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
R=/mnt/root
mkdir /mnt/up /mnt/work /mnt/root
cp -a "$LAB_BASE/." /mnt/up
# Of this machine's /srv nothing is seen: a whiteout, as overlayfs makes them. The
# scenarios make what they need there.
mknod /mnt/up/srv c 0 0
mount -t overlay -o lowerdir="${LAB_ROOT:-/}",upperdir=/mnt/up,workdir=/mnt/work overlay $R

# A sandbox is a machine, also where this one is a container.
rm -f $R/.dockerenv
# What a fix has left that was pasted on this machine.
rm -f $R/etc/sysctl.d/50-lowport* $R/etc/systemd/system/*/50-lowport*
mkdir $R/srv

mount -t proc -o nosuid,nodev,noexec proc $R/proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs $R/sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 $R/sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs $R/run
mount -t tmpfs -o mode=1777 tmpfs $R/tmp
mount -t tmpfs -o mode=755 tmpfs $R/srv # what this machine has there is not the situation's

# A /dev of its own: systemd-tmpfiles would change the machine's.
mount -t tmpfs -o mode=755,nosuid tmpfs $R/dev
mkdir $R/dev/pts $R/dev/shm
mknod -m 666 $R/dev/null c 1 3
mknod -m 666 $R/dev/zero c 1 5
mknod -m 666 $R/dev/full c 1 7
mknod -m 666 $R/dev/random c 1 8
mknod -m 666 $R/dev/urandom c 1 9
mknod -m 666 $R/dev/tty c 5 0
ln -s /proc/self/fd $R/dev/fd
ln -s fd/0 $R/dev/stdin
ln -s fd/1 $R/dev/stdout
ln -s fd/2 $R/dev/stderr
ln -s pts/ptmx $R/dev/ptmx
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts $R/dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs $R/dev/shm

# Kernel settings belong to the machine, except those of the network namespace.
mount --bind $R/proc/sys $R/proc/sys
mount -o remount,bind,ro $R/proc/sys
mount --bind $R/proc/sys/net $R/proc/sys/net
mount -o remount,bind,rw $R/proc/sys/net

mkdir -p $R/lab $R/scenario
mount --bind "$LAB_BIN" $R/lab
mount -o remount,bind,ro $R/lab
mount --bind "$LAB_SCENARIO" $R/scenario
mount -o remount,bind,ro $R/scenario

# pass FOLDER: lets everybody pass through the folders above it.
pass() {
	above=$(dirname "$1")
	while [ "$above" != / ]; do
		chmod o+x "$R$above"
		above=$(dirname "$above")
	done
}
# show FOLDER: shows a folder of the machine at its own path, read-only.
show() {
	mkdir -p "$R$1"
	mount --bind "$1" "$R$1"
	mount -o remount,bind,ro "$R$1"
	pass "$1"
}
# over FOLDER NAME PLACE: shows a folder of the machine at PLACE, and keeps in
# memory what is changed there.
over() {
	mkdir -p "/mnt/$2/up" "/mnt/$2/work" "$R$3"
	mount -t overlay -o lowerdir="$1",upperdir="/mnt/$2/up",workdir="/mnt/$2/work" overlay "$R$3"
}
if [ -n "${LAB_SRC-}" ]; then
	show "$LAB_GOROOT"
	show "$LAB_MODCACHE"
	over "$LAB_GOCACHE" gocache /var/cache/lab-go
	chmod 777 $R/var/cache/lab-go $R/var/cache/lab-go/??
	# The module keeps its path: the build cache goes by it.
	over "$LAB_SRC" src "$LAB_SRC"
	pass "$LAB_SRC"
	chown --reference=$R/home/operator/.profile "$R$LAB_SRC"
	ln -s "$LAB_SRC" $R/src
	ln -sf "$LAB_GOROOT/bin/go" $R/usr/local/bin/go
	for user in app operator; do
		mkdir -p $R/home/$user/.config/go
		cat >$R/home/$user/.config/go/env <<-END
			CGO_ENABLED=0
			GOCACHE=/var/cache/lab-go
			GOMODCACHE=$LAB_MODCACHE
			GOPROXY=off
			GOTOOLCHAIN=local
			GOTELEMETRY=off
			GOFLAGS=-buildvcs=false -mod=readonly
		END
		chown -R --reference=$R/home/$user/.profile $R/home/$user/.config
	done
fi

# Of the machine's own services, mounts and swap nothing is started.
mkdir -p $R/usr/lib/systemd/system-generators
mount -t tmpfs -o mode=755 tmpfs $R/usr/lib/systemd/system-generators
rm -rf $R/etc/systemd/system-generators $R/etc/systemd/system/*.wants $R/etc/systemd/system/*.requires

ip link set lo up
hostname lab

cd $R
mkdir -p mnt/old
pivot_root . mnt/old
umount -l /mnt/old

# From here on, whoever enters sees the sandbox and not the machine.
echo ready >&3
exec 3>&-
case $1 in
plain)
	exec sleep infinity
	;;
systemd)
	container=lab
	export container
	exec /lib/systemd/systemd --system --unit=basic.target --log-target=console --log-level=err --show-status=0
	;;
esac
