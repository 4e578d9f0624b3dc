package dice

import "strings"

// Knobs are all knobs. What each value does stands in plan.go.
var Knobs = []Knob{
	{Name: "by", Values: words("shell unit container"), Question: true},
	{Name: "ask", Values: words("bind several require require2"), Question: true},
	{Name: "proto", Values: words("tcp udp"), Question: true},
	{Name: "family", Values: words("both 4 6"), Question: true},
	{Name: "port", Values: words("443 8443"), Question: true},

	// The program's file.
	{Name: "file", Values: words("granted none p ep i ei more other other-e partial empty foreign own setgid setuid")},
	{Name: "mount", Values: words("plain nosuid ramfs read-only overlay foreign private idmapped")},
	{Name: "name", Values: words("plain space quote dollar equals backslash tilde")},

	// Its starter, from outside to inside.
	{Name: "place", Values: words("machine nested nested-net nested-pid netns chroot hidepid subset")},
	{Name: "tracer", Values: words("none user root late")},
	{Name: "launcher", Values: words("none unshare-n unshare-m unshare-p netns chroot no-proc host-net")},
	{Name: "bounding", Values: words("full without only empty")},
	{Name: "securebits", Values: words("none noroot no-fixup")},
	{Name: "landlock", Values: words("none tcp port")},
	{Name: "seccomp", Values: words("none bind:EPERM bind:EACCES bind:ENOSYS bind:EADDRNOTAVAIL socket:EPERM socket:EACCES inet-socket:EAFNOSUPPORT inet-socket:EPROTONOSUPPORT listen:EPERM listen:EACCES capset:EPERM capget:EPERM")},
	{Name: "grant", Values: words("none ambient inheritable")},
	{Name: "user", Values: words("app root nameless dynamic")},
	{Name: "change", Values: words("setpriv su sudo runuser")},
	{Name: "shell", Values: words("none sh")},
	{Name: "userns", Values: words("none foreign own nested current range")},
	{Name: "nnp", Values: words("none same later")},
	{Name: "folders", Values: words("own shared")},
	{Name: "wrapper", Values: words("none env sh-exec sh-child taskset nice script tini dumb-init")},

	// The unit.
	{Name: "sandbox", Values: words("none " + sandboxes)},
	{Name: "sandbox2", Values: words("none " + sandboxes)},
	{Name: "prefix", Values: words("none plus bang bangs dash colon")},
	{Name: "socket", Values: words("none any stopped stopped4 any4 lo4 port accept")},
	{Name: "fault", Values: words("none environment environment? directory directory? credential pre pre? pre+setcap affinity condition input group template")},

	// The container.
	{Name: "engine", Values: words("docker podman kubernetes unknown")},

	// The machine.
	{Name: "bpf", Values: words("none bind create after")},
	{Name: "threshold", Values: words("default lowered port raised")},
	{Name: "address", Values: words("any any4 any6 lo4 lo6 localhost lo2 absent4 absent6 off6 tentative zone")},
	{Name: "holder", Values: words("none other same root any4 lo4 reuseport bound bound-alone mptcp dual time-wait served served-wait several passed kernel")},

	// The program.
	{Name: "mptcp", Values: words("on off")},
	{Name: "control", Values: words("none transparent mark reuseport file")},
	{Name: "before", Values: words("nothing capset thread drop user")},
}

// sandboxes are the directives that limit a service: unit.go has them.
const sandboxes = "protect-system private-tmp private-devices clock modules kernel-logs suid personality memory realtime namespaces " +
	"native hostname cgroups invisible pid-subset home service-calls no-resources no-privileged inet4 inet nosuid"

func words(list string) []string { return strings.Fields(list) }
