package dice

import (
	"fmt"
	"strings"
)

// A Plan is a situation as shell scripts, each run by root.
type Plan struct {
	Place    string   // makes the place where the operator's shell is, and writes the id of a process there to /run/place
	Prepare  string   // makes the rest, in that place
	Start    string   // starts the program, in that place
	Foretell []string // the same with a prediction in the place of the program, and by root's shell; some situations have none
	Behind   string   // the same as the first prediction's, with another execve in the place of the predictor's

	Boots bool // the machine has systemd
	Apart bool // the place is not the machine itself
	Root  bool // the operator's shell is root's
}

// plan says how a situation is made.
func (s Situation) plan() Plan {
	prepare := "set -eu\n" + s.disk() + s.machine() + s.holders() + s.policy()
	if s.is("by", "unit") {
		foretell := append([]string{"/lab/guest", "-unit", "/etc/systemd/system/" + s.unitFile()}, append(s.flags(), s.target()...)...)
		var scripts []string
		if s.foreseen() {
			scripts = []string{"exec " + commandLine(foretell) + "\n"}
		}
		return Plan{
			Boots: true, Prepare: prepare + s.units(), Start: s.startUnit(), Behind: s.startSocket() + s.startUnit(),
			Foretell: scripts, Root: s.is("user", "root"),
		}
	}
	if s.is("by", "container") {
		return Plan{Prepare: prepare + s.container(), Start: startContainer, Root: true}
	}
	place := s.place()
	return Plan{
		Place:    place,
		Prepare:  prepare,
		Start:    "exec " + commandLine(s.launch(s.program())) + "\n",
		Foretell: s.foretell(),
		Behind:   "exec " + commandLine(s.launch(append([]string{"sh", "-c", `exec "$@"`, "sh"}, s.program()...))) + "\n",
		Apart:    place != "",
		Root:     s.is("user", "root"),
	}
}

// need is what the program needs, as setcap(8) has it.
func (s Situation) need() string {
	switch s.get("ask") {
	case "require":
		return "cap_net_admin"
	case "require2":
		return "cap_net_admin,cap_sys_time"
	}
	return "cap_net_bind_service"
}

// signed is the need with a sign before each capability, as setpriv(1) has it.
func (s Situation) signed(sign string) string {
	return sign + strings.ReplaceAll(strings.ReplaceAll(s.need(), "cap_", ""), ",", ","+sign)
}

func (s Situation) port() string { return s.get("port") }

// lowest is the lowest of the ports.
func (s Situation) lowest() string {
	if s.is("ask", "several") {
		return "53"
	}
	return s.port()
}

// place makes a place that is not the machine itself: a shell in namespaces of its own, or a
// root of its own.
func (s Situation) place() string {
	// wait waits for a process that is the last of its kind: the child of unshare, if it forks.
	const wait = `place=$!
until [ "$(readlink /proc/$place/ns/FIRST)" != "$(readlink /proc/$$/ns/FIRST)" ]; do kill -0 $place; sleep 0.003; done
`
	const up = `sh -c 'ip link set lo up; exec sleep 1000' </dev/null >/dev/null 2>&1 &` + "\n"
	first := func(ns string) string { return strings.ReplaceAll(wait, "FIRST", ns) }
	switch s.get("place") {
	case "nested":
		return "unshare -m -n " + up + first("net") + "sleep 0.01\necho $place >/run/place\n"
	case "nested-net":
		return "unshare -n " + up + first("net") + "sleep 0.01\necho $place >/run/place\n"
	case "nested-pid":
		return "unshare -m -p -f --mount-proc sleep 1000 </dev/null >/dev/null 2>&1 &\n" + `unshare=$!
until { read -r place </proc/$unshare/task/$unshare/children || [ "$place" ]; } && grep -q sleep /proc/$place/comm; do kill -0 $unshare; sleep 0.003; done
echo $place >/run/place
`
	case "netns":
		return "ip netns add lan\nip -n lan link set lo up\nip netns exec lan sleep 1000 </dev/null >/dev/null 2>&1 &\n" + first("net") +
			"until grep -q sleep /proc/$place/comm; do sleep 0.003; done\necho $place >/run/place\n"
	case "chroot":
		return "mkdir /mnt/new\nmount --rbind / /mnt/new\nchroot /mnt/new sleep 1000 </dev/null >/dev/null 2>&1 &\n" +
			"until grep -q sleep /proc/$!/comm; do sleep 0.003; done\necho $! >/run/place\n"
	}
	return ""
}

// shell is the operator's.
func (p Plan) shell() []string {
	if p.Root {
		return []string{"sh", "-e"}
	}
	return []string{"setpriv", "--reuid=operator", "--regid=operator", "--init-groups", "env", "HOME=/home/operator", "USER=operator", "sh", "-e"}
}

// enter is what runs a command in the place.
func (p Plan) enter() []string {
	if !p.Apart {
		return nil
	}
	return []string{"sh", "-c", `place=$(cat /run/place); exec nsenter -t $place -m -n -p -r -w -- "$@"`, "sh"}
}

// disk makes the program's file.
func (s Situation) disk() string {
	b := "mkdir /srv/app\n"
	switch s.get("mount") {
	case "nosuid":
		b += "mount -t tmpfs -o nosuid,mode=755 tmpfs /srv/app\n" + s.file("/srv/app")
	case "ramfs":
		b += "mount -t ramfs ramfs /srv/app\nchmod 755 /srv/app\n" + s.file("/srv/app")
	case "overlay":
		b += "mkdir /srv/low /srv/up /srv/work\n" + s.file("/srv/low") +
			"mount -t overlay -o lowerdir=/srv/low,upperdir=/srv/up,workdir=/srv/work overlay /srv/app\n"
	case "read-only":
		b += s.file("/srv/app") + "mount --bind /srv/app /srv/app\nmount -o remount,bind,ro /srv/app\n"
	case "foreign":
		b += "unshare -m sh -euc '\nmount -t tmpfs -o mode=755 tmpfs /srv/app\n" + s.file("/srv/app") +
			"echo $$ >/run/other.new\nmv /run/other.new /run/other\nexec sleep 1000' </dev/null >/dev/null 2>&1 &\n" +
			"until [ -s /run/other ]; do kill -0 $!; sleep 0.003; done\n"
	case "idmapped":
		b += "mount -t tmpfs -o mode=755 tmpfs /srv/app\n" + s.file("/srv/app") + "/lab/idmap mount /srv/app\n"
	case "private": // the launcher mounts it
	default:
		b += s.file("/srv/app")
	}
	switch s.get("place") {
	case "hidepid":
		b += "mount -o remount,hidepid=2 /proc\n"
	case "subset":
		b += "mount -t proc -o subset=pid proc /proc\n"
	}
	if s.is("by", "container") {
		b += "mkdir /run/bundle\n"
	}
	if s.is("launcher", "chroot") {
		b += "mkdir /mnt/root\nmount --rbind / /mnt/root\n"
	}
	return b
}

// file installs the program in a folder.
func (s Situation) file(dir string) string {
	b := ""
	if s.is("by", "container") {
		dir += "/rootfs"
		b = strings.ReplaceAll(s.image(), rootfs, dir)
	}
	file := commandLine([]string{dir + "/" + s.name()})
	b += "install /lab/guest " + file + "\n"
	setcap := ""
	switch kind := s.get("file"); kind {
	case "granted":
		setcap = s.need() + "=" + s.enough()
	case "p", "ep", "i", "ei":
		setcap = s.need() + "=" + kind
	case "more":
		setcap = s.need() + ",cap_net_raw=ep"
	case "other":
		setcap = "cap_net_raw=p"
	case "other-e":
		setcap = "cap_net_raw=ep"
	case "partial": // the first of several, or one that is none of them
		setcap = "cap_net_admin=ep"
	case "empty":
		setcap = "="
	case "own":
		setcap = "-n 1000 " + s.need() + "=" + s.enough()
	case "foreign":
		setcap = "-n 100000 " + s.need() + "=" + s.enough()
	case "setgid":
		b += "chgrp operator " + file + "\nchmod g+s " + file + "\n"
	case "setuid":
		b += "chown operator " + file + "\nchmod u+s " + file + "\n"
	}
	switch {
	case setcap == "":
	case s.is("mount", "ramfs"): // it has no attributes
		b += "setcap " + setcap + " " + file + " 2>/dev/null || true\n"
	default:
		b += "setcap " + setcap + " " + file + "\n"
	}
	return b
}

// enough is what the file has to grant: Bind raises what is permitted, Require does not.
func (s Situation) enough() string {
	if s.is("ask", "bind", "several") {
		return "p"
	}
	return "ep"
}

// machine makes the addresses, and a process that has nothing to do with it.
func (s Situation) machine() string {
	b := "setpriv --reuid=operator --regid=operator --clear-groups sleep 1000 </dev/null >/dev/null 2>&1 &\necho $! >/run/bystander\n"
	if s.is("tracer", "late") {
		b += `mkdir -m 777 /run/wait
(while :; do
	until [ -s /run/wait/pid ]; do sleep 0.003; done
	pid=$(cat /run/wait/pid)
	rm /run/wait/pid
	strace -f -e trace=none -o /dev/null -p "$pid"
done) </dev/null >/dev/null 2>&1 &
`
	}
	if s.is("launcher", "netns") {
		b += "ip netns add wan\nip -n wan link set lo up\n"
	}
	switch s.get("address") {
	case "off6":
		b += "echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6\n"
	case "tentative":
		b += `ip link add lan0 type veth peer name lan1
echo 3600 >/proc/sys/net/ipv6/conf/lan0/dad_transmits
ip link set lan1 up
ip link set lan0 up
ip address add 2001:db8::1/64 dev lan0
`
	case "zone":
		b += "ip address add fe80::1/64 dev lo scope link\n"
	}
	return b
}

// holders makes what has the port already.
func (s Situation) holders() string {
	kind := s.get("holder")
	user, run := "operator", ""
	address := ":" + s.port()
	switch kind {
	case "none", "passed":
		return ""
	case "kernel":
		return "ip link add vx0 type vxlan id 1 dstport " + s.port() + " local 127.0.0.1\nip link set vx0 up\n"
	case "same":
		user = "app"
	case "root":
		user = "root"
	case "any4":
		address = "0.0.0.0" + address
	case "lo4":
		address = "127.0.0.1" + address
	case "reuseport":
		user = "app"
		fallthrough
	case "bound", "bound-alone", "mptcp", "dual", "time-wait", "served", "served-wait", "several":
		run = "/lab/occupy " + kind + " " + s.port()
	}
	if run == "" {
		run = "/lab/hold " + address
		if s.is("proto", "udp") {
			run = "/lab/hold udp " + address
		}
	}
	who := fmt.Sprintf("setpriv --reuid=%s --regid=%[1]s --clear-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service", user)
	return fmt.Sprintf(`mkdir -m 777 /run/ready
%s %s /run/ready/holder </dev/null >/dev/null 2>&1 &
echo $! >/run/holder
until [ -e /run/ready/holder ]; do kill -0 $!; sleep 0.003; done
`, who, run)
}

// policy makes what comes last: it would stand in the way of what is made before.
func (s Situation) policy() string {
	b := ""
	switch s.get("threshold") {
	case "lowered":
		b += "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start\n"
	case "port":
		b += "echo " + s.lowest() + " >/proc/sys/net/ipv4/ip_unprivileged_port_start\n"
	case "raised":
		b += "echo 9000 >/proc/sys/net/ipv4/ip_unprivileged_port_start\n"
	}
	switch kind := s.get("bpf"); kind {
	case "bind":
		b += "/lab/denybind /sys/fs/cgroup/user.slice\n"
	case "create", "after":
		b += "/lab/denybind /sys/fs/cgroup/user.slice " + kind + "\n"
	}
	return b
}

// launch is the words that start a program, from outside to inside.
func (s Situation) launch(program []string) []string {
	var w []string
	add := func(words ...string) { w = append(w, words...) }
	strace := []string{"strace", "-f", "-e", "trace=none", "-o", "/dev/null"}
	const shell = `exec "$@"`

	if s.is("tracer", "root") {
		add(strace...)
	}
	switch s.get("launcher") {
	case "unshare-n":
		add("unshare", "-n", "sh", "-c", `ip link set lo up; exec "$@"`, "sh")
	case "unshare-m":
		add("unshare", "-m")
	case "unshare-p":
		add("unshare", "-p", "-f", "--mount-proc")
	case "netns":
		add("ip", "netns", "exec", "wan")
	case "chroot":
		add("chroot", "/mnt/root")
	case "no-proc":
		add("unshare", "-m", "sh", "-c", `umount -l /proc; exec "$@"`, "sh")
	}
	if s.is("mount", "private") {
		add("unshare", "-m", "sh", "-euc", "mount -t tmpfs -o mode=755 tmpfs /srv/app\n"+s.file("/srv/app")+`exec "$@"`, "sh")
	}
	if s.is("holder", "passed") {
		add("/lab/pass", ":"+s.port())
	}
	if s.is("landlock", "tcp") {
		add("/lab/landlocked")
	}
	call, errno, filtered := strings.Cut(s.get("seccomp"), ":")
	if filtered {
		add("/lab/filter", call, errno)
	}
	if s.is("mount", "foreign") { // root alone may pass /proc/PID/root
		add("sh", "-c", `exec 9</proc/$(cat /run/other)/root`+commandLine([]string{s.onDisk()})+`; exec "$@"`, "sh")
	}
	if s.is("userns", "range") {
		add("/lab/idmap", "run")
	}
	if filtered && strings.HasPrefix(call, "cap") && !s.is("user", "root") { // setpriv would be refused
		w = append(w[:len(w)-3], append([]string{"/lab/filter", "-as", s.uid()}, w[len(w)-2:]...)...)
	} else {
		add(s.changeUser()...)
	}
	if s.is("shell", "sh") {
		add("sh", "-c", shell, "sh")
	}
	switch s.get("userns") {
	case "foreign":
		add("unshare", "-Ur")
	case "own":
		add("unshare", "-Urn", "sh", "-c", `ip link set lo up; exec "$@"`, "sh")
	case "nested":
		add("unshare", "-Ur", "unshare", "-Ur")
	case "current":
		add("unshare", "-U", "--map-current-user")
	}
	if s.is("nnp", "later") {
		add("setpriv", "--no-new-privs")
	}
	if s.is("tracer", "user") {
		add(strace...)
	}
	switch s.get("wrapper") {
	case "env":
		add("env", "DICE=1")
	case "sh-exec":
		add("sh", "-c", shell, "sh")
	case "sh-child":
		add("sh", "-c", `"$@"; exit $?`, "sh")
	case "taskset":
		add("taskset", "1")
	case "nice":
		add("nice")
	case "tini":
		add("tini", "-s", "--")
	case "dumb-init":
		add("dumb-init", "--")
	case "script": // it takes a command line
		add("script", "-qec", commandLine(program), "/dev/null")
		return w
	}
	return append(w, program...)
}

// program is the program and its arguments.
func (s Situation) program() []string {
	return append(append([]string{s.path()}, s.flags()...), s.target()...)
}

// foreseen reports whether the program does nothing that cannot be seen before the start.
func (s Situation) foreseen() bool {
	return s.is("before", "nothing") && s.is("control", "none") && s.is("mptcp", "on")
}

// foretell is the scripts that predict: by the process that would execute the program, and by
// root's shell where nothing but setpriv is between it and the program. What the program does
// itself cannot be predicted, nor with which options it listens.
func (s Situation) foretell() (scripts []string) {
	if !s.foreseen() {
		return nil
	}
	predict := func(options ...string) []string {
		w := append([]string{"/lab/guest", "-predict", s.path()}, options...)
		return append(append(w, s.flags()...), s.target()...)
	}
	scripts = append(scripts, "exec "+commandLine(s.launch(predict()))+"\n")
	user := s.without("file", "mount", "place", "user", "threshold", "address", "holder", "bpf")
	for _, k := range Knobs {
		if k.Question {
			user = user.without(k.Name)
		}
	}
	if len(user) == 0 && !s.is("user", "root") && !s.is("mount", "foreign", "private") && !s.is("holder", "passed") {
		scripts = append(scripts, "exec "+commandLine(predict("-user", s.uid()))+"\n")
	}
	return scripts
}

// onDisk is the path of the program for who starts it.
func (s Situation) onDisk() string {
	if s.is("by", "container") {
		return rootfs + "/server"
	}
	return "/srv/app/" + s.name()
}

func (s Situation) path() string {
	if s.is("mount", "foreign") {
		return "/proc/self/fd/9"
	}
	return "/srv/app/" + s.name()
}

// name is that of the program's file.
func (s Situation) name() string {
	return map[string]string{
		"plain": "server", "space": "my server", "quote": "it's", "dollar": "$(id)", "equals": "=ls", "backslash": `a'b`, "tilde": "~root",
	}[s.get("name")]
}

// limits are setpriv's options for what root sets before the user is changed.
func (s Situation) limits() []string {
	var w []string
	switch s.get("bounding") {
	case "without":
		w = append(w, "--bounding-set="+s.signed("-"))
	case "only":
		w = append(w, "--bounding-set=-all,"+s.signed("+"))
	case "empty":
		w = append(w, "--bounding-set=-all")
	}
	switch s.get("securebits") {
	case "noroot":
		w = append(w, "--securebits=+noroot")
	case "no-fixup":
		w = append(w, "--securebits=+no_setuid_fixup")
	}
	return w
}

// changeUser starts what follows as the user, with what the user is granted.
func (s Situation) changeUser() []string {
	options := s.limits()
	switch s.get("grant") {
	case "ambient":
		options = append(options, "--inh-caps="+s.signed("+"), "--ambient-caps="+s.signed("+"))
	case "inheritable":
		options = append(options, "--inh-caps="+s.signed("+"))
	}
	if s.is("nnp", "same") {
		options = append(options, "--no-new-privs")
	}
	user, change := s.get("user"), s.get("change")
	var after []string
	switch {
	case user == "root":
	case user == "nameless":
		options = append(options, "--reuid=4242", "--regid=4242", "--clear-groups")
	case change == "setpriv":
		options = append(options, "--reuid=app", "--regid=app", "--init-groups")
	case change == "su":
		after = []string{"su", "-c", `exec "$@"`, "--", "app", "sh"}
	case change == "sudo":
		after = []string{"sudo", "-u", "app", "--"}
	case change == "runuser":
		after = []string{"runuser", "-u", "app", "--"}
	}
	if len(options) == 0 {
		return after
	}
	return append(append([]string{"setpriv"}, options...), after...)
}

// target is what the program is asked for.
func (s Situation) target() []string {
	switch s.get("ask") {
	case "bind":
		return []string{s.host() + ":" + s.port()}
	case "several":
		return []string{s.host() + ":" + s.port(), s.host() + ":80", s.host() + ":53"}
	}
	return []string{"-require", s.need()}
}

// flags are how the program does it.
func (s Situation) flags() (w []string) {
	if v := s.get("before"); v != "nothing" {
		w = append(w, "-before", v)
	}
	if s.is("tracer", "late") {
		w = append(w, "-traced")
	}
	if v := s.network(); v != "tcp" {
		w = append(w, "-network", v)
	}
	if s.is("mptcp", "off") {
		w = append(w, "-mptcp=false")
	}
	if v := s.get("control"); v != "none" {
		w = append(w, "-control", v)
	}
	return w
}

// network is what the program asks for, as net has it.
func (s Situation) network() string {
	if s.is("family", "both") {
		return s.get("proto")
	}
	return s.get("proto") + s.get("family")
}

func (s Situation) host() string {
	return map[string]string{
		"any": "", "any4": "0.0.0.0", "any6": "[::]", "lo4": "127.0.0.1", "lo6": "[::1]", "localhost": "localhost",
		"lo2": "127.0.0.2", "absent4": "203.0.113.7", "absent6": "[2001:db8::7]", "off6": "[::1]",
		"tentative": "[2001:db8::1]", "zone": "[fe80::1%lo]",
	}[s.get("address")]
}

// commandLine quotes words for a shell.
func commandLine(words []string) string {
	var quoted []string
	for _, w := range words {
		if w == "" || strings.ContainsAny(w, " \"'$&;<>|*?[]()!#~`\\") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}

// uid is the user's number.
func (s Situation) uid() string {
	return map[string]string{"app": "1000", "root": "0", "nameless": "4242"}[s.get("user")]
}
