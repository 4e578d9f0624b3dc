package launch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// A unit and its drop-ins are read up to their bounds, and not beyond.
func TestReadBounds(t *testing.T) {
	const service = "[Service]\nExecStart=/srv/app\n"
	comment := func(bytes int) string { return strings.Repeat("#", bytes) }
	whole := service + comment(maxFile-len(service))
	for _, tt := range []struct {
		name    string
		file    string
		dropIns []string
		reads   bool
	}{
		{"a file of the most bytes", whole, nil, true},
		{"a byte more", whole + "#", nil, false},
		{"the most lines", service + strings.Repeat("UMask=1\n", maxLines-1), nil, true},
		{"a line more", service + strings.Repeat("UMask=1\n", maxLines), nil, false},
		{"the most lines with drop-ins", service, []string{"[Service]\n" + strings.Repeat("UMask=1\n", maxLines-1)}, true},
		{"a line more with drop-ins", service, []string{"[Service]\n" + strings.Repeat("UMask=1\n", maxLines)}, false},
		{"the most bytes with drop-ins", service, []string{comment(maxFile), comment(maxFile), comment(maxFile), comment(maxFile - len(service))}, true},
		{"a byte more with drop-ins", service, []string{comment(maxFile), comment(maxFile), comment(maxFile), comment(maxFile - len(service) + 1)}, false},
	} {
		root := fstest.MapFS{"srv/app.service": {Data: []byte(tt.file)}}
		for i, d := range tt.dropIns {
			root[fmt.Sprintf("srv/app.service.d/%d.conf", i)] = &fstest.MapFile{Data: []byte(d)}
		}
		if _, err := Read(root, "/srv/app.service"); (err == nil) != tt.reads {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A line has at most maxLine bytes, also one that goes on in the next.
func TestLineBounds(t *testing.T) {
	const key = "[S]\nA="
	xs := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name, text string
		reads      bool
	}{
		{"the longest", key + xs(maxLine-2), true},
		{"a byte longer", key + xs(maxLine-1), false},
		{"in two parts", key + xs(100) + "\\\n" + xs(maxLine-103), true},
		{"a byte longer in two parts", key + xs(100) + "\\\n" + xs(maxLine-102), false},
		{"the longest, and then nothing", key + xs(maxLine-3) + "\\\n\n", true},
		{"a byte longer, and then nothing", key + xs(maxLine-2) + "\\\n\n", false},
	} {
		if all, _, err := parse("x", []byte(tt.text)); (err == nil) != tt.reads || tt.reads && len(all) != 1 {
			t.Errorf("%s: %d settings, %v", tt.name, len(all), err)
		}
	}
	all, _, err := parse("x", []byte("[S]\n# a\nA=1\n\nB=2 \\\n3\nC=4\n"))
	if err != nil || len(all) != 3 || all[0].line != 3 || all[1].line != 6 || all[2].line != 7 {
		t.Errorf("lines of %v, %v", all, err)
	}
}

// Of notes and doubts the first ones are kept.
func TestMany(t *testing.T) {
	u := read(t, "")
	for i := range 3 * maxNotes {
		u.note(fmt.Sprint(i), "0")
		u.doubt("%d", i)
	}
	if len(u.Notes) != maxNotes+1 || u.Notes[maxNotes-1] != fmt.Sprint(maxNotes-1) || !strings.Contains(u.Notes[maxNotes], "more") {
		t.Errorf("%d notes, at last %q", len(u.Notes), u.Notes[len(u.Notes)-1])
	}
	if len(u.doubts) != maxDoubts || u.doubts[0] != "0" {
		t.Errorf("%d doubts", len(u.doubts))
	}
}

// The number of letters to change, as Levenshtein counts them.
func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"kitten", "sitting", 3}, {"User", "User", 0}, {"User", "Usr", 1}, {"Usr", "User", 1}, {"User", "Yser", 1}, {"xUser", "User", 1}, {"User", "xUser", 1},
		{"Userx", "User", 1}, {"ab", "ba", 2}, {"", "abc", 3}, {"abc", "", 3}, {"flaw", "lawn", 2}, {"abcdefgh", "x", 5}, {"x", "abcdefgh", 5}, {"abcde", "vwxyz", 5},
	} {
		if got := distance(tt.a, tt.b, 5); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// A directive that is none is taken for the closest one of its section, the first by name.
func TestUnknownKey(t *testing.T) {
	for _, tt := range []struct{ section, key, suggests string }{
		{"Service", "Usr", "User"}, {"Service", "NoNewPrivilege", "NoNewPrivileges"}, {"Service", "Xyzzyplugh", ""}, {"Unit", "Wantz", "Wants"},
		{"Unit", "Usr", ""}, {"Service", "LimitXX", "LimitAS"}, {"Service", "LimitFSISE", "LimitFSIZE"}, {"Service", "WorkingDirectori", "WorkingDirectory"},
	} {
		for range 10 { // whatever the order in which the directives are gone through
			got := unknownKey(entry{section: tt.section, key: tt.key})
			if tt.suggests == "" && strings.Contains(got, "named") || tt.suggests != "" && !strings.Contains(got, " "+tt.suggests+"=") {
				t.Fatalf("[%s] %s: %s, want %q", tt.section, tt.key, got, tt.suggests)
			}
		}
	}
}

// User=, Group= and SupplementaryGroups=, as systemd looks for them (get_user_creds).
func TestAccount(t *testing.T) {
	look := func(user, group string) (facts.Account, error) {
		switch {
		case user == "missing" || group == "missing":
			return facts.Account{}, fmt.Errorf("none")
		case user == "54321":
			return facts.Account{UID: 54321}, nil
		}
		who := facts.Account{Name: "root"}
		if user == "app" {
			who = facts.Account{Name: "app", UID: 1000, GID: 1000}
		}
		if group != "" {
			who.GID = 33
		}
		return who, nil
	}
	for _, tt := range []struct {
		service  string
		uid, gid uint32
		groups   int
		fails    bool
	}{
		{"", 0, 0, 0, false},
		{"User=app", 1000, 1000, 0, false},
		{"User=app\nGroup=www", 1000, 33, 0, false},
		{"Group=www", 0, 33, 0, false},
		{"User=missing", 0, 0, 0, true},
		{"User=54321", 0, 0, 0, true},
		{"DynamicUser=yes", dynamicUID, dynamicUID, 0, false},
		{"DynamicUser=yes\nUser=app", 1000, 1000, 0, false},
		{"DynamicUser=yes\nUser=missing", dynamicUID, dynamicUID, 0, false},
		{"DynamicUser=yes\nGroup=www", dynamicUID, dynamicUID, 0, false},
		{"SupplementaryGroups=www adm", 0, 0, 2, false},
		{"SupplementaryGroups=www missing", 0, 0, 1, true},
	} {
		who, err := read(t, tt.service).Account(look)
		if (err != nil) != tt.fails || err == nil && (who.UID != tt.uid || who.GID != tt.gid || len(who.Groups) != tt.groups) {
			t.Errorf("%q: %+v, %v", tt.service, who, err)
		}
	}
}

// What the versions of systemd leave to the child (exec_child).
func TestConfineOfVersions(t *testing.T) {
	bind, raw := caps.SetOf(caps.NET_BIND_SERVICE), caps.SetOf(caps.NET_RAW)
	has := caps.State{Permitted: full, Effective: full, Bounding: full, Inheritable: bind}
	for version, want := range map[int]caps.Set{252: 0, 256: 0, 257: bind, 258: bind} { // capability_update_inherited_set
		u := read(t, "")
		u.Build.Version = version
		if got := u.confine(has, facts.Account{}); got.Inheritable != want {
			t.Errorf("systemd %d leaves %v inheritable, want %v", version, got.Inheritable, want)
		}
	}
	given := caps.State{Permitted: bind, Effective: bind, Inheritable: bind, Ambient: bind, Bounding: full}
	more := given
	more.Permitted, more.Effective = bind|raw, bind|raw
	for _, tt := range []struct {
		version int
		runs    caps.State
		service string
		doubts  int
	}{
		{252, given, "NoNewPrivileges=yes", 0}, {253, given, "NoNewPrivileges=yes", 1}, {0, given, "NoNewPrivileges=yes", 1}, {253, given, "", 0},
		{253, given, "NoNewPrivileges=yes\nAmbientCapabilities=CAP_NET_BIND_SERVICE", 0},
	} {
		u := read(t, tt.service)
		u.User, u.Build.Version = true, tt.version
		if u.confine(tt.runs, facts.Account{UID: 1000}); len(u.doubts) != tt.doubts {
			t.Errorf("a user's own manager of %d, %q: %q", tt.version, tt.service, u.doubts)
		}
	}
	for _, tt := range []struct {
		version int
		runs    caps.State
		want    caps.Set
		doubts  int
	}{
		{252, more, bind | raw, 0}, {254, more, bind | raw, 0}, {255, more, bind, 0}, {256, more, bind | raw, 1}, {0, more, bind | raw, 1}, {257, more, bind | raw, 0},
		{0, given, bind, 0}, {255, given, bind, 0},
	} {
		u := read(t, "")
		u.User, u.Build.Version = true, tt.version
		m, err := u.OwnManager(Command{}, known(tt.runs), root)
		if err != nil || m.Value.Permitted != tt.want || len(u.doubts) != tt.doubts {
			t.Errorf("a user's own manager of %d gives %v, %q, %v; want %v", tt.version, m.Value.Permitted, u.doubts, err, tt.want)
		}
	}
}

// Before version 255 systemd voided file capabilities where it made a filter for a user.
func TestFilterVoidsFile(t *testing.T) {
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	for _, tt := range []struct {
		file    caps.File
		service string
		version int
		doubts  int
	}{
		{caps.File{Version: 2, Permitted: bind}, "User=app\nLockPersonality=yes", 0, 1},
		{caps.File{Version: 2, Inheritable: bind}, "User=app\nLockPersonality=yes", 0, 1},
		{caps.File{Version: 2}, "User=app\nLockPersonality=yes", 0, 0},
		{caps.File{Version: 2, Permitted: bind}, "User=app\nLockPersonality=yes", 252, 0},
		{caps.File{Version: 2, Permitted: bind}, "User=app", 0, 0},
		{caps.File{Version: 2, Permitted: bind}, "LockPersonality=yes", 0, 0},
	} {
		u := read(t, tt.service)
		u.Build.Version = tt.version
		who, err := u.Account(account)
		if err != nil {
			t.Fatal(err)
		}
		f := facts.Facts{File: facts.File{Path: known("/srv/app"), Installed: facts.Image{Caps: known(tt.file)}}}
		if _, err := u.Start(f, root, Command{Program: "/srv/app"}, who); err != nil || len(u.doubts) != tt.doubts {
			t.Errorf("%v, %q by %d: %q, %v", tt.file, tt.service, tt.version, u.doubts, err)
		}
	}
}

// What hides the program: for "+" only a file system on top of it (apply_mount_namespace).
func TestExecutes(t *testing.T) {
	for _, tt := range []struct {
		service, marks string
		executes       bool
	}{
		{"TemporaryFileSystem=/srv", "", false}, {"TemporaryFileSystem=/srv", "+", false}, {"InaccessiblePaths=/srv", "", false},
		{"InaccessiblePaths=/srv", "+", true}, {"InaccessiblePaths=/opt", "", true}, {"", "", true},
	} {
		if err := read(t, tt.service).Executes(Command{Marks: tt.marks}, "/srv/app"); (err == nil) != tt.executes {
			t.Errorf("%q of %q: %v", tt.service, tt.marks, err)
		}
	}
}

// Under NoNewPrivileges= what systemd mounts anew is nosuid (make_nosuid), and nothing else.
func TestNosuid(t *testing.T) {
	for _, tt := range []struct {
		service, program string
		want             bool
	}{
		{"ProtectSystem=yes", "/usr/bin/app", true}, {"ProtectSystem=yes", "/etc/app", false}, {"ProtectSystem=full", "/etc/app", true},
		{"ProtectSystem=full", "/srv/app", false}, {"ProtectSystem=strict", "/srv/app", true}, {"ProtectSystem=no", "/usr/bin/app", false},
		{"ProtectHome=tmpfs", "/home/app", true}, {"PrivateTmp=yes", "/tmp/app", true}, {"ProtectKernelModules=yes", "/lib/modules/app", true},
	} {
		if got := read(t, "NoNewPrivileges=yes\n"+tt.service).set.nosuid(tt.program); got != tt.want {
			t.Errorf("%s with %s: nosuid %v", tt.program, tt.service, got)
		}
		if read(t, tt.service).set.nosuid(tt.program) {
			t.Errorf("%s with %s alone: nosuid", tt.program, tt.service)
		}
	}
}

// A program that is bound over is another one.
func TestUnseen(t *testing.T) {
	for service, want := range map[string]string{
		"BindPaths=/srv": "", "BindPaths=/srv:/srv": "", "BindPaths=/srv/:/srv:rbind": "", "BindPaths=/opt:/srv": "BindPaths=", "BindReadOnlyPaths=-/opt:/srv/app": "BindReadOnlyPaths=",
		"BindPaths=/opt": "", "BindPaths=/srv:/opt": "", "RootDirectory=/srv": "RootDirectory=", "PrivatePIDs=no": "", "ReadOnlyPaths=/srv/%i": "ReadOnlyPaths=", "ReadOnlyPaths=/srv": "",
	} {
		if got := read(t, service).set.unseen("/srv/app"); got != want {
			t.Errorf("%q: %q, want %q", service, got, want)
		}
	}
}

// Of the families that this process was refused, only what the kernel lacks is taken over, as
// far as no filter of this process says so.
func TestProbesOfService(t *testing.T) {
	for _, tt := range []struct {
		errno   string
		seccomp facts.Fact[int]
		want    string
	}{
		{"EAFNOSUPPORT", known(0), "EAFNOSUPPORT"}, {"EAFNOSUPPORT", known(2), ""}, {"EAFNOSUPPORT", facts.Fact[int]{}, ""}, {"EACCES", known(0), ""}, {"", known(0), ""},
	} {
		f := facts.Facts{Proc: facts.Proc{Seccomp: tt.seccomp}, Policy: facts.Policy{Probes: known([]facts.Probe{{Network: "tcp6", Errno: tt.errno}})}}
		if got := read(t, "").filters(f, false).Policy.Probes.Value[0].Errno; got != tt.want {
			t.Errorf("%q, seccomp %+v: %q, want %q", tt.errno, tt.seccomp, got, tt.want)
		}
	}
	for service, want := range map[string]string{"": "", "SystemCallFilter=@system-service": "SystemCallFilter", "RestrictAddressFamilies=AF_INET": "RestrictAddressFamilies", "SystemCallFilter=": ""} {
		if got := strings.Join(read(t, service).filters(facts.Facts{}, false).Launcher.UnitFilters.Value, " "); got != want {
			t.Errorf("%q: filters %q, want %q", service, got, want)
		}
	}
}

// What a filter refuses decides how the bind goes: a call of the bind ends the program or is
// refused, listen only for TCP, and any other call of a server is a doubt.
func TestFilteredCalls(t *testing.T) {
	tcp, udp := kernel.Goal{Network: "tcp", Port: 443}, kernel.Goal{Network: "udp", Port: 53}
	for _, tt := range []struct {
		filter       string
		endsT, endsU bool
		lacks        string
	}{
		{"~listen", true, false, ""}, {"~listen:EPERM", false, false, ""}, {"~bind", true, true, ""}, {"~socket:EPERM", false, false, ""}, {"~accept4", false, false, "accept4"}, {"@system-service", false, false, ""},
	} {
		u := read(t, "SystemCallFilter="+tt.filter)
		if u.ends(tcp) != tt.endsT || u.ends(udp) != tt.endsU || u.lacksCall() != tt.lacks {
			t.Errorf("%s: ends tcp %v, udp %v, lacks %q", tt.filter, u.ends(tcp), u.ends(udp), u.lacksCall())
		}
	}
}

// A list of all types restricts none (RestrictNamespaces=).
func TestRestrictNamespaces(t *testing.T) {
	for value, want := range map[string]bool{"cgroup ipc net mnt pid user uts": false, "cgroup ipc net mnt pid user": true, "~user": true, "yes": true, "no": false, "nonsense": false} {
		if got := read(t, "RestrictNamespaces="+value).set.restrictsNamespaces(); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
	if !read(t, "RestrictNamespaces=user net\nRestrictNamespaces=~net").set.restrictsNamespaces() {
		t.Error("two lists")
	}
}

// A start through a wrapper that changes the user: who executes the program, and whose child it is.
func TestThrough(t *testing.T) {
	app := facts.Account{Name: "app", UID: 1000, GID: 1000}
	f := facts.Facts{Proc: facts.Proc{IDs: known(facts.IDs{}), Parent: known(1)}}
	for _, tt := range []struct {
		name, line         string
		uid                uint32
		ancestor, regrants bool
	}{
		{"no change", "nice /srv/app", 0, false, false},
		{"another user", "gosu app /srv/app", 1000, false, true},
		{"another user, and a parent that stays", "runuser -u app -- /srv/app", 1000, true, true},
		{"a parent that stays", "timeout 5 /srv/app", 0, false, false},
		{"other sets", "setpriv --bounding-set=-chown --inh-caps=-chown /srv/app", 0, false, true},
		{"other sets, and an ambient one", "setpriv --inh-caps=+chown --ambient-caps=+chown /srv/app", 0, false, true},
	} {
		w, _, err := Unwrap(split(tt.line))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Through(f, root, w, app)
		if err != nil || got.Proc.IDs.Value.UID != tt.uid || (got.Launcher.Ancestor.State == facts.Known) != tt.ancestor || got.Launch.Changed != tt.regrants || w.regrants() != tt.regrants {
			t.Errorf("%s: uid %d, ancestor %v, changed %v, %v", tt.name, got.Proc.IDs.Value.UID, got.Launcher.Ancestor.State, got.Launch.Changed, err)
		}
	}
	w, _, _ := Unwrap(split("gosu app /srv/app"))
	if got, err := Through(f, facts.Fact[caps.State]{Reason: "EACCES"}, w, app); err != nil || got.Launch.Starter.State != facts.Unreadable || got.Proc.IDs.Value.UID != 0 {
		t.Errorf("of a thread that is not known: %+v, %v", got.Launch.Starter, err)
	}
	if _, err := Through(f, known(caps.State{Bounding: full}), w, app); err == nil {
		t.Error("without capabilities a wrapper changes the user")
	}
}

// What only root may do: refused to others, or in doubt.
func TestApplyAsUser(t *testing.T) {
	user := caps.UIDs{Real: 1000, Effective: 1000, Saved: 1000}
	all := caps.State{Permitted: full, Effective: full, Bounding: full}
	for _, tt := range []struct {
		line   string
		by     caps.UIDs
		has    caps.State
		fails  bool
		unsure bool
	}{
		{"chrt -f 10 /srv/app", caps.UIDs{}, all, false, false},
		{"chrt -f 10 /srv/app", user, all, true, false},
		{"sudo /srv/app", caps.UIDs{}, all, false, false},
		{"sudo /srv/app", user, all, true, true},
		{"gosu app /srv/app", user, caps.State{Bounding: full}, true, false},
		{"setpriv --bounding-set=nonsense /srv/app", caps.UIDs{}, all, true, false},
		{"setpriv --inh-caps=nonsense /srv/app", caps.UIDs{}, all, true, false},
		{"setpriv --ambient-caps=nonsense /srv/app", caps.UIDs{}, all, true, false},
	} {
		w, _, err := Unwrap(split(tt.line))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Apply(tt.has, tt.by, tt.by)
		if _, unsure := err.(*Unsure); (err != nil) != tt.fails || unsure != tt.unsure {
			t.Errorf("%s by %d: %v", tt.line, tt.by.Effective, err)
		}
	}
	for line, want := range map[string]bool{"gosu app /a": true, "chpst -u app /a": true, "chpst -n 5 /a": false, "setpriv --clear-groups /a": true, "setpriv --reuid=app /a": false, "nice /a": false} {
		if w, _, err := Unwrap(split(line)); err != nil || w.SetsGroups != want {
			t.Errorf("%s: sets groups %v, %v", line, w.SetsGroups, err)
		}
	}
}

// A .socket unit with Accept=yes that has no port is of no concern.
func TestAcceptsNothing(t *testing.T) {
	u := read(t, "")
	set := settings{{section: "Socket", key: "ListenFIFO", value: "/run/x"}, {section: "Socket", key: "Accept", value: "yes"}}
	if all := u.listens(set, &Unit{Name: "x.socket"}); len(all) != 0 || len(u.Notes) != 0 {
		t.Errorf("%v, %q", all, u.Notes)
	}
	set = append(set, entry{section: "Socket", key: "ListenStream", value: "443"})
	if all := u.listens(set, &Unit{Name: "x.socket"}); len(all) != 0 || !slices.ContainsFunc(u.Notes, func(n string) bool { return strings.Contains(n, "Accept=yes") }) {
		t.Errorf("%v, %q", all, u.Notes)
	}
}
