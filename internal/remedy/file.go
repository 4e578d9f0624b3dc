package remedy

import (
	"path"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

const untilReplaced = "until the file is replaced or chowned"

// restart starts the program again: the file at its path has the capabilities already.
func restart(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	step, ok := again(f)
	return candidate{
		Fix:    report.Fix{ID: "restart", Scope: "file", Summary: "start it again: the file now grants it", Lasts: untilReplaced, Costs: price(f), Steps: []report.Step{step}},
		change: kernel.World.Start,
	}, ok && !breaks(f)
}

// setcap gives capabilities to the file at the program's path.
func setcap(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	exe, okExe := pathOutside(f)
	stat, okStat := f.File.Installed.Stat.Is()
	if !okExe || !okStat || goRun(f) || !stampable(f, stat) || othersOwn(f, stat) || f.File.Danger.Value&caps.WritableFolder != 0 || !takesCaps(f) {
		return candidate{}, false
	}
	file := stamped(w, g)
	if has, ok := f.File.Installed.Caps.Is(); ok && has.Permitted == file.Permitted && has.Effective == file.Effective && has.Version == file.Version {
		return candidate{}, false
	}
	steps := []report.Step{{Run: sudo(f, "setcap", capText(file), exe)}}
	if set := f.File.Fixed.Value; set != "" {
		steps = []report.Step{{Run: sudo(f, "chattr", "-"+set, exe)}, steps[0], {Run: sudo(f, "chattr", "+"+set, exe)}}
	}
	_, inUnit := f.Launcher.Unit.Is()
	if _, ok := supervised(f); ok || inUnit {
		if step, ok := again(f); ok {
			steps = append(steps, step)
		}
	}
	return candidate{
		Fix:    report.Fix{ID: "setcap", Scope: "file", Summary: "for this file", Lasts: untilReplaced, Costs: price(f), Steps: steps},
		change: func(w kernel.World) kernel.World { return install(w, file) },
	}, true
}

// takesCaps reports whether the operator can write file capabilities where the file lies. An
// idmapped mount refuses those of a root that it does not map (cap_convert_nscap), and
// changes those that it accepts.
func takesCaps(f *facts.Facts) bool {
	has := f.File.Installed.Caps
	return has.State != facts.Unreadable && has.Reason != "EOPNOTSUPP" && !readOnly(f) && !mayBeIdmapped(f)
}

// mayBeIdmapped reports whether the mount is idmapped, or might be. In older recordings, which
// lack the fact, no mount was.
func mayBeIdmapped(f *facts.Facts) bool {
	is, known := f.File.IdmappedThere.Is()
	return is || !known && f.File.IdmappedThere.Reason != facts.NotRecorded
}

// readOnly reports whether the file lies on a read-only mount for the operator. If that is not
// known, the mount here decides, unless a unit may have made that one.
func readOnly(f *facts.Facts) bool {
	is, known := f.File.ReadOnlyThere.Is()
	return is || !known && f.Launcher.Unit.State != facts.Known && f.File.Installed.Frozen.Value
}

// stampable reports whether the file may be given capabilities: it is a regular file that only
// its owner can write, it is no interpreter, and it still starts with them. If Danger is
// not known, as in older recordings or for files that the program may not read itself, the
// mode alone decides.
func stampable(f *facts.Facts, s facts.Stat) bool {
	const ifmt, ifreg, othersWrite = 0o170000, 0o100000, 0o022
	interprets := f.Launch.Interpreter || f.File.Danger.Value&(caps.Interpreter|caps.NotELF) != 0
	return !interprets && !breaks(f) && s.Mode&ifmt == ifreg && s.Mode&othersWrite == 0
}

// othersOwn reports whether somebody else owns the file or a folder above it, and so may replace
// it: neither root nor the program's own user nor the operator. Whoever has no id in this user
// namespace may be its owner's root.
func othersOwn(f *facts.Facts, s facts.Stat) bool {
	ids := f.Proc.IDs.Value
	ours := []uint32{0, ids.UID, ids.EUID, f.Launcher.Operator.Value.UID}
	owners := append([]uint32{s.UID}, f.File.Owners.Value...)
	return slices.ContainsFunc(owners, func(uid uint32) bool {
		_, mapped := facts.IDMap(f.Net.UIDMap.Value).Outside(uid)
		hidden := uid == facts.OverflowID && f.Net.UIDMap.State == facts.Known && !mapped
		return !hidden && !slices.Contains(ours, uid)
	})
}

// stamped returns the file's capabilities, with those added that the goal needs. It leaves out
// what would keep the kernel from executing the file: the effective bit if the program
// raises what is permitted, else what the bounding set lacks.
func stamped(w kernel.World, g kernel.Goal) caps.File {
	image := w.Start().Image
	file := kernel.Stamp(image, g)
	if others := kept(w, g); others != 0 { // which the attribute would clear
		file.Permitted, file.Effective = file.Permitted|others, true
	}
	if w.Missing() != 0 && g.Network != "" && g.Raises {
		file.Effective = false
	}
	if bounding := w.Starter.Bounding; file.Effective && bounding.Contains(g.Need()) {
		file.Permitted &= bounding // with more it is not even executed
	}
	if g.Network != "" && !w.Privileged(g) {
		file.Permitted = image.Caps.Permitted
	}
	return file
}

// install returns the world in which the program is started with these file capabilities.
func install(w kernel.World, file caps.File) kernel.World {
	return w.With(func(f *facts.Facts) { f.File.Installed.Caps = f.File.Installed.Caps.Now(file) }).Start()
}

// capText returns the file capabilities as the documents write them for setcap(8): with "=+",
// which means the same as "=". A text that starts with "=", for all capabilities, stays as
// it is.
func capText(file caps.File) string {
	text := file.String()
	if strings.HasPrefix(text, "=") {
		return text
	}
	return strings.ReplaceAll(text, "=", "=+")
}

// move copies the program to a file system that stores file capabilities and honours them.
func move(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	exe, okExe := f.File.Path.Is()
	okExe = okExe && samePlace(f)
	args, okArgs := f.Command.Args.Is()
	_, okNet := entering(f) // else it would be started in another network
	nosuid, okThere := f.File.Moved.Nosuid.Is()
	stat, okStat := f.File.Installed.Stat.Is()
	free := f.File.Moved.Stat.State == facts.Absent && okThere && !nosuid && !f.File.Moved.Frozen.Value
	unknown := f.File.Installed.Caps.State == facts.Unreadable || mayBeIdmapped(f) && !f.File.IdmappedThere.Value // then it is unknown of the new place too
	useless := !f.File.Installed.Nosuid.Value && (takesCaps(f) || unknown)
	if !okExe || !okArgs || !okNet || len(args) == 0 || !free || useless || !okStat || !stampable(f, stat) {
		return candidate{}, false
	}
	file := stamped(w, g)
	to := facts.MovedDir + "/" + path.Base(exe)
	return candidate{
		Fix: report.Fix{ID: "move", Scope: "file", Summary: "move it to where file capabilities count", Lasts: untilReplaced, Costs: price(f), Steps: []report.Step{
			{Run: sudo(f, "install", "-m", "755", exe, to)},
			{Run: sudo(f, "setcap", capText(file), to)},
			start(f, to, args[1:]...),
		}},
		change: func(w kernel.World) kernel.World {
			w = w.With(func(f *facts.Facts) {
				f.File.Installed.Nosuid = f.File.Installed.Nosuid.Now(false)
				f.File.IdmappedThere = f.File.IdmappedThere.Now(false)
				f.File.Installed.Stat = f.File.Installed.Stat.Now(facts.Stat{Mode: 0o100755})
			})
			return install(w, file)
		},
	}, true
}

// remount lifts nosuid from the mount that the program lies on. It leaves a set-user-ID file
// alone, which would then run as its owner.
func remount(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	at, ok := f.File.MountPoint.Is()
	step, okStep := again(f)
	_, okNet := entering(f)
	if !ok || !okStep || !okNet || !samePlace(f) || !f.File.Installed.Nosuid.Value || f.File.Installed.Stat.Value.Setuid() {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "remount", Scope: "host", Summary: "allow capabilities and setuid on the whole mount", Lasts: "until it is mounted again",
			Steps: []report.Step{{Run: sudo(f, "mount", "-o", "remount,bind,suid", at)}, step}},
		change: func(w kernel.World) kernel.World {
			return w.With(func(f *facts.Facts) { f.File.Installed.Nosuid = f.File.Installed.Nosuid.Now(false) }).Start()
		},
	}, true
}

// build makes a lasting file, since go run builds a new one each time.
func build(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	pkg, okPkg := f.Command.Package.Is()
	cwd, okCwd := f.Command.Cwd.Is()
	args, okArgs := f.Command.Args.Is()
	nosuid, okFS := f.Command.CwdNosuid.Is()
	if !okPkg || !okCwd || !okArgs || !okFS || len(args) == 0 || breaks(f) || pkg == "command-line-arguments" || strings.HasSuffix(pkg, ".test") {
		return candidate{}, false
	}
	to := path.Join(cwd, "bin", path.Base(pkg))
	file := kernel.Stamp(kernel.Image{}, g)
	return candidate{
		Fix: report.Fix{ID: "build", Scope: "file", Summary: "build a file that lasts, and grant it the capability", Lasts: "until the next build", Costs: price(f), Steps: []report.Step{
			{Run: Command("go", "build", "-o", to, pkg)},
			{Run: sudo(f, "setcap", capText(file), to)},
			start(f, to, args[1:]...),
		}},
		change: func(w kernel.World) kernel.World {
			return w.With(func(f *facts.Facts) {
				f.File.Installed = facts.Image{
					Caps:   f.File.Installed.Caps.Now(file),
					Nosuid: f.File.Installed.Nosuid.Now(nosuid),
					Stat:   f.File.Installed.Stat.Now(facts.Stat{Mode: 0o100755}),
				}
			}).Start()
		},
	}, true
}

// goRun reports whether go run made the program.
func goRun(f *facts.Facts) bool {
	p, ok := f.File.Path.Is()
	return ok && facts.GoRun(p)
}
