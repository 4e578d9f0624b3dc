package facts

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// unit finds the systemd service that runs this process: it belongs to one, and systemd left its
// mark in the environment or started it through launchers such as sudo(8), which remove the
// mark. A login shell lies in a session scope. What a service's child starts by sudo has no
// mark either, but a restart of the unit would not restart it.
func unit(r Record) Fact[Unit] {
	f := fact(r, "proc/self/cgroup", func([]byte) (Unit, error) { return UnitOf(r) })
	if f.State != Known {
		return f
	}
	none := f.None()
	if f.Value.Name == "" {
		return none
	}
	mark := hasEnv(r, "INVOCATION_ID")
	if inCgroup, _ := ParseUnit(string(r["proc/self/cgroup"].Data)); mark.State != Unreadable && (!mark.Value || inCgroup.Name == "") {
		mark = mark.Now(launchedBySystemd(r, mark.Value))
	}
	systemd := fact(r, "run/systemd/system", exists)
	if OwnRoot(r) {
		systemd = systemd.Now(true) // it says nothing about the machine's
	}
	for _, mark := range []Fact[bool]{mark, systemd} {
		switch {
		case mark.State == Unreadable:
			return Fact[Unit]{Source: mark.Source, Reason: mark.Reason}
		case !mark.Value:
			return none
		}
	}
	f.Value.Transient = fact(r, "run/systemd/transient", exists).Value
	return f
}

// UnitOf returns the systemd service that this process belongs to, without a name if it belongs to
// none: that of its cgroup. If PAM moved it to the scope of a session, as PAMName= and su(1) do,
// it is the one that was started with the process's INVOCATION_ID.
func UnitOf(r Record) (Unit, error) {
	u, err := ParseUnit(string(r["proc/self/cgroup"].Data))
	if name := strings.TrimSuffix(string(r["unit of invocation"].Data), "\n"); err == nil && u.Name == "" && UnitName(name) {
		u = Unit{Name: name}
	}
	return u, err
}

// launchedBySystemd reports whether process 1 started this one, and nothing but launchers is
// between them. A process whose parent has ended also has process 1 as its parent; so without
// the mark of systemd there has to be a launcher that leads a session, as all that systemd starts.
func launchedBySystemd(r Record, marked bool) bool {
	line := fact(r, "ancestors", ParseJSON[[]Forebear]).Value
	first := slices.IndexFunc(line, func(p Forebear) bool { return !p.Launches })
	if first < 0 || line[first].PID != 1 {
		return false
	}
	return marked || first > 0 && line[first-1].Leads
}

// OwnRoot reports whether the root of this process is known to be another than process
// 1's, as of RootDirectory=.
func OwnRoot(r Record) bool {
	at := outside(r)
	return at.State == Absent || at.Value != ""
}

// ByUnit reports whether systemd started the process.
func ByUnit(r Record) bool { return hasEnv(r, "INVOCATION_ID").Value }

// outside is where the operator has the file of Path. If process 1 is hidden, as by
// ProtectProc=, that a service has no systemd in sight says that its root is its own.
func outside(r Record) Fact[string] {
	f := fact(r, "path outside", parseOutside)
	u, _ := ParseUnit(string(r["proc/self/cgroup"].Data))
	if r["path outside"].Err == "ENOENT" && u.Name != "" && hasEnv(r, "INVOCATION_ID").Value && r["run/systemd/system"].Err == "ENOENT" {
		return f.None()
	}
	return f
}

func exists([]byte) (bool, error) { return true, nil }

// ParseUnit reads a /proc/PID/cgroup (cgroups(7)): the innermost service of
// systemd's own hierarchy or of the unified one, since on a machine with both
// the service may be in either. The name is empty where there is none.
func ParseUnit(cgroup string) (Unit, error) {
	var u Unit
	for line := range strings.Lines(cgroup) {
		id, rest, _ := strings.Cut(line, ":")
		controller, p, _ := strings.Cut(rest, ":")
		p, whole := strings.CutSuffix(p, "\n")
		if _, err := strconv.ParseUint(id, 10, 31); err != nil || !whole || !path.IsAbs(p) {
			return Unit{}, fmt.Errorf("cgroup: %q is not a line of cgroups(7)", line)
		}
		if (controller == "" || controller == "name=systemd") && u.Name == "" {
			u = innermost(p)
		}
	}
	return u, nil
}

func innermost(cgroup string) Unit {
	var u Unit
	for _, part := range strings.Split(cgroup, "/") {
		switch {
		case strings.HasPrefix(part, "user@") && UnitName(part):
			u = Unit{User: true}
		case UnitName(part):
			u.Name = part
		case strings.HasSuffix(part, ".scope"):
			u.Name = "" // a session or a container below the service
		}
	}
	return u
}

// UnitName reports whether name is that of a service as systemd.unit(5) allows
// it. Any other is not printed in a command.
func UnitName(name string) bool {
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.ContainsRune(`:-_.\@`, c):
		default:
			return false
		}
	}
	return strings.HasSuffix(name, ".service") && len(name) > len(".service") && len(name) < 256
}

// container finds what kind of container this is, from the files and cgroups
// that engines leave: one that holds a whole machine says so by a variable (LXC)
// or a file (systemd.io/CONTAINER_INTERFACE). Images of whole machines can hold the same files and a
// variable can claim anything, so they count only in a process that has left
// the initial pid or uts namespace.
func container(r Record) Fact[string] {
	f := Fact[string]{State: Absent, Source: "/run/.containerenv, /.dockerenv, /proc/self/cgroup"}
	pid := fact(r, "proc/self/ns/pid", parseNS("pid"))
	uts := fact(r, "proc/self/ns/uts", parseNS("uts"))
	if pid.Value == initialPID && uts.Value == initialUTS {
		return f
	}
	cgroup := fact(r, "proc/self/cgroup", parseText)
	in := func(marks ...string) bool {
		return slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(cgroup.Value, m) })
	}
	podman, docker := fact(r, "run/.containerenv", exists), fact(r, ".dockerenv", exists)
	kubernetes, lxc, other := hasEnv(r, "KUBERNETES_SERVICE_HOST"), hasEnv(r, "container=lxc"), hasEnv(r, "container")
	podmanSays := hasEnv(r, "container=podman") // with --read-only its file is hidden
	manager := fact(r, "run/host/container-manager", parseText)
	kind, by := "", "/proc/self/cgroup"
	switch {
	case in("/kubepods"):
		kind = "kubernetes"
	case kubernetes.Value:
		kind, by = "kubernetes", "KUBERNETES_SERVICE_HOST is set"
	case lxc.Value:
		kind, by = "lxc", "container=lxc is set"
	case manager.Value == "systemd-nspawn":
		kind, by = manager.Value, manager.Source
	case podman.Value:
		kind, by = "podman", "/run/.containerenv"
	case podmanSays.Value:
		kind, by = "podman", "container=podman is set"
	case docker.Value:
		kind, by = "docker", "/.dockerenv"
	case in("/docker", "/lxc", "cri-containerd", "libpod"):
		kind = "container"
	case other.Value:
		kind, by = "container", "container= is set"
	case begun(r, pid, uts):
		kind, by = "container", "process 1 of its own pid namespace, in a uts namespace of its own"
	}
	left := pid.State == Known && pid.Value != initialPID || uts.State == Known && uts.Value != initialUTS
	switch {
	case !left:
		return Fact[string]{Source: pid.Source, Reason: "the namespaces of this process: " + pid.Reason + uts.Reason}
	case kind != "":
		f.Source = by
		return f.Now(kind)
	case cgroup.State == Unreadable:
		return Fact[string]{Source: cgroup.Source, Reason: cgroup.Reason}
	}
	for _, mark := range []Fact[bool]{podman, docker, other} {
		if mark.State == Unreadable {
			return Fact[string]{Source: mark.Source, Reason: mark.Reason}
		}
	}
	return f
}

// begun reports whether the program begins a pid namespace, or was started by shells and the like
// that do, and has a host name of its own too: what makes containers does that, also without
// a mark.
func begun(r Record, pid, uts Fact[string]) bool {
	apart := pid.State == Known && pid.Value != initialPID && uts.State == Known && uts.Value != initialUTS
	if !apart || r["operator"].Err != "ENODATA" {
		return false
	}
	pidHere, _ := fact(r, own(r), StatusInt("Tgid", math.MaxInt32)).Is()
	line, _ := fact(r, "ancestors", ParseJSON[[]Forebear]).Is()
	if len(line) > 0 {
		pidHere = line[len(line)-1].PID
	}
	return pidHere == 1 // and not put there later, as by nsenter(1)
}

// The namespaces that the system booted with have fixed inodes:
// PROC_PID_INIT_INO and PROC_UTS_INIT_INO of <linux/proc_ns.h>.
const (
	initialPID = "pid:[4026531836]"
	initialUTS = "uts:[4026531838]"
	initialNet = "net:[4026531833]" // since Linux 6.18 (NET_NS_INIT_INO of <linux/nsfs.h>)
)

// HasInitialPID reports whether this process is in the pid namespace that the system booted with.
func HasInitialPID(r Record) (bool, error) {
	f := fact(r, "proc/self/ns/pid", parseNS("pid"))
	if f.State != Known {
		return false, errors.New(f.Reason)
	}
	return f.Value == initialPID, nil
}

// apart reports whether this network namespace is another than the machine's. That process 1 has
// the same says nothing if that one belongs to a sandbox, which may have a network of its own.
func apart(r Record) Fact[bool] {
	f := fact(r, "network apart", parseTruth)
	sandbox, _ := fact(r, "sandbox", parseTruth).Is()
	ns, _ := fact(r, "proc/self/ns/net", parseNS("net")).Is()
	if other, known := f.Is(); known && !other && sandbox && ns != initialNet {
		return Fact[bool]{Source: f.Source, Reason: "process 1 belongs to what started this program"}
	}
	return f
}

// hasEnv reports whether the environment had the variable. Only whether, never
// what: values are not recorded.
func hasEnv(r Record, name string) Fact[bool] {
	return fact(r, "environ", func(b []byte) (bool, error) {
		return slices.Contains(strings.Split(string(b), "\n"), name), nil
	})
}

// EnvMarks are the variables whose presence is recorded, and one with the value
// that is told from others.
var EnvMarks = []string{"AUTHBIND_LIB", "INVOCATION_ID", "KUBERNETES_SERVICE_HOST", "LISTEN_FDS", "USER", "container", "container=lxc", "container=podman"}

// GoRun reports whether p is where `go run` and `go test` put a program: in
// go-buildN/bNNN, with or without exe/, or in the build cache since Go 1.24.
func GoRun(p string) bool {
	folders := strings.Split(p, "/")
	name := folders[len(folders)-1]
	folders = folders[:len(folders)-1]
	if name == "" {
		return false
	}
	if n := len(folders); n > 0 && folders[n-1] == "exe" {
		folders = folders[:n-1]
	} else if n > 2 && isHex(folders[n-2], 2) { // of the build cache
		if id, ok := strings.CutSuffix(folders[n-1], "-d"); ok && isHex(id, 64) {
			return true
		}
	}
	n := len(folders)
	return n > 2 && isNumbered(folders[n-2], "go-build") && isNumbered(folders[n-1], "b")
}

// isNumbered reports whether s is a word and a decimal number.
func isNumbered(s, word string) bool {
	number, ok := strings.CutPrefix(s, word)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// isHex reports whether s is so many lower-case hex digits.
func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}
