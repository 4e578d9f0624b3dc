package launch

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lowport/lowport/internal/facts"
)

// hiding is a file system in which nobody may look into the folder "hidden".
type hiding struct{ fstest.MapFS }

func (h hiding) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "hidden/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return h.MapFS.Open(name)
}

func (h hiding) Stat(name string) (fs.FileInfo, error) {
	if _, err := h.Open(name); err != nil {
		return nil, err
	}
	return h.MapFS.Stat(name)
}

// link is a symbolic link.
func link(to string) *fstest.MapFile { return &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte(to)} }

// told is how the start of the service is told: "" where nothing speaks against it.
func told(u *Unit, at place, check check) string {
	u.doubts = nil
	switch err := check(u, at); {
	case err != nil:
		return "stops"
	case len(u.doubts) > 0:
		return "doubt"
	}
	return ""
}

// What systemd looks for before it executes the program (systemd.service(5), systemd.exec(5)):
// what is not there stops the start, and what cannot be seen is in doubt.
func TestChecks(t *testing.T) {
	disk := hiding{fstest.MapFS{
		"srv/a.env": {}, "srv/file": {}, "dev/console": {}, "dev/tty7": {}, "run/netns/x": {}, "home/app/x/file": {},
		"sys/devices/system/cpu/possible": {Data: []byte("0-3\n")},
		"srv/pipe":                        {Mode: fs.ModeNamedPipe}, "srv/bad.txt": {Data: []byte("A=\xff\n")}, "srv/big": {Data: make([]byte, maxCredentials-1)},
		"srv/bigger": {Data: make([]byte, maxCredentials)}, "srv/half/a": {Data: make([]byte, maxCredentials/2)}, "srv/half/b": {},
		"etc/systemd/system/gone.slice": {}, "etc/systemd/system/kept.slice": {Data: []byte("[Slice]\n")},
		"run/file": {}, "etc/file": {}, "var/cache/private": {}, "var/lib/dir/x": {}, "var/lib/private/dir/x": {}, "var/lib/private/only/x": {}, "var/lib/private/file": {},
		"var/lib/back": link("private/only"), "var/lib/lost": link("private/lost"), "var/lib/away": link("../../srv"), "var/lib/nowhere": link("/none"),
	}}
	app := facts.Account{Name: "app", UID: 1000}
	for _, tt := range []struct {
		name    string
		check   check
		service string
		want    string
	}{
		{"a oneshot that always restarts", verify, "Type=oneshot\nRestart=always", "stops"},
		{"a oneshot that restarts on success", verify, "Type=oneshot\nRestart=on-success", "stops"},
		{"a oneshot that restarts on failure", verify, "Type=oneshot\nRestart=on-failure", ""},
		{"another service that always restarts", verify, "Restart=always", ""},
		{"another service that restarts on success", verify, "Restart=on-success", ""},
		{"D-Bus without a name", verify, "Type=dbus", "stops"},
		{"D-Bus with a name", verify, "Type=dbus\nBusName=org.example", ""},
		{"a PAM session that kills nothing", verify, "PAMName=x\nKillMode=none", "stops"},
		{"a PAM session that kills the process", verify, "PAMName=x\nKillMode=process", "stops"},
		{"a PAM session that kills all", verify, "PAMName=x\nKillMode=mixed", ""},
		{"no PAM session that kills nothing", verify, "KillMode=none", ""},

		{"an environment file", environmentFiles, "EnvironmentFile=/srv/a.env", ""},
		{"an environment file that is missing", environmentFiles, "EnvironmentFile=/srv/none", "stops"},
		{"one that may be missing", environmentFiles, "EnvironmentFile=-/srv/none", ""},
		{"one that cannot be seen", environmentFiles, "EnvironmentFile=/hidden/env", "doubt"},
		{"a pattern that fits", environmentFiles, "EnvironmentFile=/srv/*.env", ""},
		{"a pattern that fits nothing", environmentFiles, "EnvironmentFile=/srv/*.none", "stops"},
		{"a pattern that is none", environmentFiles, "EnvironmentFile=/srv/[", "doubt"},

		{"a folder", environmentFiles, "EnvironmentFile=/srv", "stops"},
		{"a folder that may be missing", environmentFiles, "EnvironmentFile=-/srv", ""},
		{"a pattern of which one is a folder", environmentFiles, "EnvironmentFile=/srv/h*", "stops"},
		{"one that is not UTF-8", environmentFiles, "EnvironmentFile=/srv/bad.txt", "stops"},
		{"one that is written by another program", environmentFiles, "EnvironmentFile=/srv/pipe", "doubt"},
		{"one whose name has an unknown specifier", environmentFiles, "EnvironmentFile=/srv/%Z", ""},
		{"one whose name depends on the machine", environmentFiles, "EnvironmentFile=/srv/%H", "doubt"},
		{"a name in braces", environmentFiles, "EnvironmentFile=/srv/{a,b}*", "doubt"},

		{"standard input from a file", input, "StandardInput=file:/srv/file", ""},
		{"standard input from no file", input, "StandardInput=file:/srv/none", "stops"},
		{"a socket that nobody passes", input, "StandardInput=socket", "stops"},
		{"the console", input, "StandardInput=tty", "doubt"},
		{"a terminal", input, "StandardInput=tty\nTTYPath=/dev/tty7", "doubt"},
		{"a terminal that is missing", input, "StandardInput=tty\nTTYPath=/dev/none", "stops"},
		{"output to a terminal that is missing", output, "StandardOutput=tty\nTTYPath=/dev/none", "stops"},
		{"errors to a terminal that is missing", output, "StandardError=tty\nTTYPath=/dev/none", "stops"},
		{"output to the console", output, "StandardOutput=tty", "doubt"},
		{"output into a folder", output, "StandardOutput=append:/srv/log", ""},
		{"output into no folder", output, "StandardOutput=append:/none/log", "stops"},

		{"output into a new file", output, "StandardOutput=file:/srv/new", ""},
		{"output over a folder", output, "StandardOutput=truncate:/srv", "stops"},
		{"errors over a folder", output, "StandardError=append:/home/app/x", "stops"},
		{"output below a file", output, "StandardOutput=file:/srv/file/log", "stops"},
		{"output into a pipe", output, "StandardOutput=file:/srv/pipe", "doubt"},
		{"output into a folder that cannot be seen", output, "StandardOutput=file:/hidden/x/log", "doubt"},

		{"a slice", slice, "Slice=app.slice", ""},
		{"the root slice", slice, "Slice=-.slice", ""},
		{"no slice", slice, "Slice=app.service", ""},
		{"a name that no unit has", slice, "Slice=a/b.slice", ""},
		{"a slice without a name before its dash", slice, "Slice=-app.slice", "stops"},
		{"a slice without a name behind its dash", slice, "Slice=app-.slice", "stops"},
		{"a slice without a name between dashes", slice, "Slice=app--x.slice", "stops"},
		{"a slice that is masked", slice, "Slice=gone.slice", "stops"},
		{"a slice in one that is masked", slice, "Slice=gone-x.slice", "stops"},
		{"a slice in one that has a file", slice, "Slice=kept-%p.slice", ""},

		{"a folder that is new", freeFolders, "StateDirectory=new/x", ""},
		{"a folder that is there", freeFolders, "StateDirectory=dir", ""},
		{"a file in the way", freeFolders, "RuntimeDirectory=x file", "stops"},
		{"a file in the way above", freeFolders, "RuntimeDirectory=file/x", "stops"},
		{"a file in the way by its specifier", freeFolders, "RuntimeDirectory=%Z fi%%\nRuntimeDirectory=%p file", "stops"},
		{"a file in the way of a link", freeFolders, "RuntimeDirectory=x:file", "stops"},
		{"a file among the configuration", freeFolders, "ConfigurationDirectory=file", ""},
		{"a file above the configuration", freeFolders, "ConfigurationDirectory=file/x", "stops"},
		{"a link to nothing", freeFolders, "StateDirectory=nowhere", "stops"},
		{"a link to another folder", freeFolders, "StateDirectory=away", "doubt"},
		{"a link that DynamicUser= has left", freeFolders, "StateDirectory=back", "doubt"},
		{"a link to what is not private any more", freeFolders, "StateDirectory=lost", "stops"},
		{"a private link", freeFolders, "DynamicUser=yes\nStateDirectory=lost", ""},
		{"a private link to another folder", freeFolders, "DynamicUser=yes\nStateDirectory=away", "stops"},
		{"a private folder and another one", freeFolders, "DynamicUser=yes\nStateDirectory=dir", "stops"},
		{"a folder that its user may not enter", freeFolders, "StateDirectory=x\nStateDirectoryMode=0600", "doubt"},
		{"a folder that its user may enter", freeFolders, "StateDirectory=x\nStateDirectoryMode=0700", ""},
		{"a private folder", freeFolders, "DynamicUser=yes\nStateDirectory=only", ""},
		{"a private file", freeFolders, "DynamicUser=yes\nStateDirectory=file", "stops"},
		{"a file in the place of all private folders", freeFolders, "DynamicUser=yes\nCacheDirectory=x", "stops"},
		{"a runtime folder is not private", freeFolders, "DynamicUser=yes\nRuntimeDirectory=x", ""},

		{"the first node", memory, "NUMAPolicy=bind\nNUMAMask=0-1", ""},
		{"another node", memory, "NUMAPolicy=bind\nNUMAMask=5", "doubt"},
		{"another node, and no policy", memory, "NUMAMask=5", ""},

		{"the first processor", processor, "CPUAffinity=0 9", ""},
		{"one of the processors", processor, "CPUAffinity=3,9", ""},
		{"none of the processors", processor, "CPUAffinity=4-8191", "stops"},

		{"a credential", credentials, "LoadCredential=a:/srv/file", ""},
		{"a credential that is missing", credentials, "LoadCredential=a:/srv/none", "stops"},
		{"one with a value in its place", credentials, "LoadCredential=a:/srv/none\nSetCredential=a:x", ""},
		{"a large credential", credentials, "LoadCredential=a:/srv/big", ""},
		{"one too large with its name", credentials, "LoadCredential=ab:/srv/big", "stops"},
		{"one that is too large", credentials, "LoadCredential=a:/srv/bigger\nSetCredential=a:x", "stops"},
		{"two that are too large together", credentials, "LoadCredential=a:/srv/big\nSetCredential=b:x", "stops"},
		{"a folder of credentials", credentials, "LoadCredential=a:/srv/half", ""},
		{"two folders of credentials", credentials, "LoadCredential=a:/srv/half\nLoadCredential=b:/srv/half", "stops"},
		{"a credential from another program", credentials, "LoadCredential=a:/srv/pipe", "doubt"},
		{"an encrypted one", credentials, "LoadCredentialEncrypted=a:/srv/file", "doubt"},
		{"an encrypted one that is missing", credentials, "LoadCredentialEncrypted=a:/srv/none", "stops"},

		{"no such home", workingDirectory, "WorkingDirectory=~", "doubt"},
		{"a folder that is missing", workingDirectory, "WorkingDirectory=/none", "stops"},
		{"one that may be missing", workingDirectory, "WorkingDirectory=-/none", ""},
		{"a file", workingDirectory, "WorkingDirectory=/srv/file", "stops"},
		{"a folder that cannot be seen", workingDirectory, "WorkingDirectory=/hidden/x", "doubt"},
		{"a folder that systemd makes", workingDirectory, "RuntimeDirectory=app\nWorkingDirectory=/run/app", ""},
		{"a folder above one that it makes", workingDirectory, "StateDirectory=app/x:y\nWorkingDirectory=/var/lib/app", ""},
		{"a folder whose name begins alike", workingDirectory, "RuntimeDirectory=app2\nWorkingDirectory=/run/app", "stops"},
		{"a folder that the unit hides", workingDirectory, "ProtectHome=yes\nWorkingDirectory=/home/app", "doubt"},
		{"a folder in which nothing may be executed", workingDirectory, "NoExecPaths=/srv\nWorkingDirectory=/srv", ""},
	} {
		u := read(t, tt.service)
		command, err := u.Main("")
		if err != nil {
			t.Fatal(err)
		}
		if got := told(u, place{root: disk, command: command, who: facts.Account{Name: "root"}}, tt.check); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	u := read(t, "WorkingDirectory=~")
	if got := told(u, place{root: disk, who: facts.Account{Name: "root"}, home: "/srv"}, workingDirectory); got != "" {
		t.Errorf("root's home: %q", got)
	}
	if got := told(u, place{root: disk, who: app, home: "/srv"}, workingDirectory); got != "doubt" {
		t.Errorf("a file system without owners: %q", got)
	}
	for _, cpus := range []*fstest.MapFile{nil, {Data: []byte("x\n")}} {
		root := fstest.MapFS{"srv/app": {}}
		if cpus != nil {
			root["sys/devices/system/cpu/possible"] = cpus
		}
		if got := told(read(t, "CPUAffinity=3"), place{root: root}, processor); got != "doubt" {
			t.Errorf("processors that cannot be read: %q", got)
		}
	}
}

// Versions of systemd differ in whether they read IPCNamespacePath= alone.
func TestIPCNamespacePath(t *testing.T) {
	for _, tt := range []struct {
		service string
		version int
		want    string
	}{
		{"IPCNamespacePath=/none", 252, ""}, {"IPCNamespacePath=/none", 253, "doubt"}, {"IPCNamespacePath=/none", 256, "doubt"},
		{"IPCNamespacePath=/none", 257, "stops"}, {"IPCNamespacePath=/none", 249, ""}, {"IPCNamespacePath=/none", 0, "doubt"},
		{"IPCNamespacePath=/none\nPrivateNetwork=yes", 252, "stops"}, {"IPCNamespacePath=/srv\nPrivateNetwork=yes", 252, ""},
		{"NetworkNamespacePath=/none", 252, "stops"}, {"", 257, ""},
	} {
		u := read(t, tt.service)
		u.Build.Version = tt.version
		if got := told(u, place{root: fstest.MapFS{"srv/app": {}}}, namespaces); got != tt.want {
			t.Errorf("%q by %d: %q, want %q", tt.service, tt.version, got, tt.want)
		}
	}
}

// A list of processors as CPUAffinity= takes it.
func TestCPUList(t *testing.T) {
	for list, want := range map[string]int{"0": 1, "0-3,5 7": 6, "3-3": 1, "5-4": 0, "8191": 1, "8192": -1, "0-8192": -1, "-1": -1, "x": -1, "1-x": -1, "x-1": -1, "": 0} {
		if all, err := cpuList(list); (err != nil) != (want < 0) || err == nil && len(all) != want {
			t.Errorf("%q: %v, %v", list, all, err)
		}
	}
}

// Of a version that fits, systemd is built as its private library says.
func TestBuildOf(t *testing.T) {
	const folder = "usr/lib/x86_64-linux-gnu/systemd/"
	without := []byte("+PAM -BPF_FRAMEWORK")
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  Build
	}{
		{"a whole version", fstest.MapFS{folder + "libsystemd-shared-252.so": {Data: []byte("+BPF_FRAMEWORK")}}, Build{Version: 252}},
		{"a version of Debian", fstest.MapFS{folder + "libsystemd-shared-257-1~deb13u1.so": {Data: without}}, Build{257, true}},
		{"a version with a point", fstest.MapFS{"usr/lib64/systemd/libsystemd-shared-259.4.so": {}}, Build{Version: 259}},
		{"no number", fstest.MapFS{folder + "libsystemd-shared-x.so": {Data: without}}, Build{}},
		{"no number, and one elsewhere", fstest.MapFS{folder + "libsystemd-shared-x.so": {}, "lib/systemd/libsystemd-shared-250.so": {}}, Build{Version: 250}},
		{"two", fstest.MapFS{folder + "libsystemd-shared-252.so": {}, folder + "libsystemd-shared-257.so": {}}, Build{}},
		{"none", fstest.MapFS{"usr/lib/x": {}}, Build{}},
	} {
		if got := BuildOf(tt.files); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// Two releases are compared by their first two numbers, and the same ones not at all.
func TestAtLeast(t *testing.T) {
	for _, tt := range []struct{ release, value, want string }{
		{"6.12.3", ">=6.1", "yes"}, {"6.12.3", ">=6.13", "no"}, {"6.12.3", "<6.13", "yes"}, {"6.12.3", "<= 5", "no"}, {"6.12.3", ">5", "yes"},
		{"6.12.3", ">=6.12.1", "unsure"}, {"6.12.3", "<6.12.9", "unsure"}, {"6.12.3", ">=6", "unsure"}, {"6", ">=6.1", "unsure"},
		{"6.12.3", "6.1", "unsure"}, {"6.12.3", ">=6.x", "unsure"}, {"x", ">=6.1", "unsure"},
	} {
		got := "no"
		if met, sure := atLeast(tt.release, tt.value); !sure {
			got = "unsure"
		} else if met {
			got = "yes"
		}
		if got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.release, tt.value, got, tt.want)
		}
	}
}

// The units without which a service is not started have to be there, and not masked.
func TestRequirements(t *testing.T) {
	unit := &fstest.MapFile{Data: []byte("[Unit]\n")}
	disk := fstest.MapFS{
		"proc/1/mountinfo":                 {Data: []byte("1 0 8:1 / / rw - ext4 /dev/x rw\n2 1 8:2 / /srv rw - ext4 /dev/y rw\n")},
		"etc/systemd/system/there.service": unit, "etc/systemd/system/there.socket": unit, "etc/systemd/system/there.target": unit, "etc/systemd/system/many@.service": unit,
		"etc/systemd/system/empty.service":  {},
		"etc/systemd/system/masked.service": {Mode: fs.ModeDevice}, "usr/lib/systemd/system/masked.service": {},
	}
	for line, want := range map[string]string{
		"Requires=there.service": "doubt", "Requires=there.socket": "doubt", "Requires=there.target": "", "Requisite=there.target": "doubt",
		"Requires=none.service": "stops", "BindsTo=none.socket": "stops", "Requires=none.target": "stops", "Requires=srv.mount": "", "Requires=none.mount": "stops", "Requires=none.timer": "stops", "RequiresMountsFor=/none": "", "Requires=many@1.service": "doubt",
		"Requires=masked.service": "stops", "Requires=empty.service": "stops", "Requires=there.target none.target": "stops", "Wants=none.service": "", "Requires=%z.mount": "", "": "",
	} {
		u := read(t, "[Unit]\n"+line)
		if got := told(u, place{root: disk}, requirements); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// Conditions on files (systemd.unit(5)): a condition of another kind of file is not met.
func TestFileConditions(t *testing.T) {
	disk := hiding{fstest.MapFS{
		"srv/program": {Mode: 0o755, Data: []byte("x")}, "srv/data": {Data: []byte("x")}, "srv/empty": {}, "srv/full/file": {},
		"srv/none": {Mode: fs.ModeDir}, "srv/link": {Mode: fs.ModeSymlink, Data: []byte("data")},
	}}
	for line, want := range map[string]string{
		"PathExists=/srv/data": "", "PathExists=/srv/x": "stops", "PathExists=!/srv/x": "", "PathExists=/hidden/x": "doubt", "PathExists=srv/data": "doubt",
		"PathExistsGlob=/srv/d*": "", "PathExistsGlob=/srv/z*": "stops", "PathExistsGlob=/srv/[": "doubt",
		"PathIsDirectory=/srv": "", "PathIsDirectory=/srv/data": "stops", "PathIsDirectory=/srv/x": "stops",
		"PathIsSymbolicLink=/srv/link": "", "PathIsSymbolicLink=/srv/data": "stops", "PathIsSymbolicLink=/srv/x": "stops",
		"FileNotEmpty=/srv/data": "", "FileNotEmpty=/srv/empty": "stops", "FileNotEmpty=/srv": "stops", "FileNotEmpty=/srv/x": "stops",
		"FileIsExecutable=/srv/program": "", "FileIsExecutable=/srv/data": "stops", "FileIsExecutable=/srv": "stops", "FileIsExecutable=/srv/x": "stops",
		"DirectoryNotEmpty=/srv/full": "", "DirectoryNotEmpty=/srv/none": "stops", "DirectoryNotEmpty=/srv/x": "stops", "DirectoryNotEmpty=/srv/data": "doubt",
	} {
		u := read(t, "[Unit]\nCondition"+line)
		if got := told(u, place{root: disk}, conditions); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// ConditionUser= compares with the user of the manager: root, or whose own manager it is.
func TestConditionUser(t *testing.T) {
	app := facts.Account{Name: "app", UID: 1000}
	for _, tt := range []struct{ value, system, own string }{
		{"root", "", "stops"}, {"0", "", "stops"}, {"@system", "", "doubt"}, {"app", "stops", ""}, {"1000", "doubt", ""}, {"www", "stops", "stops"},
	} {
		for own, want := range map[bool]string{false: tt.system, true: tt.own} {
			u := read(t, "[Unit]\nConditionUser="+tt.value)
			u.User = own
			if got := told(u, place{root: fstest.MapFS{}, who: app}, conditions); got != want {
				t.Errorf("%s, own manager %v: %q, want %q", tt.value, own, got, want)
			}
		}
	}
}

// What a user's own manager may not be able to do is in doubt, and nothing else of the unit.
func TestPrivileges(t *testing.T) {
	for service, want := range map[string]string{"": "", "User=app": "doubt", "Nice=-5": "doubt", "UMask=0077": "", "User=": "", "[Socket]\nNice=5": ""} {
		u := read(t, service)
		u.User = true
		if got := told(u, place{}, privileges); got != want {
			t.Errorf("%q: %q, want %q", service, got, want)
		}
	}
}

// Where systemd looks for a program without a slash: in each folder, for what may be executed.
func TestProgram(t *testing.T) {
	disk := fstest.MapFS{
		"usr/local/bin/app": {Mode: 0o644}, "usr/bin/app": {Mode: 0o755}, "bin/app": {Mode: 0o755},
		"usr/bin/dir/x": {}, "bin/dir": {Mode: 0o755}, "opt/app": {Mode: 0o755}, "srv/data": {Mode: 0o644},
	}
	for _, tt := range []struct{ service, program, want string }{
		{"", "app", "/usr/bin/app"},
		{"", "dir", "/bin/dir"},
		{"", "none", ""},
		{"", "/opt/app", "/opt/app"},
		{"", "/opt/none", ""},
		{"ExecSearchPath=/srv /opt", "app", ""},
		{"ExecSearchPath=/opt", "app", "/opt/app"},
		{"Environment=PATH=/opt", "app", "/usr/bin/app"},
	} {
		got, err := read(t, tt.service).program(disk, tt.program)
		if err != nil {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%q: %s is %q, want %q", tt.service, tt.program, got, tt.want)
		}
	}
	for service, want := range map[string]string{
		"": servicesPath + " " + servicesPath, "ExecSearchPath=/opt": "/opt /opt", "Environment=A=1 PATH=/srv:/opt": servicesPath + " /srv:/opt",
		"ExecSearchPath=/opt\nEnvironment=PATH=/srv": "/opt /srv",
	} {
		if search, env := read(t, service).Path(); search+" "+env != want {
			t.Errorf("%q: %s %s, want %s", service, search, env, want)
		}
	}
}
