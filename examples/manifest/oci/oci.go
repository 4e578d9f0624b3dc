// Package oci writes what an engine asks its runtime for: the config.json of a bundle, by
// the rules that predict how the program in it will fare.
package oci

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/launch"
)

// A Bundle is a config.json of the OCI runtime specification.
type Bundle struct {
	Version string         `json:"ociVersion"`
	Process Process        `json:"process"`
	Root    Root           `json:"root"`
	Mounts  []Mount        `json:"mounts"`
	Linux   map[string]any `json:"linux"`
}

// A Process is what is executed, and as whom.
type Process struct {
	User         User                `json:"user"`
	Args         []string            `json:"args"`
	Env          []string            `json:"env"`
	Cwd          string              `json:"cwd"`
	NoNewPrivs   bool                `json:"noNewPrivileges"`
	Capabilities map[string][]string `json:"capabilities"`
}

// A User has the numbers of one.
type User struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"additionalGids,omitempty"`
}

// A Root is the root of the container.
type Root struct {
	Path     string `json:"path"`
	ReadOnly bool   `json:"readonly"`
}

// A Mount is a file system in it.
type Mount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

// A Host is what the bundle takes from where it runs.
type Host struct {
	Rootfs   string
	ReadOnly bool
	HostPID  bool
	Users    launch.Database // of the rootfs
}

// Make returns the bundle of a container, but for what belongs to the machine: cgroups,
// devices, and the default seccomp profile, which is the engine's. Of an engine in any version it
// is that of the first of its kinds.
func Make(c preflight.Container, h Host) (Bundle, error) {
	engine, err := launch.ParseEngine(c.Engine)
	if err != nil {
		return Bundle{}, err
	}
	name, group, _ := strings.Cut(c.User, ":")
	who, err := h.Users.Account(name, group)
	if err != nil {
		return Bundle{}, err
	}
	start := launch.Container{
		Engine: engine.Engines()[0], Rootless: c.Rootless, Add: c.AddCaps, Drop: c.DropCaps, NoNewPrivs: c.NoNewPrivs,
		Privileged: c.Privileged, Sysctls: c.Sysctls, Network: c.Network, UserNS: c.UserNS,
		NamedRoot: slices.Contains([]string{"", "root", "0"}, name),
	}
	if err := start.Check(); err != nil {
		return Bundle{}, err
	}
	b := Bundle{Version: "1.0.2", Root: Root{h.Rootfs, h.ReadOnly}}
	if b.Process, err = process(c, start, who); err != nil {
		return b, err
	}
	b.Linux = linux(c, start, h)
	b.Mounts = []Mount{{"/proc", "proc", "proc", nil}}
	if c.UserNS { // which may mount no proc where parts of ours are hidden
		b.Mounts = []Mount{{"/proc", "bind", "/proc", []string{"rbind"}}, {"/dev", "tmpfs", "tmpfs", []string{"mode=755"}}}
	}
	return b, nil
}

func process(c preflight.Container, start launch.Container, who facts.Account) (Process, error) {
	s, err := start.State(who)
	p := Process{
		User: User{UID: who.UID, GID: who.GID, Groups: who.Groups}, Args: c.Entrypoint, Env: c.Env,
		Cwd: path.Join("/", c.Dir), NoNewPrivs: c.NoNewPrivs,
		Capabilities: map[string][]string{
			"bounding": s.Bounding.OCI(), "permitted": s.Permitted.OCI(), "effective": s.Effective.OCI(),
			"inheritable": s.Inheritable.OCI(), "ambient": s.Ambient.OCI(),
		},
	}
	maps.DeleteFunc(p.Capabilities, func(_ string, set []string) bool { return len(set) == 0 })
	switch { // by which the program knows where it is
	case start.Engine.Name == "podman":
		p.Env = append(slices.Clone(p.Env), "container=podman")
	case start.Engine.Name != "docker" && start.Engine.Name != "nerdctl":
		p.Env = append(slices.Clone(p.Env), "KUBERNETES_SERVICE_HOST=10.0.0.1")
	}
	if !slices.ContainsFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, "PATH=") }) {
		p.Env = append(slices.Clone(p.Env), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	return p, err
}

func linux(c preflight.Container, start launch.Container, h Host) map[string]any {
	type space struct {
		Type string `json:"type"`
	}
	spaces := []space{{"mount"}, {"ipc"}, {"uts"}}
	sysctls := map[string]string{}
	for name, value := range c.Sysctls {
		sysctls[name] = value
	}
	if c.Network != "host" {
		spaces = append(spaces, space{"network"})
		sysctls["net.ipv4.ip_unprivileged_port_start"] = strconv.Itoa(start.PortStart())
	}
	if !h.HostPID && !c.UserNS {
		spaces = append(spaces, space{"pid"})
	}
	l := map[string]any{"sysctl": sysctls}
	if c.UserNS {
		spaces = append(spaces, space{"user"})
		type mapping struct {
			Inside  uint32 `json:"containerID"`
			Outside uint32 `json:"hostID"`
			Size    uint32 `json:"size"`
		}
		ids := []mapping{{0, 100000, 65536}}
		l["uidMappings"], l["gidMappings"] = ids, ids
	}
	if len(c.Seccomp) > 0 && !c.Unconfined { // in the form of the specification, without conditions
		l["seccomp"] = json.RawMessage(c.Seccomp)
	}
	l["namespaces"] = spaces
	return l
}
