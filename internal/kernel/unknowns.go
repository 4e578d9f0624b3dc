package kernel

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// An unknown is one question that the facts may leave open. It returns the world once for
// each answer. An answer that takes something unusual costs one, and one that takes two
// unusual things costs two; a fact that was read leaves one answer. set is what the
// thread lacks.
type unknown func(w World, g Goal, set caps.Set) []World

// ofProcess are the questions about how this process came to hold what it holds.
var ofProcess = []unknown{callers, sinces, starters, boundings, noNewPrivs, tracers, sharedFolders, stamps, idmaps, setIDs, nosuids, foreigns, ignoreds, releases}

// costs adds to what a story costs.
func (w World) costs(n int) World {
	w.cost += n
	return w
}

// callers: as which user was the program executed? A process of another user than root
// may have been root's; it is undumpable since (commit_creds).
func callers(w World, g Goal, set caps.Set) []World {
	ids, known := w.Facts.Proc.IDs.Is()
	if !known {
		w.Caller = facts.IDs{UID: nobodyUID, EUID: nobodyUID, GID: nobodyUID, EGID: nobodyUID}
		root := w.costs(1)
		root.Caller = facts.IDs{}
		return []World{w, root}
	}
	w.Caller = ids
	if w.Image.Stat.Setid() { // it changed the effective ids
		w.Caller.EUID, w.Caller.EGID = ids.UID, ids.GID
	}
	if dumpable, ok := w.Facts.Proc.Dumpable.Is(); ids.UID == 0 || ok && dumpable == 1 {
		return []World{w}
	}
	root := w.costs(1)
	root.Caller = facts.IDs{}
	if parent, ok := w.Facts.Launcher.Parent.Is(); ok && parent.UID == ids.UID {
		root = root.costs(1) // it has changed its user too then
	}
	return []World{w, root}
}

const nobodyUID = 65534

// sinces: what has the program given up by itself?
func sinces(w World, g Goal, set caps.Set) []World {
	all := []World{w}
	gave := func(what Since, cost int) {
		other := w.costs(cost)
		other.Since = what
		all = append(all, other)
	}
	switch has, known := otherThreads(w, g, set); {
	case has:
		gave(OnThread, 0)
		return all[1:] // execve leaves one thread, so it was given to all
	case !known:
		gave(OnThread, 2)
	}
	if w.leftRoot() {
		gave(LetGo, 0)
		return all[1:]
	}
	dropped, _ := w.Facts.Proc.Dropped.Is()
	began, noted := w.Facts.Proc.AtInit.Is()
	cost := 1
	if dropped.Contains(set) || w.drops(set) || noted && began.Permitted.Contains(set) {
		cost = 0
	}
	gave(LetGo, cost)
	if !g.Raises || g.Network == "" {
		cost = 1
		if noted && began.Effective.Contains(set) {
			cost = 0
		}
		gave(Lowered, cost)
	}
	return all
}

// leftRoot reports whether root executed the program and it changed its user since, which
// clears every set but the inheritable and bounding ones (cap_emulate_setxuid), whatever
// root held.
func (w World) leftRoot() bool {
	ids, known := w.Facts.Proc.IDs.Is()
	return known && w.Caller.EUID == 0 && ids.UID != 0 && ids.EUID != 0 && w.now.Permitted == 0 && w.now.Securebits&caps.NoSetuidFixup == 0
}

// otherThreads reports whether a thread of the process has what this one lacks.
func otherThreads(w World, g Goal, set caps.Set) (found, known bool) {
	all, known := w.Facts.Proc.Threads.Is()
	found = has(w.Facts.Proc.Thread.Value, g).Contains(set)
	for _, s := range all {
		found = found || has(s, g).Contains(set)
	}
	return found && !has(w.now, g).Contains(set), known
}

// starters: what did the thread hold that executed the program? Its inheritable set went
// through the execve unchanged; its ambient one also, unless the file cleared it. What it
// held as permitted alone, as a launcher does, the execve took away.
func starters(w World, g Goal, set caps.Set) []World {
	now := w.now
	s := now
	s.Permitted, s.Effective = now.Ambient, now.Ambient
	if w.Caller.UID == 0 {
		return rootStarters(w, s, set)
	}
	w.Starter = s
	var all []World
	other := func(s caps.State, cost int) {
		o := w.costs(cost)
		o.Starter = s
		all = append(all, o)
	}
	had := poor(w.Facts, set)
	if now.Inheritable.Contains(set) || w.Since != Kept {
		ambient := s
		ambient.Inheritable |= set
		ambient.Permitted |= set
		ambient.Effective |= set
		ambient.Ambient |= set
		other(ambient, had)
	}
	permitted := s
	permitted.Permitted |= set
	if Entrypoint(w.Facts) || now.NoNewPrivs && now.Permitted&^now.Ambient != 0 { // which execve added to nobody who did not hold it
		permitted.Permitted |= now.Bounding
		other(permitted, 0)
		other(s, 1)
	} else {
		other(s, 0)
		other(permitted, 1+had)
	}
	return all
}

// rootStarters: root holds all of its bounding set as a rule.
func rootStarters(w World, s caps.State, set caps.Set) []World {
	full, none := w, w.costs(1)
	none.Starter = s
	s.Permitted, s.Effective = s.Bounding|s.Permitted, s.Bounding|s.Permitted
	full.Starter = s
	if !s.Inheritable.Contains(set) {
		return []World{full, none}
	}
	ambient := w.costs(1)
	ambient.Starter = Ambient(s, set)
	return []World{full, none, ambient}
}

// poor is what it costs to say that the starter held the set though the parent, an
// ordinary user's process, holds nothing of it: a set-ID program between them may have.
func poor(f *facts.Facts, set caps.Set) int {
	parent, ok := f.Launcher.Parent.Is()
	ids, okIDs := f.Proc.IDs.Is()
	if ok && okIDs && parent.UID == ids.UID && parent.EUID == ids.UID && (parent.Permitted|parent.Inheritable)&set == 0 {
		return 1
	}
	return 0
}

// Entrypoint reports whether this process is what a Kubernetes runtime executed
// itself: the runtime then held all of the bounding set as permitted, so that
// no_new_privs finds nothing new in what the file grants.
func Entrypoint(f *facts.Facts) bool {
	pid, ok := f.Proc.PID.Is()
	return ok && pid == 1 && f.Launcher.Container.Value == "kubernetes"
}

// boundings: was the bounding set cut before the execve, or by the program since?
func boundings(w World, g Goal, set caps.Set) []World {
	if w.Starter.Bounding.Contains(set) || w.Since == Kept {
		return []World{w}
	}
	whole := w
	whole.Starter.Bounding |= set
	if w.Caller.UID == 0 {
		whole.Starter.Permitted |= set
	}
	return []World{w, whole}
}

// noNewPrivs: was no_new_privs set before the execve, or since? It is never unset.
func noNewPrivs(w World, g Goal, set caps.Set) []World {
	began, noted := w.Facts.Proc.AtInit.Is()
	if !w.Starter.NoNewPrivs || noted && began.NoNewPrivs {
		return []World{w}
	}
	later := w
	later.Starter.NoNewPrivs = false
	switch {
	case noted:
		return []World{later}
	case w.Since == LetGo: // who gives up privileges sets it too
		return []World{w, later}
	default:
		return []World{w, later.costs(1)}
	}
}

// tracers: did one without CAP_SYS_PTRACE watch the execve? One that is there now may
// have come later, and one that watched may have gone.
func tracers(w World, g Goal, set caps.Set) []World {
	pid, known := w.Facts.Proc.TracerPid.Is()
	tracer, knownTracer := w.Facts.Launcher.Tracer.Is()
	watched := w
	watched.Traced = true
	switch {
	case !known:
		return []World{w, watched.costs(1)}
	case pid == 0:
		return []World{w, watched.costs(2)}
	case knownTracer && tracer.Effective.Has(caps.SYS_PTRACE):
		return []World{w}
	default:
		return []World{watched, w.costs(1)}
	}
}

// watchers: may the tracer that is there before the start watch an execve that grants
// something (ptracer_capable)?
func watchers(w World, g Goal, set caps.Set) []World {
	pid, knownPid := w.Facts.Proc.TracerPid.Is()
	tracer, known := w.Facts.Launcher.Tracer.Is()
	watched := w
	watched.Traced = true
	switch {
	case knownPid && pid == 0, known && tracer.Effective.Has(caps.SYS_PTRACE):
		return []World{w}
	case known:
		return []World{watched}
	}
	return []World{w, watched}
}

// sharedFolders: did another process share the starter's folders? One that shares them now
// may be a child of this process, and one that did may have gone or belong to another user.
func sharedFolders(w World, g Goal, set caps.Set) []World {
	shared := w
	shared.SharedFS = true
	if w.Facts.Launcher.SharesFS.Value {
		return []World{shared, w.costs(1)}
	}
	return []World{w, shared.costs(2)}
}

// stamps: did the file have the attribute at execve that it has now? A process that was
// forked after the inode last changed saw what is there.
func stamps(w World, g Goal, set caps.Set) []World {
	if running(w.Facts).Caps.State == facts.Unreadable {
		granted := w
		granted.Image.Stamped, granted.Image.Caps = true, caps.File{Version: 2, Permitted: set}
		return []World{w, granted}
	}
	if changed, known := w.Facts.File.ChangedSince.Is(); known && !changed {
		return []World{w}
	}
	other := w.costs(1)
	if w.Image.Stamped {
		other.Image.Stamped, other.Image.Caps = false, caps.File{}
	} else {
		other.Image.Stamped, other.Image.Caps = true, caps.File{Version: 2, Permitted: set, Effective: true}
	}
	return []World{w, other}
}

// idmaps: does the mount of the file take root's attributes for those of another root? What
// getxattr(2) reads through it is what execve sees.
func idmaps(w World, g Goal, set caps.Set) []World {
	idmapped := w.Facts.File.IdmappedThere
	mayBe := idmapped.State != facts.Known && idmapped.Reason != facts.NotRecorded && w.Image.Stamped
	if w.Image.Stamped && w.Image.ours() || !idmapped.Value && !mayBe {
		return []World{w}
	}
	shifted := w
	shifted.Image.Shifted = true
	return []World{w, shifted}
}

// setIDs: do the set-ID bits of the file count? Not if its user or group has no id in the
// user namespace (bprm_fill_uid). There stat(2) shows the overflow id, which may be mapped too.
func setIDs(w World, g Goal, set caps.Set) []World {
	stat := w.Image.Stat
	if !stat.Setid() || InInitial(w.Facts) == Yes {
		return []World{w}
	}
	ignored := w
	ignored.Image.Stat.Mode &^= 0o6000
	uids, known := w.Facts.Net.UIDMap.Is()
	_, mapped := facts.IDMap(uids).Outside(stat.UID)
	switch {
	case known && !mapped:
		return []World{ignored}
	case stat.UID == nobodyUID, stat.GID == nobodyUID:
		return []World{w, ignored}
	}
	return []World{w}
}

// nosuids: was the mount nosuid at execve? Nobody remounts it under a program that runs.
func nosuids(w World, g Goal, set caps.Set) []World {
	if running(w.Facts).Nosuid.State != facts.Unreadable {
		return []World{w}
	}
	other := w.costs(1)
	other.Image.Nosuid = true
	return []World{w, other}
}

// foreigns: did the file come through a mount of another mount namespace? Not by a path.
func foreigns(w World, g Goal, set caps.Set) []World {
	if f := w.Facts.File; f.MountPoint.State != facts.Unreadable || f.Exe.Stat.State == facts.Unreadable && f.Installed.Stat.State == facts.Known {
		return []World{w}
	}
	other := w.costs(1)
	other.Image.Foreign = true
	return []World{w, other}
}

// ignoreds: does this system ignore file capabilities?
func ignoreds(w World, g Goal, set caps.Set) []World {
	if w.Facts.Kernel.NoFile.State != facts.Unreadable {
		return []World{w}
	}
	other := w.costs(2)
	other.Image.Ignored = true
	return []World{w, other}
}

// releases: which execve rule has this kernel?
func releases(w World, g Goal, set caps.Set) []World {
	old := w
	old.realIDs = true
	switch release, known := w.Facts.Kernel.Release.Is(); {
	case !known:
		return []World{w, old}
	case release.Before(6, 16):
		return []World{old}
	default:
		return []World{w}
	}
}
