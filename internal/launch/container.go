package launch

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// A Container is what an engine is asked to start.
type Container struct {
	Engine     Engine
	Rootless   bool // the engine runs in a user namespace of a user who is not root
	Add, Drop  []string
	NoNewPrivs bool
	Privileged bool
	Sysctls    map[string]string
	Network    string // "" for one of its own, "host", or the name of whose it shares
	UserNS     bool   // it has a user namespace of its own
	Unconfined bool   // no seccomp filter
	ReadOnly   bool   // its root is mounted read-only

	Seccomp *Profile // its filter, nil for the engine's own, the zero Profile for one that is not known

	// NamedRoot says that the user is root by its name or by the number 0, and not by what an
	// image's passwd makes of another name.
	NamedRoot bool
}

// portStart is the setting of the threshold (ip-sysctl in the kernel's documentation).
const portStart = "net.ipv4.ip_unprivileged_port_start"

// Check returns why the engine, or the runtime it calls, does not start the container.
func (c Container) Check() error {
	if _, err := c.Bounding(); err != nil {
		return err
	}
	orchestrated := c.Engine.orchestrated()
	for _, name := range slices.Sorted(maps.Keys(c.Sysctls)) {
		if c.Network == "host" && strings.HasPrefix(name, "net.") {
			if orchestrated { // validateSysctls of the API server
				return fmt.Errorf("a pod on its node's network may not set %s", name)
			}
			return fmt.Errorf("%s does not set %s on the host's network", c.Engine.Name, name)
		}
		if name != portStart {
			continue
		}
		// proc_ipv4_privileged_ports: not beyond the ports that connections get, from 32768 on.
		if n, err := strconv.ParseUint(c.Sysctls[name], 10, 16); err != nil || n > 32768 {
			return fmt.Errorf("the kernel does not take %q for %s", c.Sysctls[name], name)
		}
	}
	bounding, _ := c.Bounding()
	if c.NoNewPrivs && orchestrated && (c.Privileged || bounding.Has(caps.SYS_ADMIN)) { // ValidateSecurityContext
		return errors.New("a pod may not have allowPrivilegeEscalation: false beside privileged or CAP_SYS_ADMIN")
	}
	return nil
}

// Bounding is the bounding set that the engine asks for.
func (c Container) Bounding() (caps.Set, error) {
	add, err := caps.ParseNames(c.Add)
	if err != nil {
		return 0, err
	}
	drop, err := caps.ParseNames(c.Drop)
	if err != nil {
		return 0, err
	}
	k := c.Engine.kind()
	if c.Privileged && (k.ambient || k.permits) {
		return full, nil
	}
	if c.Privileged { // moby's WithCapabilities: what is dropped is dropped
		return full &^ partOf(drop), nil
	}
	return k.merge(k.given, add, drop)
}

// State is what the runtime has set up at the moment when it executes the entrypoint.
func (c Container) State(who facts.Account) (caps.State, error) {
	bounding, err := c.Bounding()
	s := caps.State{Bounding: bounding, NoNewPrivs: c.NoNewPrivs}
	k := c.Engine.kind()
	switch {
	case k.ambient && !c.NamedRoot:
		add, _ := caps.ParseNames(c.Add)
		add &= bounding
		s.Permitted, s.Effective, s.Inheritable, s.Ambient = add, add, add, add
	case who.UID == 0, k.permits, k.ambient:
		s.Permitted, s.Effective = bounding, bounding
	}
	return s, err
}

// Start returns the facts of a container in which the runtime is about to execute the program of
// an image: nothing of this machine is in them. The error says that the engine starts nothing.
func (c Container) Start(image facts.Image, path string, argv []string, who facts.Account) (facts.Facts, error) {
	if err := c.Check(); err != nil {
		return facts.Facts{}, err
	}
	s, err := c.State(who)
	f := facts.Facts{
		Proc: facts.Proc{
			PID: is(1, "the entrypoint"), Parent: is(0, "the entrypoint"), TracerPid: is(0, "the entrypoint"),
			Seccomp: is(c.seccomp(), "the container"),
		},
		Kernel: facts.Kernel{
			Release: facts.Fact[facts.Release]{Source: "uname", Reason: "the machine is not known"},
			LastCap: is(caps.Last, "the kernels since 5.9"),
			NoFile:  is(false, "the kernels of engines"), WSL: is(false, "the container"),
		},
		Launcher: c.launcher(),
		File: facts.File{
			Path: is(path, "the image"), Installed: image, Exe: image, Danger: is(danger(image), "the image"), Owners: none[[]uint32](),
			Deleted: is(false, "the image"), ChangedSince: is(false, "the image"), MountPoint: is("/", "the image"),
			IdmappedThere: is(false, "the engine"), ReadOnlyThere: is(c.ReadOnly, "the container"),
		},
		Net:     c.network(),
		Policy:  facts.Policy{Probes: is(c.probes(), c.policy()), Enforcing: none[bool](), Label: none[string]()},
		Command: facts.Command{Args: is(argv, "the container"), Package: none[string](), Loader: none[facts.Loader]()},
	}
	f.Launch.Starter, f.Launch.Listen = is(s, c.Engine.Name), c.listens()
	return as(f, who), err
}

// seccomp is the mode of seccomp(2).
func (c Container) seccomp() int {
	if c.Unconfined || c.Privileged && c.filter() == nil {
		return 0
	}
	return 2
}

// policy names whose rules answer the probes.
func (c Container) policy() string {
	if c.filter() != nil {
		return "the container's seccomp profile"
	}
	return "the engine's own policies"
}

// unrefused is what the profiles of the engines answer: they refuse no bind.
var unrefused = []facts.Probe{{Network: "tcp4"}, {Network: "tcp6"}, {Network: "udp4"}, {Network: "udp6"}}

func is[T any](v T, source string) facts.Fact[T] {
	return facts.Fact[T]{Value: v, State: facts.Known, Source: source}
}

func none[T any]() facts.Fact[T] { return facts.Fact[T]{State: facts.Absent, Source: "the container"} }

// danger is why the file had better not have capabilities, by its mode.
func danger(image facts.Image) (d caps.Danger) {
	if image.Stat.Value.Mode&0o022 != 0 {
		d |= caps.WritableFile
	}
	if image.Stat.Value.Setid() {
		d |= caps.SetID
	}
	return d
}

// launcher is what is around the entrypoint: it is process 1, and nobody else is seen.
func (c Container) launcher() facts.Launcher {
	kind := c.Engine.Name
	if c.Engine.orchestrated() {
		kind = kubernetes
	}
	return facts.Launcher{
		Ancestor: none[facts.Ancestor](), Parent: none[facts.Ancestor](), Line: none[[]facts.Forebear](),
		Supervisor: none[facts.Supervisor](), Tracer: none[caps.State](), SharesFS: is(false, "the container"),
		Operator: none[facts.Operator](), Unit: none[facts.Unit](), UnitFilters: none[[]string](), LastDropIn: none[string](),
		Stopped: none[[]facts.SocketUnit](), UserNamed: is(false, "the container"), Authbind: is(false, "the container"),
		Container: is(kind, c.Engine.Name),
	}
}

// network is the network namespace, and who owns it.
func (c Container) network() facts.Net {
	n := facts.Net{
		UIDMap: is(facts.WholeMap, "no user namespace"), UserNS: is(facts.InitialUserNS, "no user namespace"),
		NS:    facts.Fact[string]{Source: c.Engine.Name, Reason: "it is not there yet"},
		Owner: is(facts.OwnerHere, "the container's own network namespace"),
		Apart: is(true, "the container"), Name: none[string](),
		Sockets: is([]facts.Socket(nil), "a new network namespace"), AllBound: is(true, "a new network namespace"),
		Addresses: facts.Fact[[]netip.Addr]{Source: "the container", Reason: "the network is not there yet"},
		Tentative: is([]netip.Addr(nil), "the container"),
		Nonlocal:  is(false, "the kernel's default"), Nonlocal6: is(false, "the kernel's default"), NoLoop6: is(false, "the kernel's default"),
		PortStart: is(c.PortStart(), c.startSource()),
	}
	n.GIDMap = n.UIDMap
	if c.UserNS || c.Rootless {
		n.UIDMap = is("0 100000 65536", "the container's user namespace")
		n.GIDMap = n.UIDMap
		n.UserNS = facts.Fact[string]{Source: "the container's user namespace", Reason: "it is not there yet"}
	}
	switch {
	case c.Network == "":
	case c.Network == "host":
		n.Apart = is(false, "the host's network")
		if c.UserNS || c.Rootless && c.Engine.Name != "docker" { // rootless Docker has a network of its own for all
			n.Owner = is(facts.OwnerOutside, "the host's network")
		}
		n.Sockets.Source, n.AllBound.Source = "assumed to be free", "assumed to be free"
	default:
		if _, says := c.Sysctls[portStart]; !says {
			n.PortStart = facts.Fact[int]{Source: "the network of " + c.Network, Reason: "another container's"}
		}
		if c.UserNS || c.Rootless {
			n.Owner = facts.Fact[facts.Owner]{Source: "the network of " + c.Network, Reason: "another container's"}
		}
	}
	return n
}

// PortStart is the threshold of a network of its own: what is asked for, what the engine sets, or the kernel's own.
func (c Container) PortStart() int {
	if v, ok := c.Sysctls[portStart]; ok {
		n, _ := strconv.Atoi(v) // Check has read it
		return n
	}
	if c.Opened() {
		return 0
	}
	return 1024
}

// Opened reports whether it is the engine alone that makes the ports unprivileged.
func (c Container) Opened() bool {
	_, says := c.Sysctls[portStart]
	return !says && c.Network == "" && c.Engine.opens()
}

func (c Container) startSource() string {
	switch {
	case c.Sysctls[portStart] != "":
		return "the container's sysctls"
	case c.Opened():
		return "the default of " + c.Engine.Which()
	case c.Network == "host":
		return "the kernel's default, taken to be the host's"
	}
	return "the kernel's default"
}
