package machine

import (
	"fmt"
	"path"
	"strings"
)

// unit finds the systemd service that runs this process: its cgroup lies in
// one and systemd left its mark in the environment. A login shell lies in a
// session scope, and what a service's child starts by sudo has no mark, so
// that a restart of the unit would not restart it.
func unit(r Record) Fact[Unit] {
	return fact(r, "proc/self/cgroup", func(b []byte) (Unit, error) {
		return parseUnit(string(b)), nil
	}).onlyIf(func(u Unit) bool {
		return u.Name != "" && hasEnv(r, "INVOCATION_ID") && r["run/systemd/system"].Err == ""
	})
}

// onlyIf makes a known fact absent unless ok says that it means something.
func (f Fact[T]) onlyIf(ok func(T) bool) Fact[T] {
	if f.State == Known && !ok(f.Value) {
		return f.None()
	}
	return f
}

// parseUnit takes the innermost service of systemd's own hierarchy or of the
// unified one: on a machine with both, the service may be in either.
func parseUnit(cgroup string) Unit {
	var u Unit
	for line := range strings.Lines(cgroup) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controller, p, _ := strings.Cut(rest, ":")
		if (controller == "" || controller == "name=systemd") && u.Name == "" {
			u = innermost(p)
		}
	}
	return u
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
	return strings.HasSuffix(name, ".service") && len(name) < 256
}

// container finds what kind of container this is, from the files and cgroups
// that engines leave. Images of whole machines can hold the same files and a
// variable can claim anything, so they count only in a process that has left
// the initial pid or uts namespace.
func container(r Record) Fact[string] {
	f := Fact[string]{State: Absent, Source: "/run/.containerenv, /.dockerenv, /proc/self/cgroup"}
	if initial(r, "pid", 0xeffffffc) && initial(r, "uts", 0xeffffffe) {
		return f
	}
	cgroup := string(r["proc/self/cgroup"].Data)
	has := func(name string) bool { item, ok := r[name]; return ok && item.Err == "" }
	switch {
	case strings.Contains(cgroup, "/kubepods"), hasEnv(r, "KUBERNETES_SERVICE_HOST"):
		return f.Now("kubernetes")
	case has("run/.containerenv"):
		return f.Now("podman")
	case has(".dockerenv"):
		return f.Now("docker")
	case strings.Contains(cgroup, "/docker"), strings.Contains(cgroup, "/lxc"),
		strings.Contains(cgroup, "cri-containerd"), strings.Contains(cgroup, "libpod"), hasEnv(r, "container"):
		return f.Now("container")
	}
	return f
}

// initial says whether a namespace is the one the system booted with, whose
// inode is fixed: PROC_PID_INIT_INO and PROC_UTS_INIT_INO of <linux/proc_ns.h>.
func initial(r Record, kind string, inode uint32) bool {
	return string(r["proc/self/ns/"+kind].Data) == fmt.Sprintf("%s:[%d]", kind, inode)
}

// hasEnv reports whether the environment had the variable. Only whether, never
// what: values are not recorded.
func hasEnv(r Record, name string) bool {
	for line := range strings.Lines(string(r["environ"].Data)) {
		if strings.TrimSuffix(line, "\n") == name {
			return true
		}
	}
	return false
}

// envNames are the variables whose presence is recorded.
var envNames = []string{"AUTHBIND_LIB", "INVOCATION_ID", "KUBERNETES_SERVICE_HOST", "LISTEN_FDS", "container"}

// GoRun reports whether p is where `go run` and `go test` put a program: in a
// folder go-buildN, or in the build cache since Go 1.24.
func GoRun(p string) bool {
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		name := path.Base(dir)
		if n, ok := strings.CutPrefix(name, "go-build"); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			return true
		}
		if hash, ok := strings.CutSuffix(name, "-d"); ok && len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == "" {
			return true
		}
	}
	return false
}
