package launch

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lowport/lowport/internal/facts"
)

// What a command before the program does is known of the small ones, and of any other it is not.
func TestBefore(t *testing.T) {
	root := fstest.MapFS{"srv/env": {}}
	for _, name := range []string{"true", "false", "sh", "test", "mkdir", "touch", "rm", "install", "echo", "setcap"} {
		root["bin/"+name] = &fstest.MapFile{Mode: 0o755}
	}
	for line, want := range map[string]string{
		"/bin/true": "", "/bin/false": "stops", "-/bin/false": "", "/bin/none": "stops", "-/bin/none": "",
		"/bin/sh -c 'exit 3'": "stops", "-/bin/sh -c 'exit 3'": "", "/bin/sh -c 'exit 0'": "", "/bin/sh -c :": "", "/bin/sh -c 'exit x'": "unknown",
		"/bin/sh /srv/env": "unknown", "/bin/sh -c '/srv/x; exit 0'": "unknown",
		"/bin/test -e /srv/env": "", "/bin/test -e /srv/none": "stops", "-/bin/test -e /srv/none": "", "/bin/test -f /srv/env": "unknown",
		"/bin/mkdir /srv/new": "", "/bin/mkdir /srv": "stops", "/bin/mkdir /none/x": "stops", "/bin/mkdir -p /none/x": "", "/bin/mkdir new": "unknown",
		"/bin/mkdir $DIR": "unknown", "/bin/touch /none/x": "stops", "/bin/rm -f /srv/env": "", "/bin/rm /srv/env": "unknown",
		"/bin/rm -rf /srv/env": "", "/bin/rm -f": "", "/bin/rm": "unknown", "/bin/install -d /none/x": "", "/bin/install -d x": "unknown", "/bin/install -m 755 /x": "unknown", "/bin/install /a /b": "unknown",
		"/bin/test -d /srv": "unknown", "/bin/sh -c true": "", "/bin/sh -c false": "stops", "/bin/sh -c 'false && true'": "unknown", "/bin/echo a": "",
		"+/bin/setcap x y": "unknown", "-/bin/setcap x y": "unknown",
	} {
		if got := checked(t, root, "[Service]\nExecStart=/bin/true\nExecStartPre="+line+"\n", facts.Account{Name: "root"}); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	app := facts.Account{Name: "app", UID: 1000}
	for line, want := range map[string]string{"/bin/mkdir /srv/new": "unknown", "+/bin/mkdir /srv/new": "", "/bin/test -e /srv/env": "", "/bin/mkdir /none/x": "stops"} {
		if got := checked(t, root, "[Service]\nExecStart=/bin/true\nUser=app\nExecStartPre="+line+"\n", app); got != want {
			t.Errorf("as app: %s: %q, want %q", line, got, want)
		}
	}
}

// Only setcap(8) with privileges grants anything.
func TestSetcapBefore(t *testing.T) {
	root := fstest.MapFS{"bin/true": {Mode: 0o755}, "sbin/setcap": {Mode: 0o755}}
	app := facts.Account{Name: "app", UID: 1000}
	for lines, want := range map[string]string{
		"ExecStartPre=/sbin/setcap cap_net_bind_service=+p /bin/true":                                  "stops",
		"ExecStartPre=-/sbin/setcap cap_net_bind_service=+p /bin/true":                                 "",
		"ExecStartPre=+/sbin/setcap cap_net_bind_service=+p /bin/true":                                 "unknown",
		"ExecStartPre=!/sbin/setcap cap_net_bind_service=+p /bin/true":                                 "unknown",
		"AmbientCapabilities=CAP_SETFCAP\nExecStartPre=/sbin/setcap cap_net_bind_service=+p /bin/true": "unknown",
	} {
		if got := checked(t, root, "[Service]\nUser=app\nExecStart=/bin/true\n"+lines+"\n", app); got != want {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
}

// What a command of which the outcome is not known may change of the program.
func TestPreparation(t *testing.T) {
	app, root := facts.Account{Name: "app", UID: 1000}, facts.Account{Name: "root"}
	for _, tt := range []struct {
		line             string
		who              facts.Account
		grants, rewrites bool
	}{
		{"/srv/app -t", root, true, false},
		{"/srv/app -t", app, false, false},
		{"-/srv/app -t", app, false, false},
		{"+/srv/app -t", app, true, false},
		{"/bin/sudo /x", app, true, false},
		{"+/bin/chown -R app /srv", app, true, true},
		{"/bin/chown app /srv/app.conf", app, false, false},
		{"/bin/sh -c 'cp /build/app /srv/app; true'", app, false, true},
		{"/bin/chown app /var/log/app", root, true, false},
	} {
		u := read(t, "ExecStart=/srv/app\nExecStartPre="+tt.line)
		files := fstest.MapFS{"srv/app": {}, "bin/sudo": {}, "bin/chown": {}, "bin/sh": {}}
		command := Command{Program: "/srv/app", Argv: []string{"/srv/app"}}
		if err := commandsBefore(u, place{root: files, command: command, who: tt.who}); err != nil || u.Prepared() == "" {
			t.Fatalf("%s: %v, %q", tt.line, err, u.Prepared())
		}
		if grants, rewrites := u.MayGrant() != "", u.MayRewrite() != ""; grants != tt.grants || rewrites != tt.rewrites {
			t.Errorf("%s as %s: grants %v, rewrites %v", tt.line, tt.who.Name, grants, rewrites)
		}
	}
}

// A command behind the program ends that if it fails, and changes nothing for it before.
func TestBehind(t *testing.T) {
	root := fstest.MapFS{"bin/true": {Mode: 0o755}, "bin/false": {Mode: 0o755}, "bin/curl": {Mode: 0o755}}
	for line, want := range map[string]string{
		"/bin/true": "", "/bin/false": "ends", "-/bin/false": "", "+/bin/false": "ends", "/bin/none": "ends", "-/bin/none": "", "/bin/curl x": "note", "-/bin/curl x": "",
	} {
		u := read(t, "ExecStartPost="+line)
		err := commandsBehind(u, place{root: root})
		got := ""
		switch {
		case err != nil && strings.HasPrefix(err.Error(), "systemd ends the service (status="):
			got = "ends"
		case err != nil:
			got = err.Error()
		case len(u.doubts) > 0:
			got = "doubt"
		case len(u.Notes) > 0:
			got = "note"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// checked is how the start of a unit is told: "" where nothing speaks against it.
func checked(t *testing.T, root fstest.MapFS, text string, who facts.Account) string {
	t.Helper()
	all := fstest.MapFS{"etc/systemd/system/app.service": {Data: []byte(text)}}
	for name, file := range root {
		all[name] = file
	}
	u, err := Read(all, "/etc/systemd/system/app.service")
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	command, err := u.Main("")
	if err == nil {
		err = u.Check(all, command, who, "")
	}
	switch {
	case err != nil && !strings.Contains(err.Error(), "starts nothing"):
		t.Fatalf("%q: %v", text, err)
	case err != nil:
		return "stops"
	case len(u.doubts) > 0:
		return "doubt"
	case u.before.unknown != "":
		return "unknown"
	}
	return ""
}

// On the first boot systemd says so in a file of /run.
func TestFirstBoot(t *testing.T) {
	root := fstest.MapFS{"bin/true": {Mode: 0o755}, "run/systemd/first-boot": {}}
	for value, want := range map[string]string{"yes": "", "no": "stops"} {
		if got := checked(t, root, "[Unit]\nConditionFirstBoot="+value+"\n[Service]\nExecStart=/bin/true\n", facts.Account{Name: "root"}); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// What a condition asks of the machine.
func TestConditions(t *testing.T) {
	physical := fstest.MapFS{
		"bin/true":                  {Mode: 0o755},
		"srv/dir/file":              {},
		"proc/sys/kernel/arch":      {Data: []byte("x86_64\n")},
		"proc/sys/kernel/osrelease": {Data: []byte("6.12.3-amd64\n")},
		"proc/1/status":             {Data: []byte("CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\nCapBnd:\t000001fffffffbff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\n")},
		"proc/1/mountinfo":          {Data: []byte("1 0 8:1 / / rw - ext4 /dev/x rw\n2 1 8:2 / /srv ro - ext4 /dev/y rw\n")},
		"proc/cpuinfo":              {Data: []byte("flags : fpu vme\n")},
	}
	container, machine := fstest.MapFS{}, fstest.MapFS{}
	for name, file := range physical {
		container[name], machine[name] = file, file
	}
	container["run/systemd/container"] = &fstest.MapFile{Data: []byte("podman\n")}
	machine["proc/cpuinfo"] = &fstest.MapFile{Data: []byte("flags : fpu hypervisor vme\n")}
	for _, tt := range []struct{ line, physical, container, machine string }{
		{"ConditionVirtualization=container", "stops", "", "stops"},
		{"ConditionVirtualization=!container", "", "stops", ""},
		{"ConditionVirtualization=vm", "doubt", "stops", ""},
		{"ConditionVirtualization=no", "doubt", "stops", "stops"},
		{"ConditionVirtualization=yes", "doubt", "", ""},
		{"ConditionVirtualization=podman", "doubt", "", "doubt"},
		{"ConditionVirtualization=docker", "doubt", "stops", "doubt"},
		{"ConditionVirtualization=private-users", "doubt", "doubt", "doubt"},
		{"ConditionArchitecture=x86-64", "", "", ""},
		{"ConditionArchitecture=arm64", "stops", "stops", "stops"},
		{"ConditionKernelVersion=>=5.10", "", "", ""},
		{"ConditionKernelVersion=< 6.1", "stops", "stops", "stops"},
		{"ConditionKernelVersion=>=6.12", "doubt", "doubt", "doubt"},
		{"ConditionKernelVersion=6.*", "doubt", "doubt", "doubt"},
		{"ConditionCapability=CAP_NET_BIND_SERVICE", "stops", "stops", "stops"},
		{"ConditionCapability=CAP_CHOWN", "", "", ""},
		{"ConditionFirstBoot=yes", "stops", "stops", "stops"},
		{"ConditionFirstBoot=no", "", "", ""},
		{"ConditionFirstBoot=perhaps", "doubt", "doubt", "doubt"},
		{"ConditionPathIsMountPoint=/srv", "", "", ""},
		{"ConditionPathIsMountPoint=/srv/dir", "stops", "stops", "stops"},
		{"ConditionPathIsReadWrite=/srv/dir", "stops", "stops", "stops"},
		{"ConditionPathIsReadWrite=/bin", "", "", ""},
		{"ConditionPathIsReadWrite=/none", "stops", "stops", "stops"},
		{"ConditionPathIsSymbolicLink=/srv/dir", "stops", "stops", "stops"},
		{"ConditionPathIsSymbolicLink=|/srv/dir\nConditionPathExists=|/srv", "", "", ""},
		{"ConditionNeedsUpdate=/etc", "doubt", "doubt", "doubt"},
	} {
		text := "[Unit]\n" + tt.line + "\n[Service]\nExecStart=/bin/true\n"
		for kind, pair := range map[string]struct {
			root fstest.MapFS
			want string
		}{"physical": {physical, tt.physical}, "container": {container, tt.container}, "machine": {machine, tt.machine}} {
			if got := checked(t, pair.root, text, facts.Account{Name: "root"}); got != pair.want {
				t.Errorf("%s on a %s: %q, want %q", tt.line, kind, got, pair.want)
			}
		}
	}
}
