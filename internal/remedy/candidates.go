package remedy

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/machine"
	"github.com/lowport/lowport/internal/rules"
)

// candidates lists what could help a process started like this one, in the
// order to print it. Each maker returns nothing where it does not apply.
func candidates(f machine.Facts, g rules.Goal) []candidate {
	var all []candidate
	add := func(makers ...func(machine.Facts, rules.Goal) (candidate, bool)) {
		for _, make := range makers {
			if c, ok := make(f, g); ok {
				all = append(all, c)
			}
		}
	}
	add(stopOwner, nonlocal)
	switch {
	case f.Unit.State == machine.Known:
		add(restart, dropIn, setcap, remount)
	case f.Container.State == machine.Known:
		add(capAdd, container, addToImage)
	case goRun(f):
		add(build)
	default:
		add(restart, setcap, setpriv, move, remount)
	}
	add(sysctl)
	return all
}

func goRun(f machine.Facts) bool {
	p, ok := f.Path.Is()
	return ok && machine.GoRun(p)
}

// Root says whether this process is root of the machine, as its operator then
// is too: uid 0 where every id is mapped to itself.
func Root(f machine.Facts) bool {
	ids, okIDs := f.IDs.Is()
	m, okMap := f.UIDMap.Is()
	return okIDs && okMap && ids.EUID == 0 && m == machine.WholeMap
}

// sudo is a command for root.
func sudo(f machine.Facts, words ...string) string {
	if Root(f) {
		return command(words...)
	}
	return command(append([]string{"sudo"}, words...)...)
}

// again is how to start the program once more the way it was.
func again(f machine.Facts) (Step, bool) {
	if u, ok := f.Unit.Is(); ok {
		return Step{Run: sudo(f, systemctl(u, "restart")...)}, true
	}
	exe, okExe := f.Path.Is()
	args, okArgs := f.Args.Is()
	if !okExe || !okArgs || len(args) == 0 {
		return Step{}, false
	}
	return Step{Start: command(append([]string{exe}, args[1:]...)...)}, true
}

func systemctl(u machine.Unit, verb string) []string {
	words := []string{"systemctl", verb}
	if u.User {
		words = []string{"systemctl", "--user", verb}
	}
	if strings.HasPrefix(u.Name, "-") {
		words = append(words, "--")
	}
	return append(words, u.Name)
}

// restart: the file at the program's path is right already.
func restart(f machine.Facts, g rules.Goal) (candidate, bool) {
	step, ok := again(f)
	return candidate{
		Fix:    Fix{ID: "restart", Scope: "file", Summary: "start it again: the file is right now", Lasts: untilReplaced, Steps: []Step{step}},
		change: rules.Start,
	}, ok
}

const untilReplaced = "until the file is replaced or chowned"

// setcap stamps the file at the program's path.
func setcap(f machine.Facts, g rules.Goal) (candidate, bool) {
	exe, okExe := f.Path.Is()
	stat, okStat := f.Installed.Stat.Is()
	if !okExe || !okStat || goRun(f) || !stampable(stat) || f.Installed.Caps.State == machine.Unreadable || f.Installed.Caps.Reason == "EOPNOTSUPP" {
		return candidate{}, false
	}
	file := stamped(f, g)
	if has, ok := f.Installed.Caps.Is(); ok && has.Permitted == file.Permitted && has.Effective == file.Effective && has.Version == file.Version {
		return candidate{}, false
	}
	steps := []Step{{Run: sudo(f, "setcap", capText(file), exe)}}
	if _, inUnit := f.Unit.Is(); inUnit {
		if step, ok := again(f); ok {
			steps = append(steps, step)
		}
	}
	return candidate{
		Fix: Fix{ID: "setcap", Scope: "file", Summary: "for this file", Lasts: untilReplaced, Steps: steps},
		change: func(f machine.Facts) machine.Facts {
			f.Installed.Caps = f.Installed.Caps.Now(file)
			return rules.Start(f)
		},
	}, true
}

// stampable says whether a file may be given capabilities: a regular one that
// nobody but its owner can write.
func stampable(s machine.Stat) bool {
	const ifmt, ifreg, othersWrite = 0o170000, 0o100000, 0o022
	return s.Mode&ifmt == ifreg && s.Mode&othersWrite == 0
}

// stamped is the file capabilities that the goal needs, beside those that the
// file has. A bind needs no effective bit: privport raises what is permitted,
// and a file with it does not even start where the bounding set lacks some of it.
func stamped(f machine.Facts, g rules.Goal) caps.File {
	file, _ := f.Installed.Caps.Is()
	file.Version, file.RootID = 2, 0
	file.Permitted |= g.Need()
	file.Effective = file.Effective || g.Network == ""
	return file
}

// capText is the file capabilities as the documents write them for setcap(8),
// with "=+" for "=", which is the same to it, but not where the text starts with
// "=", for all capabilities.
func capText(file caps.File) string {
	text := file.String()
	if strings.HasPrefix(text, "=") {
		return text
	}
	return strings.ReplaceAll(text, "=", "=+")
}

// holding is the state of a thread to which a launcher gave the set as ambient.
func holding(s caps.State, set caps.Set) caps.State {
	s.Inheritable |= set
	s.Permitted |= set
	s.Effective |= set
	s.Ambient |= set
	return s
}

// setpriv starts the program as the same user with an ambient capability.
func setpriv(f machine.Facts, g rules.Goal) (candidate, bool) {
	ids, okIDs := f.IDs.Is()
	exe, okExe := f.Path.Is()
	args, okArgs := f.Args.Is()
	now, okNow := f.Thread.Is()
	if !okIDs || !okExe || !okArgs || !okNow || len(args) == 0 || ids.UID == 0 || ids.UID != ids.EUID || goRun(f) {
		return candidate{}, false
	}
	user, groups := strconv.Itoa(int(ids.UID)), "--clear-groups"
	if name, ok := f.User.Is(); ok {
		user, groups = name, "--init-groups"
	}
	set := strings.TrimPrefix(g.Need().Setpriv(), "-all,") // added to what sudo's root has, as the documents do
	line := []string{"setpriv", "--reuid=" + user, "--regid=" + strconv.Itoa(int(ids.GID)), groups, "--inh-caps=" + set, "--ambient-caps=" + set}
	if now.NoNewPrivs {
		line = append(line, "--no-new-privs")
	}
	line = append(append(line, "--", exe), args[1:]...)
	return candidate{
		Fix: Fix{ID: "setpriv", Scope: "file", Summary: "for one start of the program", Lasts: "until it ends", Steps: []Step{{Start: sudo(machine.Facts{}, line...)}}},
		change: func(f machine.Facts) machine.Facts {
			f.Thread = f.Thread.Now(holding(now, g.Need()&now.Bounding))
			return rules.Start(f)
		},
	}, true
}

// dropIn gives the systemd unit the capability as an ambient one, and takes away
// what stands against it.
func dropIn(f machine.Facts, g rules.Goal) (candidate, bool) {
	u, okUnit := f.Unit.Is()
	now, okNow := f.Thread.Is()
	if !okUnit || !okNow || u.User {
		return candidate{}, false
	}
	list := g.Need().Systemd()
	content := "[Service]\nAmbientCapabilities=" + list + "\n"
	if !now.Bounding.Contains(g.Need()) {
		content += "CapabilityBoundingSet=" + list + "\n"
	}
	ownUsers := rules.Counts(f, g.Need()) == rules.No && privateUsers(f)
	if ownUsers {
		content += "PrivateUsers=no\n"
	}
	return candidate{
		Fix: Fix{ID: "systemd-drop-in", Scope: "unit", Summary: "for " + u.Name, Lasts: "until the drop-in is removed", Steps: []Step{
			{Write: "/etc/systemd/system/" + u.Name + ".d/50-lowport.conf", Content: content},
			{Run: sudo(f, "systemctl", "daemon-reload")},
			{Run: sudo(f, systemctl(u, "restart")...)},
		}},
		change: func(f machine.Facts) machine.Facts {
			now.Bounding |= g.Need()
			f.Thread = f.Thread.Now(holding(now, g.Need()))
			if ownUsers {
				f.NetOwner = f.NetOwner.Now(machine.OwnerHere)
			}
			return rules.Start(f)
		},
	}, true
}

// privateUsers says whether the user namespace looks like the one of
// PrivateUsers=: a few ids, each mapped to itself.
func privateUsers(f machine.Facts) bool {
	m, ok := f.UIDMap.Is()
	if !ok {
		return false
	}
	for _, row := range strings.Split(m, ", ") {
		ids := strings.Fields(row)
		if len(ids) != 3 || ids[0] != ids[1] || ids[2] == "4294967295" {
			return false
		}
	}
	return true
}

// sysctl lowers the threshold of the network namespace to the port.
func sysctl(f machine.Facts, g rules.Goal) (candidate, bool) {
	if g.Network == "" || f.Container.State == machine.Known && f.Unit.State != machine.Known && rules.Counts(f, g.Need()) != rules.No {
		return candidate{}, false
	}
	start := g.Port
	if g.Port >= 1024 {
		start = 1024
	}
	setting := fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d", start)
	return candidate{
		Fix: Fix{ID: "sysctl", Scope: "host", Summary: "on the host, for every process", Lasts: "the first line until reboot, the file for good", Steps: []Step{
			{Run: sudo(f, "sysctl", "-w", setting)},
			{Write: "/etc/sysctl.d/50-lowport.conf", Content: setting + "\n"},
		}},
		change: func(f machine.Facts) machine.Facts {
			f.PortStart = f.PortStart.Now(start)
			return f
		},
	}, true
}

// move copies the program to a file system that honours file capabilities.
func move(f machine.Facts, g rules.Goal) (candidate, bool) {
	exe, okExe := f.Path.Is()
	args, okArgs := f.Args.Is()
	nosuid, okThere := f.Moved.Nosuid.Is()
	stat, okStat := f.Installed.Stat.Is()
	if !okExe || !okArgs || len(args) == 0 || !okThere || nosuid || !okStat || !stampable(stat) || f.Moved.Stat.State != machine.Absent || !f.Installed.Nosuid.Value && f.Installed.Caps.Reason != "EOPNOTSUPP" {
		return candidate{}, false
	}
	file := stamped(f, g)
	to := machine.MovedDir + "/" + path.Base(exe)
	return candidate{
		Fix: Fix{ID: "move", Scope: "file", Summary: "move it to where file capabilities count", Lasts: untilReplaced, Steps: []Step{
			{Run: sudo(f, "install", "-m", "755", exe, to)},
			{Run: sudo(f, "setcap", capText(file), to)},
			{Start: command(append([]string{to}, args[1:]...)...)},
		}},
		change: func(f machine.Facts) machine.Facts {
			f.Installed.Nosuid = f.Installed.Nosuid.Now(false)
			f.Installed.Caps = f.Installed.Caps.Now(file)
			return rules.Start(f)
		},
	}, true
}

// remount lifts nosuid from the mount that the program lies on.
func remount(f machine.Facts, g rules.Goal) (candidate, bool) {
	at, ok := f.MountPoint.Is()
	step, okStep := again(f)
	if !ok || !okStep || !f.Installed.Nosuid.Value {
		return candidate{}, false
	}
	return candidate{
		Fix: Fix{ID: "remount", Scope: "host", Summary: "allow capabilities and setuid on the whole mount", Lasts: "until it is mounted anew",
			Steps: []Step{{Run: sudo(f, "mount", "-o", "remount,bind,suid", at)}, step}},
		change: func(f machine.Facts) machine.Facts {
			f.Installed.Nosuid = f.Installed.Nosuid.Now(false)
			return rules.Start(f)
		},
	}, true
}

// build makes a file that lasts of what go run would make anew each time.
func build(f machine.Facts, g rules.Goal) (candidate, bool) {
	pkg, okPkg := f.Package.Is()
	cwd, okCwd := f.Cwd.Is()
	args, okArgs := f.Args.Is()
	nosuid, okFS := f.CwdNosuid.Is()
	if !okPkg || !okCwd || !okArgs || !okFS || len(args) == 0 || pkg == "command-line-arguments" || strings.HasSuffix(pkg, ".test") {
		return candidate{}, false
	}
	to := path.Join(cwd, "bin", path.Base(pkg))
	file := stamped(machine.Facts{}, g)
	return candidate{
		Fix: Fix{ID: "build", Scope: "file", Summary: "build a file that lasts, and grant it the capability", Lasts: "until the next build", Steps: []Step{
			{Run: command("go", "build", "-o", to, pkg)},
			{Run: sudo(f, "setcap", capText(file), to)},
			{Start: command(append([]string{to}, args[1:]...)...)},
		}},
		change: func(f machine.Facts) machine.Facts {
			f.Installed = machine.Image{
				Caps:   f.Installed.Caps.Now(file),
				Nosuid: f.Installed.Nosuid.Now(nosuid),
				Stat:   f.Installed.Stat.Now(machine.Stat{Mode: 0o100755}),
			}
			return rules.Start(f)
		},
	}, true
}

// stopOwner ends the program that holds the port.
func stopOwner(f machine.Facts, g rules.Goal) (candidate, bool) {
	socks, _ := f.Sockets.Is()
	var steps []Step
	var rest []machine.Socket
	for _, s := range socks {
		if !rules.Conflicts(s, g) {
			rest = append(rest, s)
			continue
		}
		step, ok := stop(f, s)
		if !ok {
			return candidate{}, false
		}
		if len(steps) == 0 || steps[len(steps)-1] != step {
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: Fix{ID: "stop-owner", Scope: "host", Summary: "stop what holds the port", Lasts: "until it is started again", Steps: steps},
		change: func(f machine.Facts) machine.Facts {
			f.Sockets = f.Sockets.Now(rest)
			return f
		},
	}, true
}

func stop(f machine.Facts, s machine.Socket) (Step, bool) {
	ids, okIDs := f.IDs.Is()
	unit := path.Base(s.Cgroup)
	switch {
	case s.Self, s.PID == 1: // process 1 holds it for a .socket unit
		return Step{}, false
	case machine.UnitName(unit) && strings.HasPrefix(s.Cgroup, "/system.slice/"):
		return Step{Run: sudo(f, systemctl(machine.Unit{Name: unit}, "stop")...)}, true
	case s.PID != 0 && okIDs && ids.EUID == s.UID:
		return Step{Run: command("kill", strconv.Itoa(s.PID))}, true
	case s.PID != 0:
		return Step{Run: sudo(f, "kill", strconv.Itoa(s.PID))}, true
	default:
		return Step{}, false
	}
}

// nonlocal lets programs bind an address before it is there.
func nonlocal(f machine.Facts, g rules.Goal) (candidate, bool) {
	const setting = "net.ipv4.ip_nonlocal_bind=1"
	if rules.Local(f, g) != rules.No || !g.Addr.Is4() {
		return candidate{}, false
	}
	return candidate{
		Fix: Fix{ID: "nonlocal-bind", Scope: "host", Summary: "if the address comes later (a floating one), for every process", Lasts: "the first line until reboot, the file for good", Steps: []Step{
			{Run: sudo(f, "sysctl", "-w", setting)},
			{Write: "/etc/sysctl.d/50-lowport-nonlocal.conf", Content: setting + "\n"},
		}},
		change: func(f machine.Facts) machine.Facts {
			f.Nonlocal = f.Nonlocal.Now(true)
			return f
		},
	}, true
}
