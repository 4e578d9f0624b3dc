package guardtest

import _ "embed"

// Machines on which :443 was bound, or refused.
var (
	// Root is root's shell.
	//go:embed testdata/root.txtar
	Root Machine

	// OrdinaryUser is an ordinary user's shell: nobody granted anything.
	//go:embed testdata/ordinary-user.txtar
	OrdinaryUser Machine

	// FileCapability is a program with cap_net_bind_service=p, started by a user.
	//go:embed testdata/file-capability.txtar
	FileCapability Machine

	// NosuidMount is such a program on a mount with nosuid.
	//go:embed testdata/nosuid-mount.txtar
	NosuidMount Machine

	// NoNewPrivs is such a program, started with no_new_privs.
	//go:embed testdata/no-new-privs.txtar
	NoNewPrivs Machine

	// UserNamespace is root of a user namespace on the network of its parent, as
	// in a rootless container with the host's network.
	//go:embed testdata/user-namespace.txtar
	UserNamespace Machine

	// PortInUse is root's shell where another program listens on port 443.
	//go:embed testdata/port-in-use.txtar
	PortInUse Machine

	// SystemdAmbient is a unit with AmbientCapabilities=CAP_NET_BIND_SERVICE.
	//go:embed testdata/systemd-ambient.txtar
	SystemdAmbient Machine

	// SystemdBounding is a unit with CapabilityBoundingSet=CAP_NET_BIND_SERVICE,
	// which limits and grants nothing.
	//go:embed testdata/systemd-bounding.txtar
	SystemdBounding Machine

	// PodmanNonRoot is a podman container whose user is not root.
	//go:embed testdata/podman-non-root.txtar
	PodmanNonRoot Machine

	// DockerNonRoot is a container as Docker makes it for a user other than root,
	// before Docker 20.10 or on the host's network.
	//go:embed testdata/docker-non-root.txtar
	DockerNonRoot Machine

	// KubernetesRestricted is a pod under the restricted Pod Security Standard.
	//go:embed testdata/kubernetes-restricted.txtar
	KubernetesRestricted Machine
)
