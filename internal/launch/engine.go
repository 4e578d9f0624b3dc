package launch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
)

// An Engine is what starts a container, in a version or in any.
type Engine struct {
	Name string
	At   *Version // nil for any version
}

// A Version is the first two numbers of a release.
type Version struct{ Major, Minor int }

func (v Version) before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}

// String returns the form that ParseEngine reads.
func (e Engine) String() string {
	if e.At == nil {
		return e.Name
	}
	return fmt.Sprintf("%s@%d.%d", e.Name, e.At.Major, e.At.Minor)
}

// ParseEngine reads "podman" or "containerd@1.7".
func ParseEngine(s string) (Engine, error) {
	name, version, has := strings.Cut(s, "@")
	e := Engine{Name: name}
	if name != kubernetes && !slices.ContainsFunc(engines, func(k engine) bool { return k.name == name }) {
		return e, fmt.Errorf("no engine %q: want docker, podman, nerdctl, containerd, cri-o or kubernetes", name)
	}
	if !has {
		return e, nil
	}
	major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	first, err := strconv.Atoi(major)
	second := 0
	if err == nil && minor != "" {
		second, err = strconv.Atoi(minor)
	}
	if err != nil || first < 0 || second < 0 {
		return e, fmt.Errorf("engine %q: %q is no version", name, version)
	}
	e.At = &Version{first, second}
	return e, nil
}

// kubernetes stands for whatever engine the node has.
const kubernetes = "kubernetes"

// An engine is what one kind of engine does with every container.
type engine struct {
	name  string
	given caps.Set // the capabilities of a container that asks for none

	// merge returns the capabilities of a container that adds and drops some.
	merge func(given, add, drop caps.Set) (caps.Set, error)

	// permits says that a user who is not root has all of the bounding set permitted until
	// the execve, and effective.
	permits bool

	// ambient says that such a user has what the container adds, as ambient capabilities.
	ambient bool

	// lowers are the versions from which on a network namespace of the container's own has
	// no privileged ports; unsure says that this came in a version that is not known to us.
	lowers *Version
	unsure bool
	gone   bool // nobody maintains the versions before it
}

// common are the capabilities that every engine gives.
var common = caps.SetOf(caps.CHOWN, caps.DAC_OVERRIDE, caps.FSETID, caps.FOWNER, caps.SETGID, caps.SETUID, caps.SETPCAP,
	caps.NET_BIND_SERVICE, caps.KILL)

// dockers are those of Docker (oci/caps/defaults.go of moby) and containerd (defaultUnixCaps
// of pkg/oci/spec.go), and so of nerdctl.
var dockers = common | caps.SetOf(caps.MKNOD, caps.NET_RAW, caps.SETFCAP, caps.SYS_CHROOT, caps.AUDIT_WRITE)

var engines = []engine{
	{
		// In a network namespace of the container's own Docker lowers the threshold to 0
		// (WithCommonOptions of daemon/oci_linux.go, since 20.10), and takes the permitted set
		// from a user who is not root (SetCapabilities of oci/oci.go).
		name: "docker", given: dockers, merge: addWins, lowers: &Version{20, 10}, gone: true,
	},
	{
		// default_capabilities of containers.conf(5); what is added is ambient for a user who is
		// not root (securityConfigureGenerator of pkg/specgen/generate/security_linux.go).
		// The threshold stays the kernel's: default_sysctls names ping_group_range alone.
		name: "podman", given: common | caps.SetOf(caps.SETFCAP, caps.SYS_CHROOT), merge: noContradiction, ambient: true,
	},
	{
		// generateCapOpts of pkg/cmd/container/run_security_linux.go. That it lowers the threshold was
		// proposed in 2025, behind version 2.2.
		name: "nerdctl", given: dockers, merge: dropWins, permits: true, lowers: &Version{2, 3}, unsure: true,
	},
	{
		// WithCapabilities of internal/cri/opts; enable_unprivileged_ports is on since 2.0
		// (DefaultRuntimeConfig of internal/cri/config), and runs through the pod's sandbox.
		name: "containerd", given: dockers, merge: dropWins, permits: true, lowers: &Version{2, 0},
	},
	{
		// default_capabilities of crio.conf(5), setupCapabilities of server/container_create.go. That
		// it lowers the threshold was proposed in 2026, behind version 1.35.
		name: "cri-o", given: common, merge: dropWins, permits: true, lowers: &Version{1, 36}, unsure: true,
	},
}

// addWins is TweakCapabilities of moby: what is added stays, whatever is dropped, but for
// ALL.
func addWins(given, add, drop caps.Set) (caps.Set, error) {
	if add == full {
		return full &^ partOf(drop), nil
	}
	return given&^drop | add, nil
}

// dropWins is what the engines of Kubernetes do: ALL is added and dropped first, then what is
// named is added, and at last dropped.
func dropWins(given, add, drop caps.Set) (caps.Set, error) {
	if add == full {
		given = full
	}
	if drop == full {
		given = 0
	}
	return (given | partOf(add)) &^ partOf(drop), nil
}

// noContradiction is MergeCapabilities of containers/common.
func noContradiction(given, add, drop caps.Set) (caps.Set, error) {
	switch both := partOf(add) & partOf(drop); {
	case add == full && drop == full:
		return 0, fmt.Errorf("podman does not both add and drop all capabilities")
	case both != 0:
		return 0, fmt.Errorf("podman does not both add and drop %s", both)
	case drop == full:
		return add, nil
	}
	if add == full {
		given = full
	}
	return (given | add) &^ drop, nil
}

// partOf returns the set unless it is ALL, which the engines handle apart.
func partOf(set caps.Set) caps.Set {
	if set == full {
		return 0
	}
	return set
}

// Engines returns the engines that a container may be started by: of Kubernetes those that its
// nodes may have, and of one whose version decides over the threshold an earlier and a later
// one. The first is what is most often there.
func (e Engine) Engines() []Engine {
	if e.Name == kubernetes {
		return append(Engine{Name: "containerd"}.Engines(), Engine{Name: "cri-o"}.Engines()...)
	}
	k := e.kind()
	switch {
	case k.lowers == nil, e.At != nil && !(k.unsure && !e.At.before(k.lowers.Major, k.lowers.Minor)):
		return []Engine{e}
	case k.gone:
		return []Engine{{Name: e.Name, At: k.lowers}}
	case k.unsure && e.At != nil: // which of the two it is, is not known
		return []Engine{{Name: e.Name, At: &Version{}}, {Name: e.Name, At: e.At}}
	}
	return []Engine{{Name: e.Name, At: k.lowers}, {Name: e.Name, At: &Version{}}}
}

func (e Engine) kind() engine {
	i := slices.IndexFunc(engines, func(k engine) bool { return k.name == e.Name })
	return engines[max(i, 0)]
}

// opens reports whether the engine makes every port of a new network namespace unprivileged.
func (e Engine) opens() bool {
	k := e.kind()
	return k.lowers != nil && !(e.At != nil && e.At.before(k.lowers.Major, k.lowers.Minor))
}

// orchestrated reports whether Kubernetes starts the containers of the engine.
func (e Engine) orchestrated() bool {
	return e.Name == kubernetes || e.Name == "containerd" || e.Name == "cri-o"
}

// Which says which versions of the engine an engine of Engines stands for.
func (e Engine) Which() string {
	k := e.kind()
	switch {
	case k.lowers == nil:
		return e.Name
	case k.unsure && e.opens():
		return "a later " + e.Name
	case k.unsure:
		return fmt.Sprintf("%s before %d.%d", e.Name, k.lowers.Major, k.lowers.Minor)
	case e.opens():
		return fmt.Sprintf("%s from %d.%d on", e.Name, k.lowers.Major, k.lowers.Minor)
	}
	return fmt.Sprintf("%s before %d.%d", e.Name, k.lowers.Major, k.lowers.Minor)
}
