package launch

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/txtar"
)

// disk is a file system with the files of a txtar archive.
func disk(text string) fs.FS {
	files := fstest.MapFS{}
	for _, f := range txtar.Parse([]byte(text)).Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o755}
	}
	return files
}

// read reads app.service of a text that is its [Service] section alone.
func read(t *testing.T, service string) *Unit {
	t.Helper()
	u, err := Read(disk("-- srv/app.service --\n[Service]\nExecStart=/srv/app\n"+service+"\n"), "/srv/app.service")
	if err != nil {
		t.Fatal(err)
	}
	return &u
}

func known[T any](v T) facts.Fact[T] { return facts.Fact[T]{}.Now(v) }

// root is process 1 of an ordinary machine.
var root = known(caps.State{Permitted: full, Effective: full, Bounding: full})

func account(user, group string) (facts.Account, error) {
	switch {
	case user == "missing":
		return facts.Account{}, errors.New("no such user")
	case user == "54321":
		return facts.Account{UID: 54321, GID: 54321}, nil
	case user == "app":
		return facts.Account{Name: "app", UID: 1000, GID: 1000, Groups: []uint32{1000}}, nil
	default:
		return facts.Account{Name: "root"}, nil
	}
}

func started(t *testing.T, u *Unit) facts.Facts {
	t.Helper()
	who, err := u.Account(account)
	if err != nil {
		t.Fatal(err)
	}
	probes := []facts.Probe{{Network: "tcp4"}, {Network: "tcp6"}, {Network: "udp4"}, {Network: "udp6"}}
	f := facts.Facts{
		Proc:   facts.Proc{Seccomp: known(0)},
		File:   facts.File{Path: known("/srv/app")},
		Net:    facts.Net{PortStart: known(80), Owner: known(facts.OwnerHere)},
		Policy: facts.Policy{Probes: known(probes), Label: known("doctor (enforce)"), Withheld: known(caps.SetOf(caps.NET_BIND_SERVICE))},
	}
	c, err := u.Main("")
	if err != nil {
		t.Fatal(err)
	}
	if f, err = u.Start(f, root, c, who); err != nil {
		t.Fatal(err)
	}
	return f
}

// What systemd leaves to the child that executes the program.
func TestStart(t *testing.T) {
	bind, chown := caps.SetOf(caps.NET_BIND_SERVICE), caps.SetOf(caps.CHOWN)
	for _, tt := range []struct {
		service string
		want    caps.State
	}{
		{"", caps.State{Permitted: full, Effective: full, Bounding: full}},
		{"User=app", caps.State{Bounding: full}},
		{"User=app\nUser=", caps.State{Permitted: full, Effective: full, Bounding: full}},
		{"User=root\nCapabilityBoundingSet=CAP_CHOWN", caps.State{Permitted: full, Effective: full, Bounding: chown}},
		{"User=app\nCapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE", caps.State{Bounding: chown | bind}},
		{"User=app\nCapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=", caps.State{}},
		{"User=app\nCapabilityBoundingSet=~CAP_CHOWN", caps.State{Bounding: full &^ chown}},
		{"User=app\nCapabilityBoundingSet=~CAP_CHOWN CAP_NOSUCH", caps.State{Bounding: full &^ chown}},
		{"User=app\nCapabilityBoundingSet=cap_chown 10", caps.State{Bounding: chown | bind}},
		{"User=app\nAmbientCapabilities=NET_BIND_SERVICE cap_10 CAP_CHOWN,CAP_NET_BIND_SERVICE \"\"", caps.State{Bounding: full}},
		{"User=app\nCapabilityBoundingSet=~", caps.State{Bounding: full}},
		// Permitted is kept over the change of user, for the ambient set's sake.
		{"User=app\nAmbientCapabilities=CAP_NET_BIND_SERVICE", caps.State{Permitted: full, Bounding: full, Inheritable: bind, Ambient: bind}},
		{"User=app\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_CHOWN", caps.State{Permitted: full, Bounding: chown}},
		{"AmbientCapabilities=CAP_NET_BIND_SERVICE", caps.State{Permitted: full, Effective: full, Bounding: full, Inheritable: bind, Ambient: bind}},
		{"User=app\nNoNewPrivileges=yes", caps.State{Bounding: full, NoNewPrivs: true}},
		{"User=app\nNoNewPrivileges=yes\nNoNewPrivileges=perhaps", caps.State{Bounding: full, NoNewPrivs: true}},
		{"User=app\nNoNewPrivileges=yes\nNoNewPrivileges=off", caps.State{Bounding: full}},
		{"User=app\nNoNewPrivileges=yes\nNoNewPrivileges=", caps.State{Bounding: full, NoNewPrivs: true}},
		{"SyslogIdentifier=x\\\\\nUser=app", caps.State{Bounding: full}}, // "\\" at the end is no continuation
		{"UMask=0022\rUser=app", caps.State{Bounding: full}},
		{"UMask=0022\x00User=app", caps.State{Bounding: full}},
		{"SyslogIdentifier=x \\\r\nUser=root\r\nUser=app", caps.State{Bounding: full}},
		{"User=app\nLockPersonality=yes", caps.State{Bounding: full, NoNewPrivs: true}},
		{"LockPersonality=yes", caps.State{Permitted: full, Effective: full, Bounding: full}},
		{"User=app\nSystemCallFilter=@system-service", caps.State{Bounding: full, NoNewPrivs: true}},
		{"User=app\nRestrictNamespaces=no", caps.State{Bounding: full}},
		{"User=app\nRestrictNamespaces=~user", caps.State{Bounding: full, NoNewPrivs: true}},
		{"User=app\nPrivateTmp=yes\nProtectSystem=strict", caps.State{Bounding: full}},
		{"DynamicUser=yes", caps.State{Bounding: full, NoNewPrivs: true}},
		{"User=app\nProtectClock=yes", caps.State{Bounding: full &^ caps.SetOf(caps.SYS_TIME, caps.WAKE_ALARM), NoNewPrivs: true}},
		{"SecureBits=noroot keep-caps", caps.State{Permitted: full, Effective: full, Bounding: full, Securebits: caps.NoRoot | caps.KeepCaps}},
		{"PrivateUsers=yes\nUser=app", caps.State{Bounding: full}},
		{"ExecStart=\nExecStart=+/srv/app\nUser=app\nCapabilityBoundingSet=CAP_CHOWN", caps.State{Permitted: full, Effective: full, Bounding: full}},
		{"ExecStart=\nExecStart=-!/srv/app\nUser=app\nCapabilityBoundingSet=CAP_CHOWN", caps.State{Permitted: full, Effective: full, Bounding: chown}},
		{"ExecStart=\nExecStart=!!/srv/app\nUser=app", caps.State{Bounding: full}},
	} {
		got := started(t, read(t, tt.service)).Launch.Starter
		if got.State != facts.Known || got.Value != tt.want {
			t.Errorf("%q:\n%+v, want\n%+v", tt.service, got.Value, tt.want)
		}
	}
}

// What of the machine is another for the service.
func TestStartFacts(t *testing.T) {
	for _, tt := range []struct {
		service string
		holds   func(facts.Facts) bool
	}{
		{"", func(f facts.Facts) bool { return f.Net.PortStart.Value == 80 && f.Proc.IDs.Value.UID == 0 }},
		{"", func(f facts.Facts) bool {
			return f.Policy.Label.State == facts.Absent && kernel.Granted(&f, full) == kernel.Yes
		}},
		{"User=app", func(f facts.Facts) bool { return f.Proc.IDs.Value.UID == 1000 && f.Command.User.Value == "app" }},
		{"PrivateNetwork=yes", func(f facts.Facts) bool { return f.Net.PortStart.Value == 1024 && len(f.Net.Addresses.Value) == 2 }},
		{"NetworkNamespacePath=/run/netns/x", func(f facts.Facts) bool { return f.Net.PortStart.State == facts.Unreadable }},
		{"PrivateUsers=yes", func(f facts.Facts) bool { return f.Net.Owner.Value == facts.OwnerOutside }},
		{"DynamicUser=yes", func(f facts.Facts) bool { return f.File.Installed.Nosuid.Value && f.Command.User.State == facts.Absent }},
		{"NoNewPrivileges=yes\nPrivateTmp=yes", func(f facts.Facts) bool { return f.File.Installed.Nosuid.State == facts.Unreadable }},
		{"NoNewPrivileges=yes\nReadOnlyPaths=-/srv:x", func(f facts.Facts) bool { return f.File.Installed.Nosuid.Value }},
		{"NoNewPrivileges=yes\nProtectSystem=strict", func(f facts.Facts) bool { return f.File.Installed.Nosuid.Value }},
		{"ProtectSystem=strict", func(f facts.Facts) bool { return f.File.Installed.Nosuid.State == facts.Unreadable }},
		{"NoNewPrivileges=yes", func(f facts.Facts) bool { return f.File.Installed.Nosuid.State == facts.Unreadable }},
		{"PrivateTmp=yes\nUser=app\nLockPersonality=yes", func(f facts.Facts) bool { return f.File.Installed.Nosuid.State == facts.Unreadable }},
		{"RestrictAddressFamilies=AF_UNIX AF_INET", answers("", "EAFNOSUPPORT")},
		{"RestrictAddressFamilies=~AF_INET", answers("EAFNOSUPPORT", "")},
		{"RestrictAddressFamilies=none", answers("EAFNOSUPPORT", "EAFNOSUPPORT")},
		{"RestrictAddressFamilies=none\nRestrictAddressFamilies=~AF_INET", answers("EAFNOSUPPORT", "")},
		{"RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=none\nRestrictAddressFamilies=AF_INET6", answers("EAFNOSUPPORT", "")},
		{"RestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=", answers("", "")},
		{"SystemCallFilter=~bind\nSystemCallErrorNumber=EACCES", answers("EACCES", "EACCES")},
		{"SystemCallFilter=~bind:EPERM", answers("EPERM", "EPERM")},
		{"SystemCallFilter=@basic-io\nSystemCallErrorNumber=EPERM", answers("EPERM", "EPERM")},
		{"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged", answers("", "")},
		{"SystemCallFilter=@system-service\nSystemCallFilter=~@network-io\nSystemCallErrorNumber=EPERM", answers("EPERM", "EPERM")},
	} {
		if f := started(t, read(t, tt.service)); !tt.holds(f) {
			t.Errorf("%q: %+v", tt.service, f)
		}
	}
}

func answers(v4, v6 string) func(facts.Facts) bool {
	return func(f facts.Facts) bool {
		p := f.Policy.Probes.Value
		return p[0].Errno == v4 && p[1].Errno == v6 && p[2].Errno == v4 && p[3].Errno == v6
	}
}

// Where it cannot be told.
func TestDoubt(t *testing.T) {
	if why := read(t, "SystemCallFilter=~bind").Doubt(kernel.Goal{}, "/srv/app"); why != "" {
		t.Errorf("a listener that is passed is in doubt: %s", why)
	}
	for _, tt := range []struct {
		service, why string // part of it
	}{
		{"", ""},
		{"RootImage=/srv/x.raw", "RootImage="},
		{"SystemCallFilter=~bind", "ends the program"},
		{"SocketBindDeny=any", "SocketBindDeny="},
		{"SocketBindDeny=ipv4:tcp:443", "SocketBindDeny="},
		{"SocketBindDeny=1-1023", "SocketBindDeny="},
		{"SocketBindDeny=any\nSocketBindAllow=tcp:443", ""},
		{"SocketBindDeny=any\nSocketBindAllow=ipv4:443", "SocketBindDeny="}, // the wildcard's socket is of IPv6
		{"SocketBindDeny=any\nSocketBindAllow=https", "SocketBindDeny="},
		{"PrivateUsers=identity", "PrivateUsers="},
		{"PrivateUsers=no", ""},
		{"UserNamespacePath=/run/x", "UserNamespacePath="},
		{"InaccessiblePaths=-%h/x", "InaccessiblePaths="},
		{"SocketBindDeny=udp", ""},
		{"SocketBindDeny=444-1023", ""},
		{"SocketBindDeny=80", ""},
	} {
		why := read(t, tt.service).Doubt(kernel.Goal{Network: "tcp", Port: 443}, "/srv/app")
		if !strings.Contains(why, tt.why) || (why == "") != (tt.why == "") {
			t.Errorf("%q: %q, want %q", tt.service, why, tt.why)
		}
	}
}

// What systemd would not start.
func TestNotStarted(t *testing.T) {
	for _, service := range []string{
		"ExecStart=", "User=missing", "InaccessiblePaths=-/srv", "TemporaryFileSystem=/srv:ro",
		"NoExecPaths=/\nExecPaths=/usr",
		"ReadOnlyPaths=-/opt /srv/other", "BindReadOnlyPaths=/opt:/srv", "User=54321", "ExecStart=/srv/other",
	} {
		u := read(t, service)
		who, err := u.Account(account)
		var c Command
		if err == nil {
			c, err = u.Main("")
		}
		if err == nil {
			err = u.Check(disk("-- usr/x --\n-- srv/app --\n"), c, who, "")
		}
		if err == nil {
			_, err = u.Start(facts.Facts{File: facts.File{Path: known("/srv/app")}}, root, c, who)
		}
		if err == nil {
			t.Errorf("%q: started", service)
		}
	}
	for _, service := range []string{"NoExecPaths=/\nExecPaths=/usr /srv", "ProtectHome=yes", "PrivateTmp=yes", "Type=oneshot\nExecStart=/srv/other"} {
		started(t, read(t, service))
	}
	if by := read(t, "ProtectHome=yes\nProtectHome=read-only").set.hides("/home/app"); by != "" {
		t.Errorf("%s hides what may be read", by)
	}
}

// A unit is all of its drop-ins, in the order of their names; of one name that of
// the most important folder counts.
func TestDropIns(t *testing.T) {
	u, err := Read(disk(`
-- etc/systemd/system/my-app@x.service --
[Service]
ExecStart=/srv/%p/%i \
  # in between
  --flag
User=a
; a comment
[Unit]
User=not of this section
-- etc/systemd/system/my-app@x.service.d/20-b.conf --
[Service]
User=b
-- run/systemd/system/my-app@x.service.d/20-b.conf --
[Service]
User=masked
-- usr/lib/systemd/system/my-app@.service.d/30-c.conf --
[Service]
Group=c
-- usr/lib/systemd/system/my-.service.d/10-d.conf --
[Service]
User=d
UMask=0077
-- etc/systemd/system/service.d/40-e.conf --
[Service]
NoNewPrivileges=yes
-- etc/systemd/system/my-app@x.service.d/40-note.txt --
[Service]
User=no conf
`), "/etc/systemd/system/my-app@x.service")
	if err != nil {
		t.Fatal(err)
	}
	if got := u.set.last("User") + u.set.last("Group"); got != "bc" || !u.set.is("NoNewPrivileges") || u.set.last("UMask") != "0077" {
		t.Errorf("%q of %q", got, u.set)
	}
	if c, err := u.Main(""); c.Program != "/srv/my-app/x" || !slices.Equal(c.Argv, []string{"/srv/my-app/x", "--flag"}) || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

// Of drop-ins of one name the folder decides before the name that it is for.
func TestDropInFolders(t *testing.T) {
	u, err := Read(disk(`
-- lib/systemd/system/my-app@x.service --
[Service]
ExecStart=/srv/app
-- lib/systemd/system/my-app@x.service.d/10.conf --
[Service]
User=instance
-- etc/systemd/system/my-.service.d/10.conf --
[Service]
User=prefix
-- lib/systemd/system/my-app@x.service.d/20.conf --
[Service]
Group=instance
-- etc/systemd/system/service.d/20.conf --
[Service]
Group=kind
`), "/lib/systemd/system/my-app@x.service")
	if got := u.set.last("User") + " " + u.set.last("Group"); err != nil || got != "prefix instance" {
		t.Errorf("%q, %v", got, err)
	}
}

// A unit that systemd does not load is not read either, nor one in whose place it
// loads another.
func TestUnloadable(t *testing.T) {
	for _, text := range []string{
		"-- lib/systemd/system/app.service --\n[Service\nExecStart=/srv/app\n",
		"-- lib/systemd/system/app.service --\n[Service]\nExecStart=/srv/app\nUser=\xff\n",
		"-- lib/systemd/system/app.service --\n[Service]\nExecStart=bin/app\n",
		"-- lib/systemd/system/app.service --\n[Service]\nExecStart=/srv/app\nUser=a:b\n",
		"-- lib/systemd/system/app.service --\n[Service]\nExecStart=/srv/app\nWorkingDirectory=srv\n",
		"-- lib/systemd/system/app.service --\n[Service]\nExecStart=/srv/app\nRootDirectory=srv\n",
		"-- lib/systemd/system/app.service --\n[Service]\nExecStart=/srv/app\n" + strings.Repeat("A", maxFile),
		"-- lib/systemd/system/app.service --\n-- etc/systemd/system/app.service --\n",
		"-- lib/systemd/system/other.service --\n",
	} {
		if _, err := Read(disk(text), "/lib/systemd/system/app.service"); err == nil {
			t.Errorf("read: %q", text)
		}
	}
}

// What ends a file, and what begins it.
func TestParseEnds(t *testing.T) {
	for _, text := range []string{"[S]\nA=1 \\", "[S]\nA=1 \\\n# x", "\ufeff[S]\nA=1", "[S]\r\nA=1\r\n"} {
		all, notes, err := parse("x", []byte(text))
		if want := (entry{"S", "A", "1", "x", 1, false}); len(all) != 1 || all[0].String() == "" || all[0].section+all[0].key+all[0].value != want.section+want.key+want.value || notes != nil || err != nil {
			t.Errorf("%q: %q, %q, %v", text, all, notes, err)
		}
	}
}

// The sockets of .socket units that pass theirs to the service.
func TestSockets(t *testing.T) {
	u, err := Read(disk(`
-- srv/app.service --
[Service]
ExecStart=app
Sockets=named.socket alone.socket %p@7.socket
-- srv/app.socket --
[Socket]
ListenStream=443
ListenStream=127.0.0.1:80
ListenStream=/run/app
ListenDatagram=[::1]:53
FileDescriptorName=https
-- srv/named.socket --
[Socket]
ListenStream=81
BindIPv6Only=ipv6-only
-- srv/named.service --
-- srv/alone.socket --
[Socket]
ListenStream=87
-- srv/app@.socket --
[Socket]
ListenStream=809%i
Service=%p.service
-- srv/points.socket --
[Socket]
ListenStream=82
Service=app.service
-- srv/each.socket --
[Socket]
ListenStream=83
Accept=yes
Service=app.service
-- srv/other.socket --
what is passed over here is of no concern
[Socket]
ListenStream=84
-- srv/reset.socket --
[Socket]
ListenDatagram=85
ListenFIFO=
ListenStream=86
Service=app.service
-- srv/broken.socket --
[Socket
-- usr/bin/app --
`), "/srv/app.service")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range u.Sockets {
		got = append(got, s.FD+" "+s.Network+" "+s.Addr.String()+map[bool]string{true: " both"}[s.Both])
	}
	want := []string{"https tcp6 [::]:443 both", "https tcp4 127.0.0.1:80", "https udp6 [::1]:53", "named.socket tcp6 [::]:81", "app@7.socket tcp6 [::]:8097 both", "points.socket tcp6 [::]:82 both", "reset.socket tcp6 [::]:86 both"}
	if !slices.Equal(got, want) || len(u.Notes) != 3 {
		t.Errorf("%q, want %q; %q", got, want, u.Notes)
	}
	if !slices.Contains(u.Notes, "alone.socket cannot be started: there is no alone.service, and it does not say Service=app.service") {
		t.Errorf("nothing is said of a socket whose service is not there: %q", u.Notes)
	}
	if !u.Pulls("named.socket") || !u.Pulls("app@7.socket") || u.Pulls("points.socket") {
		t.Error("a start of the unit starts what Sockets= names")
	}
}

// Instances of a template of .socket units pass their sockets if they are enabled or run.
func TestSocketInstances(t *testing.T) {
	files := disk(`
-- etc/systemd/system/app.service --
[Service]
ExecStart=/usr/bin/app
-- etc/systemd/system/web@.socket --
[Socket]
ListenStream=%i
Service=app.service
BindToDevice=lan0
-- etc/systemd/system/other@.socket --
[Socket]
ListenStream=%i
-- etc/systemd/system/sockets.target.wants/web@80.socket --
-- etc/systemd/system/path@.socket --
[Socket]
ListenStream=%t/%i
ListenStream=%H:81
ListenDatagram=[::1]:%i
Service=app.service
-- usr/bin/app --
`)
	ports := func(names ...string) (all []string) {
		u, err := Read(files, "/etc/systemd/system/app.service")
		if err == nil {
			err = u.Running(files, names)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range u.Sockets {
			all = append(all, s.Name+" "+s.Network+" "+s.Addr.String()+" "+s.Device)
		}
		return append(all, u.doubts...)
	}
	enabled := "web@80.socket tcp6 [::]:80 lan0"
	for _, tt := range []struct{ running, want []string }{
		{nil, []string{enabled}},
		{[]string{"web@80.socket", "other@443.socket", "none.socket", "app.service", "web@.socket"}, []string{enabled}},
		{[]string{"web@443.socket", "web@443.socket"}, []string{enabled, "web@443.socket tcp6 [::]:443 lan0"}},
		{[]string{"path@82.socket"}, []string{enabled, "path@82.socket udp6 [::1]:82 ",
			"ListenStream=%H:81 (path@.socket, line 3): what %H stands for depends on the machine and the manager, and is not looked at"}},
	} {
		if got := ports(tt.running...); !slices.Equal(got, tt.want) {
			t.Errorf("with %q running: %q, want %q", tt.running, got, tt.want)
		}
	}
}

// A change of user takes what the kernel takes.
func TestAsUser(t *testing.T) {
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	who := facts.Account{Name: "app", UID: 1000, GID: 1000}
	for _, tt := range []struct {
		uid       uint32
		has, want caps.State
	}{
		{0, caps.State{Permitted: full, Effective: full, Bounding: full}, caps.State{Bounding: full}},
		{0, caps.State{Permitted: full, Effective: full, Bounding: full, Inheritable: bind, Ambient: bind}, caps.State{Bounding: full, Inheritable: bind}},
		{0, caps.State{Permitted: full, Effective: full, Bounding: bind, Securebits: caps.NoSetuidFixup}, caps.State{Permitted: full, Effective: full, Bounding: bind, Securebits: caps.NoSetuidFixup}},
		{7, caps.State{Inheritable: bind, Permitted: bind, Ambient: bind, Bounding: bind}, caps.State{Bounding: bind}}, // by a root
		{1000, caps.State{Inheritable: bind, Permitted: bind, Effective: bind, Ambient: bind, Bounding: bind}, caps.State{Inheritable: bind, Permitted: bind, Effective: bind, Ambient: bind, Bounding: bind}},
	} {
		f := AsUser(facts.Facts{Proc: facts.Proc{Thread: known(tt.has), IDs: known(facts.IDs{UID: tt.uid, EUID: tt.uid})}}, who)
		if got := f.Launch.Starter.Value; got != tt.want || f.Proc.IDs.Value.EUID != 1000 || f.Launcher.Ancestor.Value.UID != tt.uid {
			t.Errorf("uid %d with %+v:\n%+v, want\n%+v", tt.uid, tt.has, got, tt.want)
		}
	}
	held := caps.State{Permitted: full, Effective: full, Bounding: full, NoNewPrivs: true}
	f := AsUserKeeping(facts.Facts{Proc: facts.Proc{Thread: known(held), IDs: known(facts.IDs{})}}, who)
	if got := f.Launch.Starter.Value; got.Permitted != full || got.Effective != 0 || !got.NoNewPrivs {
		t.Errorf("by what keeps its capabilities: %+v", got)
	}
	if f := AsUser(facts.Facts{}, who); f.Launch.Starter.State != facts.Unreadable {
		t.Error("of nothing known something became known")
	}
}

// Whatever a unit file holds, it is read, and nothing in it is taken for what it
// is not.
func FuzzParse(f *testing.F) {
	f.Add("[Service]\nExecStart=/srv/a b \\\n# x\n c\nUser=app\n[Socket]\nListenStream=443\n")
	f.Add("[Unit]\nConditionPathExists=|!/x\nRequires=a@%i.service\n[Service]\nType=oneshot\nExecStart=-/a ; !/b\nExecStartPre=+/c\nCPUAffinity=1-9999\nWorkingDirectory=~\nRestrictNamespaces=~net")
	f.Add("[Service\nA=\\\nB=\"'\\\n;=\n\xff=\n")
	f.Add("[Service]\nExecStart=@-:+!!\"/a \\\"b\" x\nSystemCallFilter=~bind:kill @known\nSocketBindDeny=ipv6:udp:1-9999999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		all, _, err := parse("x", []byte(text))
		if err != nil {
			return
		}
		for _, e := range all {
			if strings.ContainsAny(e.key+e.value, "\n") || strings.TrimSpace(e.value) != e.value || strings.HasPrefix(e.key, "#") {
				t.Errorf("%q", e)
			}
		}
		u := &Unit{Name: "app@x.service"}
		if u.set, err = u.clean(all); err != nil {
			return
		}
		who, err := u.Account(account)
		if err != nil {
			return
		}
		c, err := u.Main("")
		if err != nil {
			return
		}
		_ = u.Check(fstest.MapFS{}, c, who, "/home/app")
		for _, s := range u.listens(all, &Unit{Name: "app.socket"}) {
			if s.Addr.Port() == 0 || !s.Addr.IsValid() {
				t.Errorf("a socket at %v", s.Addr)
			}
		}
		u.Unlooked()
		u.Doubt(kernel.Goal{Network: "tcp", Port: 443}, "/srv/app")
		if started, err := u.Start(facts.Facts{File: facts.File{Path: known("/srv/app")}}, root, c, who); err == nil && !full.Contains(started.Launch.Starter.Value.Bounding) {
			t.Errorf("%+v", started.Launch)
		}
	})
}

// A drop-in is read up to what systemd gives up at, and the unit is loaded with that.
func TestBrokenDropIn(t *testing.T) {
	for _, broken := range []string{"[Service", "User=a:b", "ExecStart=bin/app", "User=\xff"} {
		u, err := Read(disk("-- srv/app.service --\n[Service]\nExecStart=/srv/app\n-- srv/app.service.d/x.conf --\n[Service]\nUser=app\n"+
			broken+"\nUser=root\n"), "/srv/app.service")
		if err != nil || u.set.last("User") != "app" || len(u.Notes) != 1 {
			t.Errorf("%q: %v, %q, %q", broken, err, u.set, u.Notes)
		}
	}
}

// What systemd passes over is said, with what it looks like.
func TestSlips(t *testing.T) {
	for service, want := range map[string]string{
		"NoNewPriviliges=yes":                   "one that is named NoNewPrivileges=",
		"ListenStream=80":                       "it belongs into [Socket]",
		"ProtectSystem=ful":                     "no such value",
		"PrivateTmp=perhaps":                    "no such value",
		"Environment=NoNewPrivileges=yes":       "not the directive NoNewPrivileges=",
		"Environment=A=1 \"User=app\"":          "not the directive User=",
		"[service]\nUser=app":                   "it belongs into [Service]",
		"Frobnicate=yes":                        "it has no such directive",
		"ExecStartPre=-bin/x":                   "neither a name nor an absolute path",
		"CPUAffinity=9999":                      "no list of processors",
		"AmbientCapabilities=CAP_NET_BIND_SERV": "systemd ignores",
	} {
		u := read(t, service)
		if err := u.Check(disk("-- srv/app --\n"), Command{Program: "/srv/app"}, facts.Account{}, ""); err != nil {
			t.Errorf("%q: %v", service, err)
		}
		started(t, u)
		if len(u.Notes) != 1 || !strings.Contains(u.Notes[0], want) {
			t.Errorf("%q: %q, want %q", service, u.Notes, want)
		}
	}
	if u := read(t, "Environment=A=1\nUser=app\nX-Mine=1\n[X-Mine]\nA=1"); len(u.Notes) != 0 {
		t.Errorf("%q", u.Notes)
	}
}

// Since systemd 255 a filter of a unit with User= takes no no_new_privs, unless it refuses
// what gives the privileges back.
func TestNoNewPrivsOfVersions(t *testing.T) {
	for _, tt := range []struct {
		service string
		version int
		want    bool
	}{
		{"User=app\nLockPersonality=yes", 252, true},
		{"User=app\nLockPersonality=yes", 254, true},
		{"User=app\nLockPersonality=yes", 255, false},
		{"User=app\nSystemCallFilter=@system-service", 257, false},
		{"User=app\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged", 257, true},
		{"User=app\nNoNewPrivileges=yes", 257, true},
		{"LockPersonality=yes", 252, false},
	} {
		u := read(t, tt.service)
		u.Build.Version = tt.version
		if got := started(t, u).Launch.Starter.Value.NoNewPrivs; got != tt.want {
			t.Errorf("%q of %d: %v", tt.service, tt.version, got)
		}
	}
	u := read(t, "User=app\nLockPersonality=yes")
	if who := (facts.Account{UID: 1000}); !u.mayForbid(who) || u.mayForbid(facts.Account{}) {
		t.Error("what depends on the version is not in doubt")
	}
}

// A version passes over what a later one has.
func TestDirectivesOfVersions(t *testing.T) {
	for _, tt := range []struct {
		line            string
		before, version int
	}{
		{"ExecSearchPath=/srv", 249, 250},
		{"OpenFile=/etc/passwd", 252, 253},
		{"SetLoginEnvironment=yes", 254, 255},
		{"MemoryZSwapWriteback=no", 255, 256},
		{"PrivatePIDs=yes", 256, 257},
		{"PrivateUsers=managed", 259, 260},
		{"Type=notify-reload", 252, 253},
	} {
		for _, version := range []int{tt.before, tt.version} {
			u := Unit{Name: "app.service", Build: Build{Version: version}}
			key, value, _ := strings.Cut(tt.line, "=")
			kept, err := u.clean(settings{{section: "Service", key: key, value: value}})
			if knows := version == tt.version; err != nil || (len(kept) == 1) != knows || (len(u.Notes) == 0) != knows {
				t.Errorf("%s by %d: %v, %v, %q", tt.line, version, kept, err, u.Notes)
			}
		}
	}
}
