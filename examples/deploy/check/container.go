package main

import (
	"fmt"
	"slices"
	"strings"
)

// A container is what a manifest or a compose file asks the kernel for.
type container struct {
	command        []string // instead of the image's entrypoint
	args           []string
	uid, gid       int64
	drop, add      []string // capabilities, "ALL" or without CAP_
	noNewPrivs     bool
	readOnly       bool
	hostNetwork    bool
	hostPID        bool
	sysctls        map[string]string
	defaultSeccomp bool

	// What the engine puts into the permitted set before it starts the program of a user
	// who is not root: containerd and CRI-O what is added, Docker nothing.
	permits bool
}

// podman returns the flags and arguments of podman run.
func (c container) podman(image string) ([]string, error) {
	if len(c.add) > 0 && c.uid != 0 {
		// It makes them ambient, which neither Docker nor Kubernetes does.
		return nil, fmt.Errorf("podman gives more than the file asks for: see runc")
	}
	if len(c.command) > 0 {
		return nil, fmt.Errorf("not translated: command %q", c.command)
	}
	flags := []string{fmt.Sprintf("--user=%d:%d", c.uid, c.gid)}
	for _, name := range c.drop {
		flags = append(flags, "--cap-drop="+name)
	}
	for _, name := range c.add {
		flags = append(flags, "--cap-add="+name)
	}
	for name, value := range c.sysctls {
		flags = append(flags, "--sysctl="+name+"="+value)
	}
	if c.noNewPrivs {
		flags = append(flags, "--security-opt=no-new-privileges")
	}
	if !c.defaultSeccomp {
		flags = append(flags, "--security-opt=seccomp=unconfined")
	}
	if c.readOnly {
		flags = append(flags, "--read-only", "--read-only-tmpfs=false")
	}
	if c.hostNetwork {
		flags = append(flags, "--network=host")
	}
	if c.hostPID {
		flags = append(flags, "--pid=host")
	}
	return append(append(flags, image), c.args...), nil
}

// capabilities are those of Docker, containerd and CRI-O for a container that drops nothing.
var capabilities = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
	"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// A bundle is a config.json of the OCI runtime specification.
type bundle struct {
	Version string         `json:"ociVersion"`
	Process process        `json:"process"`
	Root    root           `json:"root"`
	Mounts  []mount        `json:"mounts"`
	Linux   map[string]any `json:"linux"`
}

type process struct {
	User struct {
		UID int64 `json:"uid"`
		GID int64 `json:"gid"`
	} `json:"user"`
	Args         []string            `json:"args"`
	Env          []string            `json:"env"`
	Cwd          string              `json:"cwd"`
	NoNewPrivs   bool                `json:"noNewPrivileges"`
	Capabilities map[string][]string `json:"capabilities"`
}

type root struct {
	Path     string `json:"path"`
	ReadOnly bool   `json:"readonly"`
}

type mount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

type namespace struct {
	Type string `json:"type"`
}

// bundle returns the container as the engine would have runc start it, the image's entrypoint
// being program, but for what belongs
// to the node: cgroups, devices, and the default seccomp profile, which is the engine's.
func (c container) bundle(rootfs, program string) bundle {
	command := []string{program}
	if len(c.command) > 0 {
		command = c.command
	}
	var have []string
	for _, name := range capabilities {
		if !slices.Contains(c.drop, "ALL") && !slices.Contains(c.drop, name) || slices.Contains(c.add, name) {
			have = append(have, "CAP_"+name)
		}
	}
	for _, name := range c.add {
		if !slices.Contains(capabilities, name) {
			have = append(have, "CAP_"+name)
		}
	}
	b := bundle{Version: "1.0.2", Root: root{rootfs, c.readOnly}}
	b.Process = process{
		Args:       append(command, c.args...),
		Env:        []string{"PATH=/bin"},
		Cwd:        "/",
		NoNewPrivs: c.noNewPrivs,
	}
	b.Process.User.UID, b.Process.User.GID = c.uid, c.gid
	b.Process.Capabilities = map[string][]string{"bounding": have}
	if c.permits || c.uid == 0 {
		b.Process.Capabilities["permitted"] = have
		b.Process.Capabilities["effective"] = have
	}
	b.Mounts = []mount{{"/proc", "proc", "proc", nil}}
	spaces := []namespace{{"mount"}, {"ipc"}, {"uts"}}
	if !c.hostNetwork {
		spaces = append(spaces, namespace{"network"})
	}
	if !c.hostPID {
		spaces = append(spaces, namespace{"pid"})
	}
	b.Linux = map[string]any{"namespaces": spaces, "sysctl": c.sysctls}
	return b
}

// ids reads "UID:GID".
func ids(s string) (uid, gid int64, err error) {
	var rest string
	if n, _ := fmt.Sscanf(strings.Replace(s, ":", " ", 1)+" .", "%d %d %s", &uid, &gid, &rest); n != 3 || rest != "." {
		return 0, 0, fmt.Errorf("user %q is not UID:GID", s)
	}
	return uid, gid, nil
}
