package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	guard "github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/needs"
)

// A server is a real program that binds port 443 and then ends, or goes into the background.
type server struct {
	name    string
	command []string
	files   map[string]string
}

// servers are the real programs.
func servers() []server {
	return []server{
		{"nginx", []string{"/usr/sbin/nginx", "-c", "/srv/nginx.conf"}, map[string]string{"/srv/nginx.conf": `
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path /tmp/1; proxy_temp_path /tmp/2; fastcgi_temp_path /tmp/3; uwsgi_temp_path /tmp/4; scgi_temp_path /tmp/5;
	server { listen 443; }
}
`}},
		{"apache2", []string{"/usr/sbin/apache2", "-f", "/srv/apache.conf", "-k", "start"}, map[string]string{"/srv/apache.conf": `
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
ServerRoot /tmp
ServerName localhost
PidFile /tmp/apache.pid
ErrorLog /tmp/apache.log
Listen 443
`}},
		{"node", []string{"/usr/bin/node", "-e", `require("net").createServer().listen(443, () => process.exit(0))`}, nil},
		{"python3", []string{"/usr/bin/python3", "-c", `import socket; socket.create_server(("", 443))`}, nil},
		{"static", []string{"/srv/static"}, nil},
	}
}

// lab makes the boxes of a test.
func lab(t *testing.T) box.Maker {
	t.Helper()
	if os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	if box.OwnCgroup() == "" {
		needs.Lack(t, "a mounted cgroup v2 hierarchy")
	}
	dir := t.TempDir()
	m := box.Maker{Base: dir + "/base", Bin: dir + "/bin"}
	for _, d := range []string{m.Base, m.Bin} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.WriteBase(m.Base); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", m.Bin+"/", ".", "./testdata/static", "github.com/lowport/lowport/internal/lab/box/first")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return m
}

// A machine is a box with a watch in it.
type machine struct {
	t *testing.T
	*box.Box
}

// open makes a machine that has the files of the programs.
func openBox(t *testing.T, m box.Maker, boots bool) machine {
	t.Helper()
	make := m.Open
	if boots {
		make = m.Boot
	}
	b, err := make()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	in := machine{t, b}
	in.must("install /lab/static /srv/static")
	for _, s := range servers() {
		for name, text := range s.files {
			in.must("cat >" + filepath.Clean(name) + " <<'END'\n" + text + "END\n")
		}
	}
	return in
}

// sh runs lines in a shell, as root or as another user.
func (m machine) sh(uid int, lines string) box.Result {
	m.t.Helper()
	r, err := m.Run(box.Command{Argv: []string{"sh", "-e"}, UID: uid, Stdin: lines})
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

// must runs lines that have to succeed.
func (m machine) must(lines string) string {
	m.t.Helper()
	r := m.sh(0, lines)
	if r.Code != 0 {
		m.t.Fatalf("%s\nexit status %d: %s", lines, r.Code, r.Output)
	}
	return r.Output
}

// watch starts a watch in the box.
func (m machine) watch() {
	m.t.Helper()
	m.must(`setsid nice -n -20 /lab/watch -json -every 0 -cgroup /sys/fs/cgroup >>/run/watch.json 2>/run/watch.log </dev/null &
until grep -q hearing /run/watch.log; do sleep 0.02; kill -0 $! || { cat /run/watch.log; exit 1; }; done`)
}

// told returns the report that the watch in the box has of a command, once there is one.
func (m machine) told(command string) report {
	m.t.Helper()
	for range 500 {
		var found report
		for l := range strings.Lines(m.must("cat /run/watch.json; sleep 0.02")) {
			var r report
			if err := json.Unmarshal([]byte(l), &r); err != nil {
				m.t.Fatal(err)
			}
			if r.Command == command && r.PID != 0 && r.Report != nil {
				found = r
			}
		}
		if found.Report != nil {
			return found
		}
	}
	m.t.Fatalf("no report of %s: %.2000s", command, m.must("cat /run/watch.log /run/watch.json"))
	return report{}
}

// quoted returns a command line.
func quoted(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(all, " ")
}

// Every real program that is refused is told why, in a shell and in a user namespace that does
// not own the network, and each fix makes it bind.
func TestShells(t *testing.T) {
	m := lab(t)
	b := openBox(t, m, false)
	b.watch()
	for _, tt := range []struct{ name, shell, want string }{
		{"shell", "", "no-capability"},
		{"user namespace", "unshare -U --map-user=1000 --map-group=1000 --keep-caps -- ", "foreign-user-namespace"},
	} {
		for _, s := range servers() {
			t.Run(tt.name+"/"+s.name, func(t *testing.T) {
				start := tt.shell + quoted(s.command)
				told := b.refused(s.name, 1000, start)
				told.caused(t, tt.want)
				for _, f := range told.Report.Fixes {
					after := openBox(t, m, false)
					after.apply(f)
					if f.Steps[len(f.Steps)-1].Start == "" {
						after.starts(1000, start)
					}
				}
			})
		}
	}
}

// The same in a container, by what runc makes of the file that a container engine writes. What
// it says to change there is changed.
func TestContainer(t *testing.T) {
	m := lab(t)
	if _, err := exec.LookPath("runc"); err != nil {
		needs.Lack(t, "runc")
	}
	b := openBox(t, m, false)
	b.watch()
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			b.bundle(s, "")
			told := b.refused(s.name, 0, runContainer)
			told.caused(t, "bounding-only")
			if told.Container != "0123456789ab" {
				t.Errorf("container %q of cgroup %s", told.Container, told.Cgroup)
			}
			for _, f := range told.Report.Fixes {
				after := openBox(t, m, false)
				after.bundle(s, "")
				for _, step := range f.Steps {
					after.edit(s, step)
				}
				after.starts(0, runContainer)
			}
		})
	}
}

const runContainer = "exec runc run --bundle /srv/bundle web </dev/null"

// bundle writes what runc starts: the program as a user who is not root, on the files of the
// machine, with the capability in the bounding set alone.
func (m machine) bundle(s server, sysctl string) {
	m.t.Helper()
	args, err := json.Marshal(s.command)
	if err != nil {
		m.t.Fatal(err)
	}
	m.must("mkdir -p /srv/bundle/rootfs; touch /srv/bundle/rootfs/.dockerenv\ncat >/srv/bundle/config.json <<'END'\n" +
		strings.NewReplacer("ARGS", string(args), "SYSCTL", sysctl).Replace(`{
	"ociVersion": "1.0.2",
	"process": {
		"user": {"uid": 1000, "gid": 1000}, "args": ARGS, "cwd": "/", "env": ["PATH=/usr/bin"],
		"capabilities": {"bounding": ["CAP_NET_BIND_SERVICE"]}
	},
	"root": {"path": "rootfs"},
	"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
		{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
		{"destination": "/usr", "type": "bind", "source": "/usr", "options": ["bind"]},
		{"destination": "/lib", "type": "bind", "source": "/lib", "options": ["bind"]},
		{"destination": "/lib64", "type": "bind", "source": "/lib64", "options": ["bind"]},
		{"destination": "/etc", "type": "bind", "source": "/etc", "options": ["bind"]},
		{"destination": "/srv", "type": "bind", "source": "/srv", "options": ["bind"]}
	],
	"linux": {
		"cgroupsPath": "/user.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
		"sysctl": {SYSCTL},
		"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}]
	}
}
`) + "END\n")
}

// edit is the hand of who runs the container: it does what a step says to the image, or to how
// the container is run.
func (m machine) edit(s server, step guard.Step) {
	m.t.Helper()
	if setcap, ok := strings.CutPrefix(strings.TrimSpace(step.Content), "RUN "); ok {
		m.must(setcap)
		return
	}
	if !strings.Contains(step.Content, "net.ipv4.ip_unprivileged_port_start") || !strings.Contains(step.Content, "443") {
		m.t.Fatalf("what to do with %+v?", step)
	}
	m.bundle(s, `"net.ipv4.ip_unprivileged_port_start": "443"`)
}

// The same in a unit of a systemd that was booted for it.
func TestUnit(t *testing.T) {
	m := lab(t)
	b := openBox(t, m, true)
	b.watch()
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			b.unit(s)
			start := "systemctl reset-failed; systemctl start web-" + s.name
			told := b.refused(s.name, 0, start)
			told.caused(t, "no-capability")
			if want := "web-" + s.name + ".service"; told.Unit != want {
				t.Errorf("unit %q, want %q", told.Unit, want)
			}
			for _, f := range told.Report.Fixes {
				b.apply(f)
				b.starts(0, start)
				b.must("ss -ltnpH 'sport = :443' | grep -o 'pid=[0-9]*' | cut -d= -f2 | xargs -r kill; systemctl stop web-" + s.name + "; systemctl revert web-" + s.name + `
sysctl -q -w net.ipv4.ip_unprivileged_port_start=1024
setcap -r "$(readlink -f '` + s.command[0] + `')" 2>/dev/null || true`)
			}
		})
	}
}

// unit writes the unit of a program.
func (m machine) unit(s server) {
	m.t.Helper()
	kind := "oneshot"
	if s.files != nil { // it goes into the background
		kind = "forking"
	}
	var words []string
	for _, w := range s.command {
		words = append(words, strconv.Quote(w))
	}
	m.must("cat >/etc/systemd/system/web-" + s.name + ".service <<'END'\n[Service]\nUser=app\nType=" + kind +
		"\nExecStart=" + strings.Join(words, " ") + "\nEND\nsystemctl daemon-reload")
}

// refused starts a program that is refused, and returns what the watch says of it.
func (m machine) refused(name string, uid int, start string) report {
	m.t.Helper()
	m.must(": >/run/watch.json")
	if r := m.sh(uid, start); r.Code == 0 {
		m.t.Fatalf("%s was not refused", start)
	}
	return m.told(name)
}

// caused checks the first cause.
func (r report) caused(t *testing.T, want string) {
	t.Helper()
	if len(r.Report.Causes) == 0 || r.Report.Causes[0].ID != want || len(r.Report.Fixes) == 0 {
		t.Fatalf("not %s, or no fix:\n%s", want, r.Report)
	}
}

// apply does what a fix says as an operator does, who may use sudo.
func (m machine) apply(f guard.Fix) {
	m.t.Helper()
	for _, s := range f.Steps {
		if r := m.sh(1001, s.Text(true)); r.Code != 0 {
			m.t.Fatalf("%s: %s: exit status %d: %s", f.ID, s.Text(true), r.Code, r.Output)
		}
	}
}

// starts sees a program bind.
func (m machine) starts(uid int, command string) {
	m.t.Helper()
	if r := m.sh(uid, command); r.Code != 0 {
		m.t.Fatalf("%s is still refused: exit status %d: %s", command, r.Code, r.Output)
	}
}
