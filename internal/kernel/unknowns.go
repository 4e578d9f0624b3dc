package kernel

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// An unknown is one question that the facts may leave open. It returns the world once for
// each possible answer; if the fact was read, there is one. Each unusual thing that an
// answer assumes costs one. set is what the thread lacks.
type unknown func(w World, g Goal, set caps.Set) []World

// ofProcess are the questions about how this process came to hold what it holds.
var ofProcess = []unknown{
	callers, sinces, starters, boundings, noNewPrivs, tracers, sharedFolders,
	stamps, idmaps, setIDs, nosuids, foreigns, ignoreds, releases,
}

// costs returns the world with n added to its cost.
func (w World) costs(n int) World {
	w.cost += n
	return w
}

// callers: which user executed the program? A process that is not root may have been started
// by root; its change of user made it undumpable (commit_creds).
func callers(w World, g Goal, set caps.Set) []World {
	ids, known := w.Facts.Proc.IDs.Is()
	if !known {
		w.Caller = nobody
		root := w.costs(1)
		root.Caller = facts.IDs{}
		return []World{w, root}
	}
	w.Caller = ids
	if w.Image.Stat.Setid() { // it changed the effective ids
		w.Caller.EUID, w.Caller.EGID = ids.UID, ids.GID
	}
	root := w.costs(1)
	root.Caller = facts.IDs{}
	dumpable, ok := w.Facts.Proc.Dumpable.Is()
	switch {
	case ids.UID == 0 && ids.EUID != 0: // by a change of the effective user, before the execve or after it
		root.cost = w.cost
		return []World{w, root}
	case ids.UID == 0, ok && dumpable == 1:
		return []World{w}
	}
	if parent, ok := w.Facts.Launcher.Parent.Is(); ok && parent.UID == ids.UID {
		root = root.costs(1) // the parent must have changed its user too
	}
	return []World{w, root}
}

var nobody = facts.IDs{UID: facts.OverflowID, EUID: facts.OverflowID, GID: facts.OverflowID, EGID: facts.OverflowID}

// sinces: what has the program given up since its start?
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
		return all[1:] // execve leaves one thread, so every thread had it
	case !known:
		gave(OnThread, 2)
	}
	if w.leftRoot() {
		gave(LetGo, 0)
		if w.now.Permitted == 0 {
			return all[1:]
		}
		return all // what it kept was chosen (PR_SET_KEEPCAPS)
	}
	if w.lessRoot(set) {
		gave(Lowered, 0)
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

// leftRoot reports whether root executed the program and the program changed its user since.
// Whatever root held, that clears every set but the inheritable and the bounding one, unless the
// program keeps what is permitted (cap_emulate_setxuid).
func (w World) leftRoot() bool {
	ids, known := w.Facts.Proc.IDs.Is()
	changed := known && w.Caller.EUID == 0 && ids.UID != 0 && ids.EUID != 0
	return changed && w.now.Securebits&caps.NoSetuidFixup == 0
}

// lessRoot reports whether root executed the program and the program changed its effective user
// since. That clears the effective set alone (cap_emulate_setxuid).
func (w World) lessRoot(set caps.Set) bool {
	ids, known := w.Facts.Proc.IDs.Is()
	changed := known && w.Caller.EUID == 0 && ids.UID == 0 && ids.EUID != 0
	return changed && w.now.Permitted.Contains(set) && w.now.Securebits&caps.NoSetuidFixup == 0
}

// otherThreads reports whether a thread of the process has what this one lacks; known is false
// if the other threads could not be read.
func otherThreads(w World, g Goal, set caps.Set) (found, known bool) {
	all, known := w.Facts.Proc.Threads.Is()
	found = has(w.Facts.Proc.Thread.Value, g).Contains(set)
	for _, s := range all {
		found = found || has(s, g).Contains(set)
	}
	return found && !has(w.now, g).Contains(set), known
}

// starters: what did the thread that executed the program hold? Execve leaves its inheritable
// set unchanged, and its ambient set too unless the file clears that. Execve takes away what
// is permitted alone, as for a launcher.
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
	switch {
	case w.Since == Kept && now.Permitted&now.Inheritable&w.Image.Caps.Inheritable&set != 0:
		// The file let it through, which is what it was for.
		other(Ambient(s, set), had+2)
	case w.Since != Kept, now.Inheritable.Contains(set):
		other(Ambient(s, set), had)
	}
	permitted := s
	permitted.Permitted |= set
	if Entrypoint(w.Facts) || now.NoNewPrivs && now.Permitted&^now.Ambient != 0 { // then execve adds nothing that the starter lacks
		permitted.Permitted |= now.Bounding
		other(permitted, 0)
		other(s, 1)
	} else {
		other(s, 0)
		other(permitted, 1+had)
	}
	return all
}

// rootStarters answers starters for root, who usually holds all of the bounding set.
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

// poor is the cost of assuming that the starter held the set. It is one if the parent is an
// ordinary user's process that holds nothing of it: then a set-ID program between them
// must have held it.
func poor(f *facts.Facts, set caps.Set) int {
	parent, ok := f.Launcher.Parent.Is()
	ids, okIDs := f.Proc.IDs.Is()
	if ok && okIDs && parent.UID == ids.UID && parent.EUID == ids.UID && (parent.Permitted|parent.Inheritable)&set == 0 {
		return 1
	}
	return 0
}

// Entrypoint reports whether a Kubernetes runtime executed this process itself. The runtime
// holds all of the bounding set as permitted, so no_new_privs does not void what the file
// grants.
func Entrypoint(f *facts.Facts) bool {
	pid, ok := f.Proc.PID.Is()
	return ok && pid == 1 && f.Launcher.Container.Value == "kubernetes"
}

// boundings: was the bounding set reduced before the execve, or by the program since? Where the
// file asks for all of its capabilities at once, the set had them, or nothing would run.
func boundings(w World, g Goal, set caps.Set) []World {
	if missing := w.Missing(); missing != 0 && w.Since != Kept {
		w.Starter.Bounding |= missing
	}
	if w.Starter.Bounding.Contains(set) || w.Since == Kept {
		return []World{w}
	}
	whole := w // as bounded, but for a program that root started, whatever its effective user
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

// tracers: did a tracer without CAP_SYS_PTRACE watch the execve? A tracer that is there now
// may have come later, and one that watched may have gone.
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

// watchers: will the tracer that is there before the start void what the execve grants? One
// with CAP_SYS_PTRACE does not (ptracer_capable).
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

// sharedFolders: did another process share the starter's root and working directory? One that
// shares them now may be a child of this process. One that did then may have gone, or belong
// to another user.
func sharedFolders(w World, g Goal, set caps.Set) []World {
	shared := w
	shared.SharedFS = true
	switch shares := w.Facts.Launcher.SharesFS; {
	case shares.State == facts.Unreadable && shares.Reason != facts.NotRecorded:
		return []World{w, shared.costs(1)}
	case shares.Value:
		return []World{shared, w.costs(1)}
	}
	return []World{w, shared.costs(2)}
}

// stamps: did the file have the same attribute security.capability at execve as now? It did if
// the process was forked after the inode last changed.
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
	if w.Facts.File.Exe.Stat.State == facts.Unreadable { // nor is it often another file than its path names
		other = w.costs(2)
	}
	if w.Image.Stamped {
		other.Image.Stamped, other.Image.Caps = false, caps.File{}
	} else {
		other.Image.Stamped, other.Image.Caps = true, caps.File{Version: 2, Permitted: set | w.now.Permitted, Effective: true}
	}
	return []World{w, other}
}

// idmaps: does an idmapped mount make the file's capabilities those of another root? Execve
// sees what getxattr(2) reads through the mount.
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

// setIDs: do the set-ID bits of the file count? They do not if its user or group has no id in
// the user namespace (bprm_fill_uid). Then stat(2) shows the overflow id, but a file may
// also really belong to that id.
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
	case stat.UID == facts.OverflowID, stat.GID == facts.OverflowID:
		return []World{w, ignored}
	}
	return []World{w}
}

// nosuids: was the mount nosuid at execve? It is taken not to be remounted while the program runs.
func nosuids(w World, g Goal, set caps.Set) []World {
	if running(w.Facts).Nosuid.State != facts.Unreadable {
		return []World{w}
	}
	other := w.costs(1)
	other.Image.Nosuid = true
	return []World{w, other}
}

// foreigns: was the file reached through a mount of another mount namespace? Its own path does
// not lead through one.
func foreigns(w World, g Goal, set caps.Set) []World {
	f := w.Facts.File
	byPath := f.Exe.Stat.State == facts.Unreadable && f.Installed.Stat.State == facts.Known // see running
	if f.MountPoint.State != facts.Unreadable || byPath {
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
