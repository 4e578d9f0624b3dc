package launch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// A check looks for what keeps the unit from starting, before its program is executed:
// exec_child() of systemd 252, in that order. It returns what systemd would do, and
// leaves what it cannot tell as a doubt.
type check func(u *Unit, at place) error

// A place is where a unit is going to be started, and how.
type place struct {
	root    fs.FS
	command Command
	who     facts.Account // User=, also where the command keeps the manager's
	home    string        // its home folder, "" where that is not known
}

// A stop is the error of a unit of which systemd starts nothing.
type stop struct {
	status string // as `systemctl status` says it
	why    string
	later  bool // the program is started, and ended again
}

func (e *stop) Error() string {
	does := "systemd starts nothing"
	if e.later {
		does = "systemd ends the service"
	}
	if e.status != "" {
		does += fmt.Sprintf(" (status=%s)", e.status)
	}
	return does + ": " + e.why
}

func stops(status, format string, args ...any) error {
	return &stop{status: status, why: fmt.Sprintf(format, args...)}
}

// ends is the error of a unit whose program systemd does not leave running.
func ends(status, format string, args ...any) error {
	return &stop{status: status, why: fmt.Sprintf(format, args...), later: true}
}

var checks = []check{
	verify, privileges, conditions, requirements, slice, commandsBefore, environmentFiles, namespaces, input, output, processor, memory,
	freeFolders, credentials, mounted, limits, pamSession, workingDirectory, commandsBehind, unneeded,
}

// Check looks for what keeps the unit from starting as who, by a command of it. Of what it
// cannot tell it leaves a doubt.
func (u *Unit) Check(root fs.FS, c Command, who facts.Account, home string) error {
	for _, check := range checks {
		if err := check(u, place{root, c, who, home}); err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
	}
	return nil
}

// exists reports whether a path is there. Where that cannot be told, it is a doubt, and
// the path is taken to be there.
func (u *Unit) exists(at place, e entry, p string) bool {
	_, err := fs.Stat(at.root, inside(p))
	switch {
	case missing(err):
		return false
	case err != nil:
		u.doubt("%s: whether %s is there could not be read", e, p)
	}
	return true
}

// inside is an absolute path as package fs names it.
func inside(p string) string {
	if p = strings.TrimPrefix(path.Clean("/"+p), "/"); p == "" {
		return "."
	}
	return p
}

// expanded is a value with its specifiers put in; ok is false where that is a doubt, and where
// systemd passes over the line as it has an unknown one.
func (u *Unit) expanded(e entry, value string) (string, bool) {
	s, err := u.expand(value)
	switch {
	case errors.As(err, new(*unexpandable)):
		u.doubt("%s: %v", e, errors.Unwrap(err))
	case err != nil:
		u.note(fmt.Sprintf("systemd ignores %s: %v", e, errors.Unwrap(err)))
	}
	return s, err == nil
}

// verify is what systemd refuses of a unit as a whole (service_verify).
func verify(u *Unit, at place) error {
	if kind := u.set.last("Type"); kind == "dbus" && !u.set.some("BusName") {
		return stops("", "Type=dbus needs BusName=")
	} else if restart := u.set.last("Restart"); kind == "oneshot" && (restart == "always" || restart == "on-success") {
		return stops("", "Type=oneshot excludes Restart=%s", restart)
	}
	if u.set.some("PAMName") {
		if mode := u.set.last("KillMode"); mode == "none" || mode == "process" {
			return stops("", "PAMName= excludes KillMode=%s", mode)
		}
	}
	for _, e := range u.set.entries("Unit", "RefuseManualStart") {
		if on, _ := boolean(e.value); on {
			u.note(e.String() + ": only another unit starts this one")
		}
	}
	return nil
}

// validName reports whether a user or group can have the name (valid_user_group_name with
// VALID_USER_RELAX).
func validName(s string) bool {
	return s != "" && s != "." && s != ".." && s[0] != '-' && !strings.ContainsAny(s, ":/\n\t") && strings.TrimSpace(s) == s
}

// namespaces are those that the unit joins by path.
func namespaces(u *Unit, at place) error {
	if !u.set.some("NetworkNamespacePath") && !u.set.on("PrivateNetwork", "PrivateIPC", "DynamicUser") && !u.set.says("PrivateTmp", "disconnected") {
		e, ok := u.set.lastEntry("IPCNamespacePath")
		switch v := u.Build.Version; { // alone it is passed over by 252 (exec_runtime_make), and not by 257
		case !ok || v != 0 && v <= 252:
			return nil
		case v < 257:
			u.doubt("%s: whether this version of systemd reads it is not known", e)
			return nil
		}
	}
	for key, status := range map[string]string{"NetworkNamespacePath": "225/NETWORK", "IPCNamespacePath": "226/NAMESPACE"} {
		if e, ok := u.set.lastEntry(key); ok {
			if p, ok := u.expanded(e, e.value); ok && path.IsAbs(p) && !u.exists(at, e, p) {
				return stops(status, "%s is not there", e)
			}
		}
	}
	return nil
}

// input is StandardInput= (setup_input).
func input(u *Unit, at place) error {
	e, ok := u.set.lastEntry("StandardInput")
	if !ok {
		return nil
	}
	switch kind, file, _ := strings.Cut(e.value, ":"); kind {
	case "file":
		if file, ok := u.expanded(e, file); ok && !u.exists(at, e, file) {
			return stops("208/STDIN", "%s is not there", e)
		}
	case "socket":
		if !u.socketUnit {
			return stops("", "%s: no .socket unit passes one", e)
		}
		u.doubt("%s takes the socket for the program's standard input", e)
	case "fd":
		u.doubt("%s needs a socket of that name", e)
	case "tty", "tty-force", "tty-fail":
		return u.terminal(at, e, "208/STDIN")
	}
	return nil
}

func (u *Unit) terminal(at place, e entry, status string) error {
	tty := "/dev/console"
	if p := u.set.last("TTYPath"); p != "" {
		tty = p
	}
	if !u.exists(at, e, tty) {
		return stops(status, "%s: %s is not there", e, tty)
	}
	u.doubt("%s: whether %s can be opened is not known", e, tty)
	return nil
}

// output is StandardOutput= and StandardError= (setup_output).
func output(u *Unit, at place) error {
	for key, status := range map[string]string{"StandardOutput": "209/STDOUT", "StandardError": "222/STDERR"} {
		e, ok := u.set.lastEntry(key)
		if !ok {
			continue
		}
		switch kind, file, _ := strings.Cut(e.value, ":"); kind {
		case "file", "append", "truncate":
			if file, ok := u.expanded(e, file); ok {
				if err := u.writable(at, e, status, file); err != nil {
					return err
				}
			}
		case "socket", "fd":
			u.doubt("%s needs a socket", e)
		case "tty":
			if err := u.terminal(at, e, status); err != nil {
				return err
			}
		}
	}
	return nil
}

// writable looks at what is opened for output, or made there (acquire_path).
func (u *Unit) writable(at place, e entry, status, file string) error {
	info, err := fs.Stat(at.root, inside(file))
	above, errAbove := fs.Stat(at.root, inside(path.Dir(file)))
	switch {
	case err == nil && info.IsDir():
		return stops(status, "%s is a folder", e)
	case err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		u.doubt("%s: whether somebody reads there is not known", e)
	case err == nil:
	case missing(errAbove), errAbove == nil && !above.IsDir():
		return stops(status, "%s: its folder is not there", e)
	case !missing(err), errAbove != nil:
		u.doubt("%s: whether its folder is there could not be read", e)
	}
	return nil
}

// processor is CPUAffinity=: of its processors one has to be there.
func processor(u *Unit, at place) error {
	wanted := map[int]bool{}
	for _, e := range u.set.entries("Service", "CPUAffinity") {
		list, err := cpuList(e.value)
		if err != nil {
			u.note(fmt.Sprintf("systemd ignores %s: %v", e, err))
		}
		for _, n := range list {
			wanted[n] = true
		}
	}
	if len(wanted) == 0 || wanted[0] {
		return nil
	}
	e, _ := u.set.lastEntry("CPUAffinity")
	b, err := fs.ReadFile(at.root, "sys/devices/system/cpu/possible")
	there, errList := cpuList(strings.TrimSpace(string(b)))
	switch {
	case err != nil || errList != nil:
		u.doubt("%s: which processors are there could not be read", e)
	case !slices.ContainsFunc(there, func(n int) bool { return wanted[n] }):
		return stops("215/CPUAFFINITY", "%s: no such processor is there", e)
	}
	return nil
}

// memory is NUMAMask=: of its nodes one has to be there. The first is, wherever there are any.
func memory(u *Unit, at place) error {
	e, ok := u.set.lastEntry("NUMAMask")
	if policy := u.set.last("NUMAPolicy"); !ok || policy == "" || policy == "default" || policy == "local" {
		return nil
	}
	if nodes, err := cpuList(e.value); err == nil && !slices.Contains(nodes, 0) {
		u.doubt("%s: whether such a node is there is not looked at", e)
	}
	return nil
}

// cpuList reads a list such as "0-3,5 7". No number is above 8191 (cpu_set_add).
func cpuList(s string) (all []int, err error) {
	for _, part := range strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, errLow := strconv.Atoi(from)
		high, errHigh := strconv.Atoi(to)
		if errLow != nil || errHigh != nil || low < 0 || high >= 8192 {
			return nil, fmt.Errorf("%q is no list of processors", s)
		}
		for n := low; n <= high; n++ {
			all = append(all, n)
		}
	}
	return all, nil
}

// maxCredentials bounds the names and the contents of all credentials, in bytes
// (CREDENTIALS_TOTAL_SIZE_MAX).
const maxCredentials = 1 << 20

// credentials are LoadCredential=, what is named by an absolute path has to be there, and
// SetCredential=, which counts where nothing of that name was loaded.
func credentials(u *Unit, at place) error {
	set := map[string]int{}
	for _, e := range u.set.entries("Service", "SetCredential") {
		id, value, _ := strings.Cut(e.value, ":")
		set[id] = len(value)
	}
	size := 0
	for _, key := range []string{"LoadCredential", "LoadCredentialEncrypted"} {
		for _, e := range u.set.entries("Service", key) {
			id, file, _ := strings.Cut(e.value, ":")
			file, ok := u.expanded(e, file)
			_, other := set[id]
			there := ok && path.IsAbs(file) && u.exists(at, e, file)
			if ok && path.IsAbs(file) && !there && !other {
				return stops("243/CREDENTIALS", "%s is not there", e)
			}
			if there {
				delete(set, id)
				size += u.credential(at, e, id, file)
			}
			if key == "LoadCredentialEncrypted" {
				u.doubt("%s: whether it can be decrypted is not known", e)
			}
		}
	}
	for id, n := range set {
		size += len(id) + n
	}
	if size > maxCredentials {
		return stops("243/CREDENTIALS", "the credentials have more than %d bytes together", maxCredentials)
	}
	if u.set.some("SetCredentialEncrypted") {
		u.doubt("whether SetCredentialEncrypted= can be decrypted is not known")
	}
	return nil
}

// credential returns the size of what is loaded from a path: a file, or those of a folder.
func (u *Unit) credential(at place, e entry, id, file string) (size int) {
	files := 0
	err := fs.WalkDir(at.root, inside(file), func(name string, d fs.DirEntry, err error) error {
		if files++; err != nil || files > maxGlob {
			return cmp.Or(err, errors.New("it has too many files"))
		}
		info, err := fs.Stat(at.root, name)
		switch {
		case err != nil:
			return err
		case info.Mode()&(fs.ModeSocket|fs.ModeNamedPipe) != 0:
			return errors.New("it is written by another program")
		case !info.IsDir():
			size += len(id) + len(strings.TrimPrefix(name, inside(file))) + int(min(info.Size(), maxCredentials))
		}
		return nil
	})
	if err != nil {
		u.doubt("%s: how large it is is not known: %v", e, err)
	}
	return size
}

// limits are those with which a program of Go may not run.
func limits(u *Unit, at place) error {
	if at.command.Bare() {
		return nil
	}
	for key, least := range map[string]uint64{"LimitNOFILE": 64, "LimitAS": 4 << 30, "LimitDATA": 1 << 30, "LimitNPROC": 256, "LimitSTACK": 1 << 20,
		"LimitMEMLOCK": 0, "MemoryMax": 64 << 20, "MemoryHigh": 64 << 20, "TasksMax": 32, "LimitCPU": 60, "LimitFSIZE": 1 << 20} {
		if key == "LimitNPROC" && at.who.UID == 0 { // whom it does not bind (copy_process)
			continue
		}
		var little *entry
		for _, e := range u.set.entries("Service", key) { // a value that is none is passed over
			soft, _, _ := strings.Cut(e.value, ":")
			if n, ok := size(soft); ok && n < least {
				little = &e
			} else if ok || soft == "infinity" {
				little = nil
			}
		}
		if little != nil {
			u.doubt("%s: whether the program runs with so little is not known", *little)
		}
	}
	return nil
}

// size reads a number with a suffix of powers of 1024. What is no number is none.
func size(s string) (uint64, bool) {
	shift := map[byte]int{'K': 10, 'M': 20, 'G': 30, 'T': 40}
	by := 0
	if s != "" {
		if by = shift[s[len(s)-1]]; by > 0 {
			s = s[:len(s)-1]
		}
	}
	n, err := strconv.ParseUint(s, 10, 34)
	return n << by, err == nil
}

// pamSession is PAMName=, by which other modules decide.
func pamSession(u *Unit, at place) error {
	if e, ok := u.set.lastEntry("PAMName"); ok && !at.command.Root() {
		u.doubt("%s: what the PAM session changes is not known", e)
	}
	return nil
}

// workingDirectory is where the program starts: systemd changes there as its user.
func workingDirectory(u *Unit, at place) error {
	e, ok := u.set.lastEntry("WorkingDirectory")
	dir, optional := strings.CutPrefix(e.value, "-")
	if !ok || optional {
		return nil
	}
	if dir == "~" {
		dir = at.home
		if dir == "" {
			u.doubt("%s: the home folder is not known", e)
			return nil
		}
	}
	dir, ok = u.expanded(e, dir)
	if !ok || u.makes(dir) {
		return nil
	}
	info, err := fs.Stat(at.root, inside(dir))
	by := u.set.hides(dir)
	user := at.who.UID != 0 && !at.command.Root()
	switch {
	case missing(err), err == nil && !info.IsDir():
		return stops("200/CHDIR", "%s is no folder", e)
	case err != nil:
		u.doubt("%s: whether it is there could not be read", e)
	case by != "" && by != "NoExecPaths=" && !at.command.Bare():
		u.doubt("%s: %s hides it", e, by)
	case user:
		return u.passable(at, e, dir)
	}
	return nil
}

// passable asks the modes of the folders whether the user may enter the last.
func (u *Unit) passable(at place, e entry, dir string) error {
	for i, c := range dir + "/" {
		if c != '/' || i == 0 {
			continue
		}
		info, err := fs.Stat(at.root, inside(dir[:i]))
		st, ok := statOf(info, err)
		if !ok {
			u.doubt("%s: whether %s may enter it could not be read", e, at.who.Name)
			return nil
		}
		if !st.Passable(at.who.UID, at.who.Groups) {
			return stops("200/CHDIR", "%s: %s may not enter %s", e, at.who.Name, dir[:i])
		}
	}
	return nil
}
