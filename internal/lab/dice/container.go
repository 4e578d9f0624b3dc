package dice

import (
	"encoding/json"
	"strings"
)

// rootfs is the root of the container, where one starts the program.
const rootfs = "/srv/app/rootfs"

// container installs the configuration of a container: the parts of runtime-spec's config.json
// that the knobs have values for. What docker's default is, is the rest of it.
func (s Situation) container() string {
	type object = map[string]any
	namespaces := []object{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}}
	if !s.is("launcher", "host-net") && !s.is("userns", "foreign") {
		namespaces = append(namespaces, object{"type": "network"})
	}
	linux := object{}
	proc := object{"destination": "/proc", "type": "proc", "source": "proc"}
	if !s.is("userns", "none") { // which may mount no proc where parts of ours are hidden
		namespaces = append(namespaces[1:], object{"type": "user"})
		proc = object{"destination": "/proc", "type": "bind", "source": "/proc", "options": []string{"rbind"}}
		ids := []object{{"containerID": 0, "hostID": 100000, "size": 65536}}
		linux["uidMappings"], linux["gidMappings"] = ids, ids
	}
	linux["namespaces"] = namespaces
	if port, ok := map[string]string{"lowered": "0", "port": s.lowest(), "raised": "9000"}[s.get("threshold")]; ok {
		linux["sysctl"] = object{"net.ipv4.ip_unprivileged_port_start": port}
	}
	if call, errno, ok := strings.Cut(s.get("seccomp"), ":"); ok {
		number := map[string]int{"EPERM": 1, "EACCES": 13, "ENOSYS": 38, "EADDRNOTAVAIL": 99}[errno]
		linux["seccomp"] = object{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []object{
			{"names": []string{call}, "action": "SCMP_ACT_ERRNO", "errnoRet": number},
		}}
	}
	config := object{
		"ociVersion": "1.0.2",
		"process": object{
			"user":            object{"uid": json.Number(s.uid()), "gid": json.Number(s.uid())},
			"args":            append(s.containerWrapper(), append(append([]string{"/server", "-tell"}, s.flags()...), s.target()...)...),
			"env":             s.engine(),
			"cwd":             "/",
			"noNewPrivileges": s.is("nnp", "same"),
			"capabilities":    s.capabilities(),
		},
		"root":   object{"path": rootfs, "readonly": s.is("mount", "read-only")},
		"mounts": []object{proc, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=755"}}},
		"linux":  linux,
	}
	text, err := json.MarshalIndent(config, "", "\t")
	if err != nil {
		panic(err)
	}
	return heredoc("/run/bundle/config.json", string(text)+"\n")
}

// capabilities are the container's sets: docker's default ones, or with or without what is needed.
func (s Situation) capabilities() map[string][]string {
	need := strings.Split(strings.ToUpper(s.need()), ",")
	set := words("CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP")
	switch s.get("bounding") {
	case "full":
		set = append(set, need...)
	case "only":
		set = need
	case "empty":
		set = []string{}
	}
	all := map[string][]string{"bounding": set, "permitted": set, "effective": set}
	if !s.is("grant", "none") {
		all["inheritable"] = need
	}
	if s.is("grant", "ambient") {
		all["ambient"] = need
	}
	return all
}

// engine is the environment of a container of an engine.
func (s Situation) engine() []string {
	env := []string{"PATH=/bin"}
	switch s.get("engine") {
	case "podman":
		env = append(env, "container=podman")
	case "kubernetes":
		env = append(env, "KUBERNETES_SERVICE_HOST=10.0.0.1")
	}
	return env
}

// containerWrapper is a wrapper in the container, which has busybox alone.
func (s Situation) containerWrapper() []string {
	return map[string][]string{
		"env": {"/bin/busybox", "env", "DICE=1"}, "nice": {"/bin/busybox", "nice"},
		"sh-exec": {"/bin/busybox", "sh", "-c", `exec "$@"`, "sh"}, "sh-child": {"/bin/busybox", "sh", "-c", `"$@"; exit $?`, "sh"},
	}[s.get("wrapper")]
}

// image fills the root of the container, and leaves its bundle in /run/bundle.
func (s Situation) image() string {
	b := "mkdir -p " + rootfs + "/proc " + rootfs + "/bin\nmkdir -m 777 " + rootfs + "/dev\ninstall /bin/busybox " + rootfs + "/bin/busybox\n"
	switch s.get("engine") {
	case "docker":
		b += "touch " + rootfs + "/.dockerenv\n"
	case "podman":
		b += "mkdir " + rootfs + "/run\ntouch " + rootfs + "/run/.containerenv\n"
	}
	return b
}

// startContainer starts the program in its container.
const startContainer = "cd /run/bundle; runc run app </dev/null >/run/said/report-container || true\n"
