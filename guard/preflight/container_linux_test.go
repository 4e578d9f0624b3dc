package preflight

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
)

// imageOf is an image with this test as /server, which has these capabilities, and with a
// user www.
func imageOf(t *testing.T, file string) fstest.MapFS {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	a := &Attributes{}
	if file != "" {
		f, err := caps.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if a.Capability, err = f.AppendBinary(nil); err != nil {
			t.Fatal(err)
		}
	}
	image := fstest.MapFS{
		"server":     {Data: self, Mode: 0o755, Sys: a},
		"bin/link":   {Data: []byte("/server"), Mode: fs.ModeSymlink | 0o777, Sys: &Attributes{}},
		"bin":        {Mode: fs.ModeDir | 0o755, Sys: &Attributes{}},
		"run.sh":     {Data: []byte("#!/bin/sh\nexec /server\n"), Mode: 0o755, Sys: &Attributes{}},
		"etc/passwd": {Data: []byte("root:x:0:0::/:/bin/sh\nwww:x:33:33::/:\n")},
		"etc/group":  {Data: []byte("root:x:0:\nwww:x:33:\n")},
	}
	e, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, p := range e.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz-1)
			if _, err := p.ReadAt(b, 0); err != nil {
				t.Fatal(err)
			}
			image[strings.TrimPrefix(string(b), "/")] = &fstest.MapFile{Mode: 0o755, Sys: &Attributes{}}
		}
	}
	return image
}

const denyBind = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bind"],"action":"SCMP_ACT_ERRNO"}]}`

// What the engines give, to root and to others: the cause is that of the report, "" for a bind
// that is allowed, "untold" where it cannot be told.
func TestContainer(t *testing.T) {
	for _, c := range []struct {
		name string
		file string // capabilities of the program
		how  Container
		want string
	}{
		{"docker lowers the threshold", "", Container{Engine: "docker", User: "33"}, ""},
		{"an old one does not", "", Container{Engine: "docker@19.3", User: "33"}, "bounding-only"},
		{"nor on the host's network", "", Container{Engine: "docker", User: "33", Network: "host"}, "bounding-only"},
		{"root has the capability", "", Container{Engine: "podman"}, ""},
		{"but not where it is dropped", "", Container{Engine: "podman", DropCaps: []string{"ALL"}}, "bounding-excludes"},
		{"podman leaves the threshold", "", Container{Engine: "podman", User: "www"}, "bounding-only"},
		{"unless it is told", "", Container{Engine: "podman", User: "www", Sysctls: map[string]string{"net.ipv4.ip_unprivileged_port_start": "80"}}, ""},
		{"too high", "", Container{Engine: "podman", User: "www", Sysctls: map[string]string{"net.ipv4.ip_unprivileged_port_start": "81"}}, "bounding-only"},
		{"podman's ambient capability", "", Container{Engine: "podman", User: "www", AddCaps: []string{"net_bind_service"}}, ""},
		{"docker has none", "", Container{Engine: "docker", User: "www", AddCaps: []string{"NET_BIND_SERVICE"}, Network: "host"}, "bounding-only"},
		{"a file gives it", "cap_net_bind_service=ep", Container{Engine: "docker", User: "www", Network: "host"}, ""},
		{"not with no_new_privs", "cap_net_bind_service=ep", Container{Engine: "docker", User: "www", Network: "host", NoNewPrivs: true}, "no-new-privs"},
		{"which Kubernetes passes", "cap_net_bind_service=ep", Container{Engine: "containerd@1.7", User: "www", NoNewPrivs: true}, ""},
		{"but not over a drop", "cap_net_bind_service=ep", Container{Engine: "containerd@1.7", User: "www", DropCaps: []string{"ALL"}}, "exec-refused"},
		{"containerd 1", "", Container{Engine: "containerd@1.7", User: "www"}, "bounding-only"},
		{"containerd 2", "", Container{Engine: "containerd@2.1", User: "www"}, ""},
		{"whatever a node has", "", Container{Engine: "kubernetes", User: "www"}, "untold"},
		{"which does not matter", "", Container{Engine: "kubernetes"}, ""},
		{"an image that is not there", "-", Container{Engine: "containerd@1.7", User: "33"}, "untold"},
		{"and does not matter", "-", Container{Engine: "containerd@1.7", User: "33", DropCaps: []string{"ALL"}}, "bounding-excludes"},
		{"nor who it is", "-", Container{Engine: "docker", AnyUser: true}, ""},
		{"but here", "", Container{Engine: "podman", AnyUser: true}, "untold"},
		{"the host's network is not ours", "", Container{Engine: "podman", Rootless: true, Network: "host"}, "foreign-user-namespace"},
		{"one's own is", "", Container{Engine: "podman", Rootless: true}, ""},
		{"another's", "", Container{Engine: "podman", User: "www", Network: "container:db"}, "untold"},
		{"a user by name, whose image is not there", "-", Container{Engine: "podman", User: "www"}, "untold"},
		{"and who does not matter", "-", Container{Engine: "podman", User: "www", AddCaps: []string{"NET_BIND_SERVICE"}}, ""},
		{"an init whose image is not there", "-", Container{Engine: "podman", User: "33", AddCaps: []string{"NET_BIND_SERVICE"}, Entrypoint: []string{"tini", "--", "/server"}}, ""},
		{"another", "-", Container{Engine: "podman", User: "33", DropCaps: []string{"ALL"}, Entrypoint: []string{"/usr/bin/dumb-init", "/server"}}, "bounding-excludes"},
		{"one that changes the user", "-", Container{Engine: "podman", Entrypoint: []string{"gosu", "33", "/server"}, Program: &Attributes{}}, "bounding-only"},
		{"to one that is not known", "-", Container{Engine: "podman", Entrypoint: []string{"su-exec", "www", "/server"}, Program: &Attributes{}}, "untold"},
		{"to root", "-", Container{Engine: "podman", Entrypoint: []string{"su-exec", "0", "/server"}}, ""},
		{"without the right to", "-", Container{Engine: "podman", User: "33", Entrypoint: []string{"gosu", "34", "/server"}}, "error"},
		{"a line of a shell", "-", Container{Engine: "podman", Entrypoint: []string{"sh", "-c", "exec /server"}}, ""},
		{"before which Kubernetes' permitted set is lost", "-", Container{Engine: "containerd@1.7", User: "33", NoNewPrivs: true, Entrypoint: []string{"/bin/sh", "-c", "exec /server"}}, "bounding-only"},
		{"a script whose image is not there", "-", Container{Engine: "podman", Entrypoint: []string{"/docker-entrypoint.sh", "/server"}}, "untold"},
		{"which does not matter to Docker", "-", Container{Engine: "docker", User: "33", Entrypoint: []string{"/docker-entrypoint.sh", "/server"}}, ""},
		{"nor without the capability", "-", Container{Engine: "podman", User: "33", DropCaps: []string{"ALL"}, Entrypoint: []string{"sh", "/run", "/server"}}, "bounding-excludes"},
		{"a profile that refuses a bind", "", Container{Engine: "docker", Seccomp: []byte(denyBind)}, "seccomp"},
		{"not in a container without a filter", "", Container{Engine: "docker", Seccomp: []byte(denyBind), Unconfined: true}, ""},
		{"nor in a privileged pod", "", Container{Engine: "cri-o@1.30", Seccomp: []byte(denyBind), Privileged: true}, ""},
		{"a profile that is not given", "", Container{Engine: "docker", Seccomp: []byte{}}, "untold"},
		{"a profile that is none", "", Container{Engine: "docker", Seccomp: []byte("{}")}, "error"},
		{"a root that is read-only", "", Container{Engine: "podman", User: "33", ReadOnly: true}, "bounding-only"},
		{"a script", "", Container{Engine: "podman", Entrypoint: []string{"/run.sh"}}, "error"},
		{"a link", "", Container{Engine: "podman", Entrypoint: []string{"link"}}, ""},
		{"no such user", "", Container{Engine: "podman", User: "nginx"}, "error"},
		{"no such engine", "", Container{Engine: "lxc"}, "error"},
		{"the host's sysctl", "", Container{Engine: "docker", Network: "host", Sysctls: map[string]string{"net.ipv4.ip_unprivileged_port_start": "80"}}, "error"},
	} {
		if c.how.Entrypoint == nil {
			c.how.Entrypoint = []string{"/server"}
		}
		if c.file != "-" {
			c.how.Image = imageOf(t, c.file)
		}
		c.how.Env = []string{"PATH=/usr/bin:/bin"}
		r, err := Bind(Launch{Container: &c.how, Guard: Unguarded}, ":80")
		got := ""
		var refused *report.Error
		switch {
		case err == nil:
		case !errors.As(err, &refused):
			got = "error"
		case strings.Contains(err.Error(), "could not tell"):
			got = "untold"
		default:
			got = r.Causes[0].ID
		}
		if got != c.want {
			t.Errorf("%s: %q, and not %q: %v\n%s", c.name, got, c.want, err, r.String())
		}
	}
}
