package launch

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// An engine is named with up to two numbers of its version, as `docker version` prints it.
func TestParseEngine(t *testing.T) {
	for text, want := range map[string]string{
		"podman": "podman", "kubernetes": "kubernetes", "docker@20.10": "docker@20.10", "containerd@v1.7.3": "containerd@1.7", "docker@24": "docker@24.0",
		"nerdctl@0.9": "nerdctl@0.9", "containerd@2.0": "containerd@2.0",
		"lxc": "error", "docker@": "error", "docker@x.1": "error", "docker@1.x": "error", "docker@-1.2": "error", "docker@1.-2": "error",
	} {
		e, err := ParseEngine(text)
		got := e.String()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// Which engines a name stands for, and which of them make every port unprivileged.
func TestEngines(t *testing.T) {
	for _, tt := range []struct{ name, stands, opens string }{
		{"docker", "docker@20.10", "yes"},
		{"docker@19.3", "docker@19.3", "no"},
		{"docker@20.9", "docker@20.9", "no"},
		{"docker@20.11", "docker@20.11", "yes"},
		{"docker@21.0", "docker@21.0", "yes"},
		{"podman", "podman", "no"},
		{"containerd", "containerd@2.0 containerd@0.0", "yes no"},
		{"containerd@1.7", "containerd@1.7", "no"},
		{"containerd@2.1", "containerd@2.1", "yes"},
		{"nerdctl", "nerdctl@2.3 nerdctl@0.0", "yes no"},
		{"nerdctl@2.2", "nerdctl@2.2", "no"},
		{"nerdctl@2.3", "nerdctl@0.0 nerdctl@2.3", "no yes"},
		{"kubernetes", "containerd@2.0 containerd@0.0 cri-o@1.36 cri-o@0.0", "yes no yes no"},
	} {
		e, err := ParseEngine(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		var stands, opens []string
		for _, one := range e.Engines() {
			stands, opens = append(stands, one.String()), append(opens, map[bool]string{true: "yes", false: "no"}[one.opens()])
		}
		if got, open := strings.Join(stands, " "), strings.Join(opens, " "); got != tt.stands || open != tt.opens {
			t.Errorf("%s stands for %s, which open the ports: %s; want %s, %s", tt.name, got, open, tt.stands, tt.opens)
		}
	}
	for name, want := range map[string]string{"podman": "podman", "docker@20.10": "docker from 20.10 on", "docker@19.3": "docker before 20.10", "nerdctl@2.3": "a later nerdctl", "nerdctl@2.2": "nerdctl before 2.3"} {
		if e, _ := ParseEngine(name); e.Which() != want {
			t.Errorf("%s: %q, want %q", name, e.Which(), want)
		}
	}
}

// What is added and dropped, as each engine's own code merges it: ALL and one name, both ways.
func TestContainerCapabilities(t *testing.T) {
	chown, admin := caps.SetOf(caps.CHOWN), caps.SetOf(caps.SYS_ADMIN)
	const fails = caps.Set(1) << 63
	for _, tt := range []struct {
		add, drop                  string
		docker, podman, containerd caps.Set
	}{
		{"", "", dockers, common | caps.SetOf(caps.SETFCAP, caps.SYS_CHROOT), dockers},
		{"SYS_ADMIN", "", dockers | admin, common | caps.SetOf(caps.SETFCAP, caps.SYS_CHROOT) | admin, dockers | admin},
		{"", "CHOWN", dockers &^ chown, (common | caps.SetOf(caps.SETFCAP, caps.SYS_CHROOT)) &^ chown, dockers &^ chown},
		{"CHOWN", "CHOWN", dockers, fails, dockers &^ chown},
		{"", "ALL", 0, 0, 0},
		{"CHOWN", "ALL", chown, chown, chown},
		{"ALL", "", full, full, full},
		{"ALL", "CHOWN", full &^ chown, full &^ chown, full &^ chown},
		{"ALL", "ALL", full, fails, 0},
		{"NONSENSE", "", fails, fails, fails},
		{"", "NONSENSE", fails, fails, fails},
	} {
		for name, want := range map[string]caps.Set{"docker": tt.docker, "podman": tt.podman, "containerd": tt.containerd} {
			c := Container{Engine: Engine{Name: name}, Add: strings.Fields(tt.add), Drop: strings.Fields(tt.drop)}
			got, err := c.Bounding()
			if err != nil {
				got = fails
			}
			if got != want || (c.Check() != nil) != (want == fails) {
				t.Errorf("%s adds %q and drops %q: %v, %v; want %v", name, tt.add, tt.drop, got, err, want)
			}
		}
	}
	for name, want := range map[string]caps.Set{"docker": full &^ chown, "podman": full, "containerd": full} {
		if got, err := (Container{Engine: Engine{Name: name}, Privileged: true, Drop: []string{"CHOWN"}}).Bounding(); err != nil || got != want {
			t.Errorf("%s, privileged without CHOWN: %v, %v; want %v", name, got, err, want)
		}
	}
	for _, tt := range []struct {
		name      string
		uid       uint32
		permitted bool
	}{{"docker", 0, true}, {"docker", 33, false}, {"containerd", 33, true}} {
		if s, err := (Container{Engine: Engine{Name: tt.name}}).State(facts.Account{UID: tt.uid}); err != nil || (s.Permitted != 0) != tt.permitted || s.Bounding != dockers {
			t.Errorf("%s executes as %d with %+v, %v", tt.name, tt.uid, s, err)
		}
	}
}

// What an engine does not start.
func TestContainerCheck(t *testing.T) {
	docker, pod := Engine{Name: "docker"}, Engine{Name: kubernetes}
	sets := func(name, value string) map[string]string { return map[string]string{name: value} }
	for _, tt := range []struct {
		name   string
		c      Container
		starts bool
	}{
		{"the highest threshold", Container{Engine: docker, Sysctls: sets(portStart, "32768")}, true},
		{"one higher", Container{Engine: docker, Sysctls: sets(portStart, "32769")}, false},
		{"no number", Container{Engine: docker, Sysctls: sets(portStart, "x")}, false},
		{"another setting", Container{Engine: docker, Sysctls: sets("net.core.somaxconn", "x")}, true},
		{"of the host's network", Container{Engine: docker, Network: "host", Sysctls: sets("net.core.somaxconn", "1")}, false},
		{"of the node's network", Container{Engine: pod, Network: "host", Sysctls: sets(portStart, "1")}, false},
		{"of another's network", Container{Engine: docker, Network: "container:db", Sysctls: sets(portStart, "1")}, true},
		{"one that is not of the network", Container{Engine: docker, Network: "host", Sysctls: sets("kernel.msgmax", "1")}, true},
		{"a privileged pod that gains nothing", Container{Engine: pod, Privileged: true, NoNewPrivs: true}, false},
		{"a pod with SYS_ADMIN that gains nothing", Container{Engine: pod, Add: []string{"SYS_ADMIN"}, NoNewPrivs: true}, false},
		{"a pod that gains nothing", Container{Engine: pod, NoNewPrivs: true}, true},
		{"a privileged container that gains nothing", Container{Engine: docker, Privileged: true, NoNewPrivs: true}, true},
	} {
		_, err := tt.c.Start(facts.Image{}, "/app", nil, facts.Account{})
		if (tt.c.Check() == nil) != tt.starts || (err == nil) != tt.starts {
			t.Errorf("%s: %v, %v", tt.name, tt.c.Check(), err)
		}
	}
}

// The threshold and the owner of the network namespace: the container's own, the host's or
// another container's.
func TestContainerNetwork(t *testing.T) {
	docker, podman := Engine{Name: "docker"}, Engine{Name: "podman"}
	told := map[string]string{portStart: "80"}
	const unknown = -1
	for _, tt := range []struct {
		name  string
		c     Container
		start int
		from  string // where the threshold comes from
		owner facts.Owner
		apart bool
	}{
		{"its own", Container{Engine: docker}, 0, "docker", facts.OwnerHere, true},
		{"its own of podman", Container{Engine: podman}, 1024, "kernel", facts.OwnerHere, true},
		{"its own, as told", Container{Engine: docker, Sysctls: told}, 80, "sysctls", facts.OwnerHere, true},
		{"its own without root", Container{Engine: podman, Rootless: true}, 1024, "kernel", facts.OwnerHere, true},
		{"the host's", Container{Engine: docker, Network: "host"}, 1024, "host", facts.OwnerHere, false},
		{"the host's without root", Container{Engine: podman, Network: "host", Rootless: true}, 1024, "host", facts.OwnerOutside, false},
		{"the host's of rootless Docker, which has one for all", Container{Engine: docker, Network: "host", Rootless: true}, 1024, "host", facts.OwnerHere, false},
		{"the host's from a user namespace", Container{Engine: docker, Network: "host", UserNS: true}, 1024, "host", facts.OwnerOutside, false},
		{"another's", Container{Engine: docker, Network: "container:db"}, unknown, "", facts.OwnerHere, true},
		{"another's, as told", Container{Engine: docker, Network: "container:db", Sysctls: told}, 80, "sysctls", facts.OwnerHere, true},
		{"another's from a user namespace", Container{Engine: docker, Network: "container:db", UserNS: true}, unknown, "", 0, true},
		{"another's without root", Container{Engine: podman, Network: "container:db", Rootless: true}, unknown, "", 0, true},
	} {
		n := tt.c.network()
		start, known := n.PortStart.Is()
		if !known {
			start = unknown
		}
		if start != tt.start || !strings.Contains(n.PortStart.Source, tt.from) || n.Owner.Value != tt.owner || n.Apart.Value != tt.apart {
			t.Errorf("%s: from %d (%s), owner %+v, apart %v", tt.name, start, n.PortStart.Source, n.Owner, n.Apart.Value)
		}
	}
}

// A file that others may write, or that changes ids, had better have no capabilities.
func TestContainerDanger(t *testing.T) {
	for mode, want := range map[uint32]caps.Danger{0o755: 0, 0o775: caps.WritableFile, 0o757: caps.WritableFile, 0o4755: caps.SetID, 0o4777: caps.SetID | caps.WritableFile} {
		if got := danger(facts.Image{Stat: known(facts.Stat{Mode: mode})}); got != want {
			t.Errorf("%o: %v, want %v", mode, got, want)
		}
	}
}
