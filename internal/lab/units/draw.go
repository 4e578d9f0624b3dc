package units

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// A Draw is one random service.
type Draw struct {
	Number  int
	Name    string            // of the unit to start
	File    string            // its path
	Manager string            // the user whose own manager starts it, "" for the system's
	Files   map[string]string // unit files and drop-ins, by path
	Socket  string            // the .socket unit to start before it, "" for none
	Address string            // what the program is asked to bind
	Guarded bool              // the program has the guard
	Odd     bool              // it may have rare directives and values that systemd refuses
}

// Text is the draw in the order in which systemd reads it.
func (d Draw) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n%s", d.File, d.Files[d.File])
	for _, path := range slices.Sorted(maps.Keys(d.Files)) {
		if path != d.File {
			fmt.Fprintf(&b, "# %s\n%s", path, d.Files[path])
		}
	}
	if d.Socket != "" {
		fmt.Fprintf(&b, "# started: %s\n", d.Socket)
	}
	if d.Manager != "" {
		fmt.Fprintf(&b, "# by the manager of %s\n", d.Manager)
	}
	return b.String()
}

// folder is that of the units of the manager.
func (d Draw) folder() string {
	if d.Manager != "" {
		return "/etc/systemd/user/"
	}
	return "/etc/systemd/system/"
}

func (d Draw) dropIn(name, number string) string {
	return d.folder() + name + ".d/" + number + "-draw.conf"
}

// Managers are the users that have a manager of their own: that of operator was given the
// capability.
var Managers = []string{"app", "operator"}

// a die draws for one unit.
type die struct{ *rand.Rand }

// one is one of several.
func (d die) one(of ...string) string { return of[d.IntN(len(of))] }

// in reports true once in n.
func (d die) in(n int) bool { return d.IntN(n) == 0 }

// New makes the draw of that number. Each has a port of its own, low or not.
func New(seed uint64, number int) Draw {
	d := die{rand.New(rand.NewPCG(seed, uint64(number)))}
	u := Draw{Number: number, Name: fmt.Sprintf("draw%d.service", number), Files: map[string]string{}}
	if d.in(8) {
		u.Manager = d.one(Managers...)
	}
	switch {
	case d.in(8):
		u.Name = fmt.Sprintf("draw%d@%s.service", number, d.one("app", "web-1", "root", `a\x2db`))
	case d.in(8):
		u.Name = fmt.Sprintf("draw%d-web.service", number)
	}
	u.File = u.folder() + u.Name
	if template, _, ok := strings.Cut(u.Name, "@"); ok && !d.in(3) {
		u.File = u.folder() + template + "@.service"
	}
	port := 100 + number%800
	if d.in(12) {
		port += 9000
	}
	u.Address = d.one("", "", "", "127.0.0.1", "0.0.0.0", "[::]", "[::1]") + fmt.Sprint(":", port)
	if d.in(40) {
		u.Address = fmt.Sprint("203.0.113.9:", port)
	}
	program := d.program()
	u.Guarded = strings.Contains(program, "guarded")
	u.Odd = d.in(2)
	lines := d.service(u.Odd, u.Manager != "")
	unit := "[Unit]\nDescription=draw\n" + d.unitSection(u.Odd) + "[Service]\nType=oneshot\n"
	if d.in(60) {
		unit = "[Service]\nType=oneshot\n"
	}
	prefix := d.prefix()
	exec := "ExecStart=" + prefix + d.wrapped(d.spelt(program)) + " " + u.Address + "\n"
	if strings.Contains(prefix, ":") {
		exec = strings.ReplaceAll(exec, "$$", "$")
	}
	exec = d.laidOut(exec, strings.Contains(prefix, ":"))
	cut := 0
	if d.in(4) {
		cut = d.IntN(len(lines) + 1)
		u.Files[u.dropIn(d.one(dropInNames(u.Name)...), d.one("10", "20"))] = "[Service]\n" + strings.Join(lines[:cut], "")
	}
	u.Files[u.File] = unit + strings.Join(lines[cut:], "") + exec
	if d.in(20) { // the command of a drop-in takes the place of the unit's
		u.Files[u.File] = unit + strings.Join(lines[cut:], "") + "ExecStart=/bin/false\n"
		u.Files[u.dropIn(u.Name, "30")] = "[Service]\nExecStart=\n" + exec
	}
	if d.in(4) && u.Manager == "" {
		name, text := strings.TrimSuffix(u.Name, ".service"), d.socket(port)
		if d.in(6) {
			name, text = fmt.Sprintf("draw%d-other", number), text+"Service="+u.Name+"\n"
		}
		u.Files[u.folder()+name+".socket"] = text
		if !d.in(4) {
			u.Socket = name + ".socket"
		}
	}
	return u
}

// dropInNames are the names under which a unit has drop-ins.
func dropInNames(name string) []string {
	names := []string{name, name}
	if template, _, ok := strings.Cut(name, "@"); ok {
		names = append(names, template+"@.service")
	}
	if prefix, _, ok := strings.Cut(name, "-web"); ok {
		names = append(names, prefix+"-.service")
	}
	return names
}

// spelt is another spelling of a program's path.
func (d die) spelt(program string) string {
	if !d.in(8) {
		return program
	}
	dir, name := path.Split(program)
	escaped := strings.Replace(program, "/", `\x2f`, 2)
	return d.one(`"`+program+`"`, escaped, "/"+program, dir+"./"+name, dir+"../"+strings.TrimPrefix(program, "/"), dir+"link-"+name, name, "%%"+program, `'`+program+`'`)
}

// laidOut is another way to write a line of ExecStart=. In a literal one systemd puts nothing
// in for variables.
func (d die) laidOut(exec string, literal bool) string {
	first, rest, _ := strings.Cut(exec, " ")
	switch d.IntN(100) {
	case 0:
		return exec + exec
	case 1, 2:
		return first + " \\\n  " + rest
	case 3:
		return first + " \\\n# a comment\n  " + rest
	case 4:
		return "ExecStart=/bin/false\nExecStart=\n" + exec
	case 5:
		return strings.Replace(exec, "ExecStart=", " ExecStart =  ", 1)
	case 6:
		return "ExecStart=/bin/true ; " + strings.TrimPrefix(exec, "ExecStart=")
	case 7:
		if literal {
			return exec
		}
		return strings.TrimSuffix(exec, "\n") + " $NOTHING\n"
	}
	return exec
}

// programs are the copies of the two programs that the guest makes.
var programs = []string{"", "-p", "-ep", "-ei", "-eip", "-eall", "-closed", "-u", "-setuid"}

func (d die) program() string {
	kind := d.one("guarded", "guarded", "plain")
	mark := ""
	if !d.in(2) {
		mark = d.one(programs...)
	}
	dir := d.one("/srv/", "/srv/", "/srv/", "/srv/", "/opt/", "/usr/local/bin/", "/home/app/", "/tmp/", "/srv/nosuid/", "/srv/closed/")
	if d.in(50) {
		return dir + "missing-" + kind
	}
	if d.in(70) {
		return "/srv/" + d.one("text", "arm64", "noloader", "script-"+kind, "script2-"+kind)
	}
	return dir + kind + mark
}

func (d die) prefix() string {
	if !d.in(6) {
		return ""
	}
	return d.one("-", ":", "+", "!", "!!", "-+", "+-", "!-", ":!")
}

func (d die) wrapped(program string) string {
	switch {
	case d.in(40):
		return "@" + program + " called"
	case !d.in(5):
		return program
	}
	first := d.one("/usr/bin/taskset 1", "/usr/bin/nice -n 5", "/usr/bin/ionice -c 3", "/usr/bin/env A=1", "/usr/bin/env", "/usr/bin/timeout 60",
		"/usr/bin/setarch -R", "/usr/bin/stdbuf -oL", "/usr/bin/nohup", "/usr/bin/tini -s --", "/usr/bin/dumb-init", "/usr/bin/catatonit",
		"/usr/sbin/gosu app", "/usr/bin/chpst -u app", "/usr/bin/s6-setuidgid app", "/usr/sbin/runuser -u app --", "/usr/bin/numactl --physcpubind=0",
		"/usr/bin/setpriv --reuid=app --regid=app --clear-groups", "/usr/bin/setpriv --no-new-privs", "/usr/bin/setpriv --bounding-set=-net_bind_service",
		"/usr/bin/setpriv --reuid=app --inh-caps=+net_bind_service --ambient-caps=+net_bind_service", "/usr/bin/sudo -n -u app",
		"/usr/bin/chrt --other 0", "/srv/mystery", "nice")
	if d.in(6) {
		first += " " + d.one("/usr/bin/env B=2", "/usr/bin/nice", "/usr/bin/setpriv --no-new-privs")
	}
	if d.in(8) {
		return "/bin/sh -c " + d.one("'exec ", "'") + program + " \"$$@\"' sh"
	}
	return first + " " + program
}

func (d die) socket(port int) string {
	text := "[Unit]\nDescription=draw\n[Socket]\n"
	at := d.one(fmt.Sprint(port), fmt.Sprint(port), fmt.Sprint("0.0.0.0:", port), fmt.Sprint("127.0.0.1:", port), fmt.Sprint("[::]:", port), fmt.Sprint("[::1]:", port),
		fmt.Sprint(port+10000), fmt.Sprint("203.0.113.9:", port), fmt.Sprint("localhost:", port), fmt.Sprint("*:", port), "%%", "@draw")
	text += d.one("ListenStream=", "ListenStream=", "ListenStream=", "ListenStream=", "ListenDatagram=") + at + "\n"
	for _, line := range []string{"Accept=yes\n", "FileDescriptorName=web\n", "BindIPv6Only=ipv6-only\n", "FreeBind=yes\n", "Service=other.service\n", "ReusePort=yes\n",
		fmt.Sprintf("ListenStream=%d\n", port+20000), "ListenStream=/run/draw.sock\n"} {
		if d.in(9) {
			text += line
		}
	}
	return text
}

func (d die) unitSection(odd bool) string {
	text := ""
	if !odd {
		return "Wants=network.target\nAfter=network.target\n"
	}
	for _, line := range []string{"ConditionPathExists=/srv/guarded\n", "ConditionPathExists=/nonexistent\n", "AssertPathExists=/nonexistent\n", "ConditionUser=root\n",
		"ConditionPathIsDirectory=!/srv\n", "User=app\n", "Requires=missing.service\n", "Wants=missing.service\n", "After=missing.service\n",
		"ConditionVirtualization=no\n", "ConditionVirtualization=container\n", "ConditionVirtualization=!vm\n", "Requires=bad.service\n",
		"ConditionPathExists=|/nonexistent\nConditionPathExists=|/srv\n", "ConditionFileIsExecutable=/srv/env\n", "ConditionPathExistsGlob=/srv/guard*\n",
		"ConditionUser=app\n", "ConditionUser=!@system\n", "ConditionDirectoryNotEmpty=/srv\n", "ConditionPathIsSymbolicLink=/srv/link-plain\n",
		"ConditionArchitecture=x86-64\n", "ConditionKernelVersion=>=4\n", "ConditionCapability=CAP_NET_BIND_SERVICE\n", "ConditionFirstBoot=yes\n",
		"ConditionPathIsReadWrite=/srv\n", "ConditionPathIsMountPoint=/srv/nosuid\n", "ConditionEnvironment=NOTHING\n", "AssertUser=root\n"} {
		if d.in(70) {
			text += line
		}
	}
	return text
}
