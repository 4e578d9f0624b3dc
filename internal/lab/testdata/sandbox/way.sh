# way.sh: what one way of binding a low port gives, tried out: for each column of README.md's
# table one line, "COLUMN: yes" or "COLUMN: no". The scenario sources it after it has said what
# the way is:
#
#   with            how a Go program binds that is written for this way: net, guard or authbind
#   grant COMMAND   what root does once
#
# and, where it is not as below,
#
#   start COMMAND   starts the command, under no_new_privs if $nnp is set
#   alive           whether it may yet say something
#   stop            ends it
#   again COMMAND   after a reboot: starts the command without root, if nothing has started it
#   ask             a client's question

say=/srv/say/said
install -d -m 777 /srv/say
nnp=
job=

fail() { echo "way.sh: $*" >&2; exit 2; }
defined() { command -v "$1" >/dev/null; }
# Two steps: setpriv keeps root's capabilities up to its exec, and then no_new_privs would not
# stop the file's.
as_app() { exec setpriv --reuid=app --regid=app --init-groups ${nnp:+setpriv $nnp} -- "$@"; }
defined start || start() { as_app "$@" & job=$!; }
defined alive || alive() { grep -qs ') [^Z]' /proc/$job/stat; }
defined stop || stop() {
	[ -n "$job" ] || return 0
	kill $job 2>/dev/null || true
	wait $job 2>/dev/null || true
	job=
}
defined again || again() { as_app "$@" & job=$!; }
defined ask || ask() { /lab/listener -ask 127.0.0.1:443; }

# fresh: the program and the script as their maker delivers them.
fresh() {
	install -m 755 /lab/listener /srv/program
	install -m 755 /lab/listener.py /srv/script # which runs by its first line
}
as_it_is="/srv/program -with net -say $say :443"
made_for_it="/srv/program -with $with -say $say :443"

# bound: waits until the program has said how it went, and takes from that the result. If it
# were root, nothing would be shown at all. (Nothing here is a condition of the shell's: within
# one, "set -e" is off, and what fails would be a "no".)
bound() {
	i=0
	until [ -s $say ]; do
		alive || break
		i=$((i+1))
		[ $i -lt 2000 ] || fail "it says nothing"
		sleep 0.05
	done
	[ -s $say ] || fail "it ended and said nothing"
	read -r how uid permitted nnps <$say
	[ "$uid" != 0 ] || fail "it ran as root"
	case $how in
	bound) result=yes ;;
	refused) result=no ;;
	*) fail "it says $how" ;;
	esac
}

# try COMMAND...: starts it anew and sees whether it binds.
try() {
	rm -f $say
	start "$@"
	bound
}

# must COMMAND...: it binds, or what follows would show nothing.
must() {
	try "$@"
	[ "$result" = yes ] || fail "it did not bind: $*"
}

# What a reboot leaves is what is on the disk: everything else is begun anew, by the real
# systemd, in namespaces of its own.
reboot() {
	rm -f /etc/systemd/system/systemd-sysctl.service # the sandbox masks it
	mkdir -p /etc/systemd/system/systemd-sysctl.service.d
	printf '[Service]\nExecStart=\nExecStart=/lib/systemd/systemd-sysctl --prefix=/net/ipv4/ip_unprivileged_port_start\n' \
		>/etc/systemd/system/systemd-sysctl.service.d/lab.conf
	mkdir /sys/fs/cgroup/user.slice/reboot
	(
		echo 0 >/sys/fs/cgroup/user.slice/reboot/cgroup.procs
		exec unshare --fork --pid --mount --uts --ipc --cgroup --net --kill-child -- sh -euc '
			mount --make-rprivate /
			mount -t proc -o nosuid,nodev,noexec proc /proc
			mount --bind /proc/sys /proc/sys
			mount -o remount,bind,ro /proc/sys
			mount --bind /proc/sys/net /proc/sys/net
			mount -o remount,bind,rw /proc/sys/net
			umount -l /sys/fs/cgroup
			mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
			mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
			mount -t tmpfs -o mode=1777 tmpfs /tmp
			mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
			ip link set lo up
			exec env -i container=lab /lib/systemd/systemd --system --unit=default.target --log-target=console --log-level=err --show-status=0'
	) </dev/null >/srv/boot.log 2>&1 &
	machine=$!
	until first=$(pgrep -P $machine -x systemd); do
		grep -qs ') [^Z]' /proc/$machine/stat || fail "no boot: $(cat /srv/boot.log)"
		sleep 0.05
	done
	until state=$(nsenter -t "$first" -m -u -i -n -p -C -r -w -- systemctl is-system-running 2>&1) || [ "$state" = degraded ]; do
		grep -qs ') [^Z]' /proc/$machine/stat || fail "no boot: $(cat /srv/boot.log)"
		sleep 0.05
	done
}

any_language() {
	grant /srv/script
	try /srv/script
}
code_as_it_is() {
	grant $as_it_is
	try $as_it_is
}
after_a_rebuild() {
	grant $made_for_it
	must $made_for_it
	stop
	fresh
	try $made_for_it
}
after_a_reboot() {
	grant $made_for_it
	must $made_for_it
	stop
	rm -f $say
	reboot
	# This file, once more, in the machine that has booted.
	nsenter -t "$first" -m -u -i -n -p -C -r -w -- sh -eu /scenario/way rebooted >/srv/rebooted
	read -r result </srv/rebooted
	kill -9 "$first"
	wait $machine || true
}
under_no_new_privs() {
	nnp=--no-new-privs
	grant $made_for_it
	try $made_for_it
	nnp=
	[ "$nnps" = 1 ] || fail "it was not under no_new_privs"
}
holds_nothing() {
	grant $made_for_it
	must $made_for_it
	[ "$permitted" = 0000000000000000 ] || result=no
}
# Another user's program asks for the port, in the same way, while ours is not there.
for_it_alone() {
	grant $made_for_it
	must $made_for_it
	stop
	install -m 755 /lab/listener /srv/other
	rm -f $say
	setpriv --reuid=operator --regid=operator --init-groups -- /srv/other -with $with -say $say :443 2>/dev/null &
	other=$!
	until [ -s $say ]; do sleep 0.05; done
	kill $other 2>/dev/null || true
	wait $other || true
	read -r how rest <$say
	[ "$how" != bound ] || result=no
}
# A client comes when the old program has ended and the new one is not there yet.
no_gap() {
	grant $made_for_it
	must $made_for_it
	ask
	stop
	ask 2>/dev/null || result=no
}

if [ "${1-}" = rebooted ]; then
	again $made_for_it
	bound
	echo $result
	exit
fi
for column in 'any language' 'code as it is' 'after a rebuild' 'after a reboot' 'under no_new_privs' 'holds nothing' 'for it alone' 'no gap'; do
	fresh
	$(echo "$column" | tr ' ' _)
	echo "$column: $result"
	stop
done
