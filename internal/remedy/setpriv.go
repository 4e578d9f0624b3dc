package remedy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// setpriv starts the program as the same user with an ambient capability, if the operator can
// enter its network namespace and has its file.
func setpriv(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	exe, okExe := program(f)
	args, okArgs := f.Command.Args.Is()
	enter, okNet := entering(f)
	if fromOutside(f) && g.Network == "" { // what counts outside counts in every network
		enter, okNet = nil, true
	} else if fromOutside(f) && !f.Launcher.Operator.Value.SameNet && enter == nil { // the bind would be in another network
		okNet = false
	}
	there := f.File.Installed.Stat.State == facts.Known // else the path may lead nowhere
	if !okNet || !okExe || !there || !okArgs || len(args) == 0 || goRun(f) {
		return candidate{}, false
	}
	line, change, ok := withAmbient(w, g)
	line = slices.Concat(enter, line, withLibraries(f, slices.Concat([]string{exe}, args[1:])...))
	return candidate{
		Fix: report.Fix{ID: "setpriv", Scope: "file", Summary: "for one start of the program", Lasts: "until it ends",
			Costs: sudoChanges(f), Steps: []report.Step{{Start: sudoStart(f, line...)}}},
		change: func(w kernel.World) kernel.World {
			w.Starter.Bounding |= f.Launcher.Operator.Value.Bounding // in whose shell it is pasted
			return change(w)
		},
	}, ok
}

// launcher does the same in what starts the program, for when the operator cannot reach the
// program's mounts or its network.
func launcher(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	args, okArgs := f.Command.Args.Is()
	if _, reached := setpriv(w, g); reached || !okArgs || len(args) == 0 || goRun(f) || fromOutside(f) {
		return candidate{}, false
	}
	line, change, ok := withAmbient(w, g)
	return candidate{
		Fix: report.Fix{ID: "launcher", Scope: "file", Summary: "have root start the program through setpriv", Lasts: "as long as it is started so",
			Steps: []report.Step{{Edit: "what starts the program", Content: Command(append(line, args...)...) + "\n"}}},
		change: func(w kernel.World) kernel.World { return change(w.With(sameFile)) }, byHand: true,
	}, ok
}

// sameFile makes the running file the one that is started again, if no file is at its path: the
// launcher reached it through a descriptor or another mount namespace.
func sameFile(f *facts.Facts) {
	if f.File.Installed.Stat.State != facts.Known {
		f.File.Installed, f.Launch.Foreign = f.File.Exe, f.File.MountPoint.State == facts.Absent
	}
}

// withAmbient returns the words of setpriv(1) with which root starts a program as the user of
// this process with the ambient capability, and what that changes.
func withAmbient(w kernel.World, g kernel.Goal) (words []string, change func(kernel.World) kernel.World, ok bool) {
	f := w.Facts
	line, ids, ok := asUser(f)
	all := g.Need() | kept(w, g)
	set := strings.TrimPrefix(all.Setpriv(), "-all,") // added to what sudo's root has, as the documents do
	line = append(line, "--inh-caps="+set, "--ambient-caps="+set)
	if w.Starter.NoNewPrivs {
		line = append(line, "--no-new-privs")
	}
	return append(line, "--"), func(w kernel.World) kernel.World {
		if fromOutside(f) {
			w.Counts = true
			w.Starter.Bounding = f.Launcher.Operator.Value.Bounding
		}
		w.Caller = ids // a set-ID file may change them again
		w.Starter = kernel.Ambient(w.Starter, all&w.Starter.Bounding)
		return w.Start()
	}, ok && ids.UID != 0
}

// kept returns the ambient capabilities beside those of the goal that the program keeps when it is
// started in another way. Those of a user namespace that the operator is not in end with it: outside they
// would be others, over the whole machine.
func kept(w kernel.World, g kernel.Goal) caps.Set {
	if fromOutside(w.Facts) {
		return 0
	}
	return w.Starter.Ambient &^ g.Need()
}

// fromOutside reports whether the operator is outside the user namespace of this process.
func fromOutside(f *facts.Facts) bool { return f.Launcher.Operator.Value.OtherUsers }

// asUser returns the words of setpriv(1) with which root becomes the user of this process, with
// that user's groups, and the ids that the program then has. It reports false if the user
// is not clear, as for a set-ID file with two users.
func asUser(f *facts.Facts) (words []string, as facts.IDs, ok bool) {
	ids, ok := f.Proc.IDs.Is()
	as = facts.IDs{UID: ids.UID, EUID: ids.UID, GID: ids.GID, EGID: ids.GID}
	user, groups := strconv.Itoa(int(ids.UID)), "--clear-groups"
	if name, ok := f.Command.User.Is(); ok {
		user, groups = name, "--init-groups"
	}
	if others := otherGroups(f); others != "" {
		groups = others
	}
	tools, known := f.Launcher.Tools.Is()
	ok = ok && ids.UID == ids.EUID && sameUser(f, ids.UID)
	if fromOutside(f) && f.Net.UIDMap.State == facts.Known {
		uid, okUID := facts.IDMap(f.Net.UIDMap.Value).Outside(ids.UID)
		gid, okGID := facts.IDMap(f.Net.GIDMap.Value).Outside(ids.GID)
		if uid != ids.UID {
			user, groups = strconv.Itoa(int(uid)), "--clear-groups"
		}
		as = facts.IDs{UID: uid, EUID: uid, GID: gid, EGID: gid}
		ok = okUID && okGID && ids.UID == ids.EUID
	}
	if known && !tools.Setpriv {
		ok = false
	}
	return []string{"setpriv", "--reuid=" + user, "--regid=" + strconv.Itoa(int(as.GID)), groups}, as, ok
}

// otherGroups returns the option of setpriv(1) for the groups of this process if they are not those
// of its user, "" if they are. In older recordings, which lack those of the user, they are.
func otherGroups(f *facts.Facts) string {
	has, known := f.Proc.Groups.Is()
	usual, knownUsual := f.Command.Groups.Is()
	switch {
	case !known, !knownUsual && f.Command.Groups.Reason == facts.NotRecorded:
		return ""
	case len(has) == 0:
		return "--clear-groups"
	case knownUsual && slices.Equal(sorted(has), sorted(usual)):
		return ""
	}
	words := make([]string, len(has))
	for i, group := range has {
		words[i] = strconv.Itoa(int(group))
	}
	return "--groups=" + strings.Join(words, ",")
}

// sorted returns each of the groups once, in ascending order.
func sorted(groups []uint32) []uint32 { return slices.Compact(slices.Sorted(slices.Values(groups))) }

// sameUser reports whether a uid of this user namespace is the same outside, as far as that is
// known.
func sameUser(f *facts.Facts, uid uint32) bool {
	out, ok := facts.IDMap(f.Net.UIDMap.Value).Outside(uid)
	return f.Net.UIDMap.State != facts.Known || ok && out == uid
}
