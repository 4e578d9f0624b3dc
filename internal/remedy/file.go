package remedy

import (
	"path"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

const untilReplaced = "until the file is replaced or chowned"

// restart: the file at the program's path is right already.
func restart(f facts.Facts, g rules.Goal) (candidate, bool) {
	step, ok := again(f)
	return candidate{
		Fix:    report.Fix{ID: "restart", Scope: "file", Summary: "start it again: the file now grants it", Lasts: untilReplaced, Steps: []report.Step{step}},
		change: rules.Start,
	}, ok
}

// setcap stamps the file at the program's path.
func setcap(f facts.Facts, g rules.Goal) (candidate, bool) {
	exe, okExe := pathOutside(f)
	stat, okStat := f.File.Installed.Stat.Is()
	if !okExe || !okStat || goRun(f) || !stampable(f, stat) || f.File.Installed.Caps.State == facts.Unreadable || f.File.Installed.Caps.Reason == "EOPNOTSUPP" || readOnly(f) {
		return candidate{}, false
	}
	file := stamped(f, g)
	if has, ok := f.File.Installed.Caps.Is(); ok && has.Permitted == file.Permitted && has.Effective == file.Effective && has.Version == file.Version {
		return candidate{}, false
	}
	steps := []report.Step{{Run: sudo(f, "setcap", capText(file), exe)}}
	if _, inUnit := f.Launcher.Unit.Is(); inUnit {
		if step, ok := again(f); ok {
			steps = append(steps, step)
		}
	}
	return candidate{
		Fix: report.Fix{ID: "setcap", Scope: "file", Summary: "for this file", Lasts: untilReplaced, Steps: steps},
		change: func(f facts.Facts) facts.Facts {
			f.File.Installed.Caps = f.File.Installed.Caps.Now(file)
			return rules.Start(f)
		},
	}, true
}

// readOnly says whether the operator cannot write the file. Where process 1 is hidden, its
// mount here counts, unless it is one of a unit's own.
func readOnly(f facts.Facts) bool {
	is, known := f.File.ReadOnlyThere.Is()
	return is || !known && f.Launcher.Unit.State != facts.Known && f.File.Installed.Frozen.Value
}

// stampable says whether a file may be given capabilities: a regular one that
// nobody but its owner can write, and no interpreter.
func stampable(f facts.Facts, s facts.Stat) bool {
	const ifmt, ifreg, othersWrite = 0o170000, 0o100000, 0o022
	return !f.Launch.Interpreter && s.Mode&ifmt == ifreg && s.Mode&othersWrite == 0
}

// stamped is the file capabilities that the goal needs, beside those that the
// file has. A bind needs no effective bit: privport raises what is permitted,
// and a file with it does not even start where the bounding set lacks some of it.
func stamped(f facts.Facts, g rules.Goal) caps.File {
	file, _ := f.File.Installed.Caps.Is()
	file.Version, file.RootID = 2, 0
	if rules.Missing(f) != 0 {
		file.Effective = false
	}
	if g.Network == "" || rules.Unprivileged(f, g.Port) != rules.Yes {
		file.Permitted |= g.Need()
	}
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

// move copies the program to a file system that takes file capabilities and honours
// them.
func move(f facts.Facts, g rules.Goal) (candidate, bool) {
	exe, okExe := f.File.Path.Is()
	okExe = okExe && samePlace(f)
	args, okArgs := f.Command.Args.Is()
	nosuid, okThere := f.File.Moved.Nosuid.Is()
	stat, okStat := f.File.Installed.Stat.Is()
	if !okExe || !okArgs || len(args) == 0 || !okThere || nosuid || f.File.Moved.Frozen.Value || !okStat || !stampable(f, stat) || f.File.Moved.Stat.State != facts.Absent || !f.File.Installed.Nosuid.Value && f.File.Installed.Caps.Reason != "EOPNOTSUPP" && !readOnly(f) {
		return candidate{}, false
	}
	file := stamped(f, g)
	to := facts.MovedDir + "/" + path.Base(exe)
	return candidate{
		Fix: report.Fix{ID: "move", Scope: "file", Summary: "move it to where file capabilities count", Lasts: untilReplaced, Steps: []report.Step{
			{Run: sudo(f, "install", "-m", "755", exe, to)},
			{Run: sudo(f, "setcap", capText(file), to)},
			start(f, to, args[1:]...),
		}},
		change: func(f facts.Facts) facts.Facts {
			f.File.Installed.Nosuid = f.File.Installed.Nosuid.Now(false)
			f.File.Installed.Caps = f.File.Installed.Caps.Now(file)
			return rules.Start(f)
		},
	}, true
}

// remount lifts nosuid from the mount that the program lies on.
func remount(f facts.Facts, g rules.Goal) (candidate, bool) {
	at, ok := f.File.MountPoint.Is()
	step, okStep := again(f)
	if !ok || !okStep || !samePlace(f) || !f.File.Installed.Nosuid.Value {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "remount", Scope: "host", Summary: "allow capabilities and setuid on the whole mount", Lasts: "until it is mounted again",
			Steps: []report.Step{{Run: sudo(f, "mount", "-o", "remount,bind,suid", at)}, step}},
		change: func(f facts.Facts) facts.Facts {
			f.File.Installed.Nosuid = f.File.Installed.Nosuid.Now(false)
			return rules.Start(f)
		},
	}, true
}

// build makes a lasting file of what go run would build again each time.
func build(f facts.Facts, g rules.Goal) (candidate, bool) {
	pkg, okPkg := f.Command.Package.Is()
	cwd, okCwd := f.Command.Cwd.Is()
	args, okArgs := f.Command.Args.Is()
	nosuid, okFS := f.Command.CwdNosuid.Is()
	if !okPkg || !okCwd || !okArgs || !okFS || len(args) == 0 || pkg == "command-line-arguments" || strings.HasSuffix(pkg, ".test") {
		return candidate{}, false
	}
	to := path.Join(cwd, "bin", path.Base(pkg))
	file := stamped(facts.Facts{}, g)
	return candidate{
		Fix: report.Fix{ID: "build", Scope: "file", Summary: "build a file that lasts, and grant it the capability", Lasts: "until the next build", Steps: []report.Step{
			{Run: Command("go", "build", "-o", to, pkg)},
			{Run: sudo(f, "setcap", capText(file), to)},
			start(f, to, args[1:]...),
		}},
		change: func(f facts.Facts) facts.Facts {
			f.File.Installed = facts.Image{
				Caps:   f.File.Installed.Caps.Now(file),
				Nosuid: f.File.Installed.Nosuid.Now(nosuid),
				Stat:   f.File.Installed.Stat.Now(facts.Stat{Mode: 0o100755}),
			}
			return rules.Start(f)
		},
	}, true
}

func goRun(f facts.Facts) bool {
	p, ok := f.File.Path.Is()
	return ok && facts.GoRun(p)
}
