package kernel

import (
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// predicts reports whether the story ends with what was read: what the thread holds of the
// set, what the program noted at its start, and AT_SECURE. The world that it returns costs
// more if the thread has something else permitted that the story does not explain, if the program
// has to have changed its dumpable flag itself, or a security module AT_SECURE.
func (w World) predicts(set caps.Set) (World, bool) {
	executed, ok := w.Executed()
	if !ok {
		return w, false
	}
	f := w.Facts
	if began, noted := f.Proc.AtInit.Is(); noted && (began.Permitted^executed.Permitted)&set != 0 {
		return w, false
	}
	if dropped, noted := f.Proc.Dropped.Is(); noted && w.Since != LetGo && dropped&set&^w.now.Permitted != 0 {
		return w, false // package caps/drop found it permitted
	}
	now, thread := w.now, w.thread(set)
	switch {
	case (now.Permitted^thread.Permitted)&set != 0, (now.Ambient^thread.Ambient)&set != 0:
		return w, false
	case thread.Effective&set&^now.Effective != 0: // more may be effective now: the program can raise it
		return w, false
	}
	switch {
	case w.drops(set):
		if w.Since != LetGo {
			return w, false // after a drop nothing of it is left
		}
	case w.Since == LetGo && w.leftRoot():
	case (w.Since == LetGo || w.Since == OnThread) && !executed.Permitted.Contains(set):
		return w, false // there was nothing to give up
	}
	if w.Since == Lowered && !executed.Effective.Contains(set) {
		return w, false
	}
	if secure, known := f.Proc.Secure.Is(); known && secure != w.secure(executed) {
		if !secure || !labeled(f) {
			return w, false
		}
		w.cost++ // selinux_bprm_creds_for_exec
	}
	if now.Permitted&^(executed.Permitted|set) != 0 { // though nothing but an execve adds to it (capset(2))
		w.cost++
	}
	switch dumpable, known := f.Proc.Dumpable.Is(); {
	case !known || (dumpable == 1) != w.undumpable(executed):
	case dumpable == 1:
		w.cost++ // prctl(PR_SET_DUMPABLE)
	case w.Image.Stat.Mode&0o004 != 0: // else its user may not read the file, and execve made it undumpable (would_dump)
		w.cost += 2 // the same, which few programs do: more have changed their user
	}
	return w, true
}

// drops reports whether package caps/drop ran and takes the set away, whether or not the
// thread had it.
func (w World) drops(set caps.Set) bool {
	drops, _ := w.Facts.Proc.Drops.Is()
	return set != 0 && drops.Contains(set) && w.now.Permitted&set == 0
}

// labeled reports whether the process may have the label of a security module, which may then
// have set AT_SECURE.
func labeled(f *facts.Facts) bool {
	label, known := f.Policy.Label.Is()
	return f.Policy.Label.State == facts.Unreadable || known && !strings.HasPrefix(label, "unconfined")
}

// secure reports whether execve sets AT_SECURE (cap_bprm_creds_from_file). It does so for a
// file that changes ids. Unless the user is root, it also does so for a file with the
// effective bit, even if what the file grants was voided, and for a file that granted more
// than the ambient set.
func (w World) secure(executed caps.State) bool {
	e := w.exec()
	changes := (e.Setuid && e.FileUID != e.UID || e.Setgid && e.FileGID != e.GID) && !e.Nosuid && !w.Starter.NoNewPrivs
	effective := e.File != nil && !e.Nosuid && e.File.Effective
	grew := executed.Permitted&^executed.Ambient != 0
	return changes || e.UID != 0 && (effective || grew)
}

// undumpable reports whether the kernel made the process undumpable: its ids have changed, or
// its execve gave it what the starter did not hold (commit_creds).
func (w World) undumpable(executed caps.State) bool {
	ids, known := w.Facts.Proc.IDs.Is()
	changed := known && (ids.UID != w.Caller.UID || ids.UID != ids.EUID || ids.GID != ids.EGID)
	return changed || !w.Starter.Permitted.Contains(executed.Permitted)
}
