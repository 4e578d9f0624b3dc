package rules

import (
	"errors"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Starter is what executes the program when it is started again. Where it is not
// known, it is taken to hold what this process holds now.
func Starter(f facts.Facts) facts.Fact[caps.State] {
	s := f.Launch.Starter
	if s.State != facts.Known {
		s = f.Proc.Thread
	}
	if Entrypoint(f) {
		s.Value.Permitted = s.Value.Bounding
	}
	return s
}

// UnitUser says whether the unit itself starts this process as its user, and not
// as root that changes the user later, which takes away what the unit gave. A
// supervisor that still runs is seen; one that became this process by execve has
// no $USER, which systemd sets with User= (systemd.exec(5)).
func UnitUser(f facts.Facts) bool {
	if f.Launch.Starter.State == facts.Known { // as the unit says
		return true
	}
	ids, known := f.Proc.IDs.Is()
	between, seen := f.Launcher.Ancestor.Is()
	return known && ids.UID == 0 || f.Launcher.UserNamed.Value && !(seen && !between.Init)
}

// Starts says whether the kernel executes the program at all. One that runs has
// been; where a start is predicted, the file's effective bit can refuse it.
func Starts(f facts.Facts) Answer {
	if f.Launch.Starter.State != facts.Known {
		return Yes
	}
	e, known := exec(f)
	if !known {
		return Unknown
	}
	_, err := execute(f, Starter(f).Value, e)
	return of(!errors.Is(err, caps.ErrExecRefused))
}

// Missing is what the file asks to have at once, by its effective bit, and would
// not get: where it is not empty, the program is not executed.
func Missing(f facts.Facts) caps.Set {
	if Starts(f) != No {
		return 0
	}
	e, _ := exec(f)
	last := e.LastCap
	if last == 0 {
		last = caps.Last
	}
	s := Starter(f).Value
	return e.File.Permitted & caps.UpTo(last) &^ (s.Bounding | s.Inheritable&e.File.Inheritable)
}

// Start returns the facts as they would be if the program were started again by
// its starter: the file at its path is executed and the execve rule applied.
// Where a fact the rule needs is not known, what the thread would hold is not
// known either.
func Start(f facts.Facts) facts.Facts {
	now, knownThread := Starter(f).Is()
	e, known := exec(f)
	f.File.Exe = f.File.Installed
	f.File.Deleted, f.Proc.GainedOrChangedUser = f.File.Deleted.Now(false), f.Proc.GainedOrChangedUser.Now(false)
	f.Proc.Dropped = f.Proc.Dropped.Now(0)
	unknown := facts.Fact[caps.State]{Source: Rule, Reason: "a fact it needs is not known"}
	f.Proc.Threads = f.Proc.Threads.None()
	if !knownThread || !known {
		f.Proc.Thread = unknown
	} else if next, err := execute(f, now, e); err != nil {
		unknown.Reason = err.Error()
		f.Proc.Thread = unknown
	} else {
		f.Proc.Thread = f.Proc.Thread.Now(next)
		f.Proc.Thread.Source = Rule
		f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{0: next})
	}
	return f
}

// Rule is the source of what a program would hold.
const Rule = "execve rule"

// Entrypoint says whether this process is what a Kubernetes runtime executed
// itself: the runtime then held all of the bounding set as permitted, so that
// no_new_privs finds nothing new in what the file grants.
func Entrypoint(f facts.Facts) bool {
	pid, ok := f.Proc.PID.Is()
	return ok && pid == 1 && f.Launcher.Container.Value == "kubernetes"
}

// execute applies the execve rule of the running kernel; where its release is
// not known, the rules before and since 6.16 have to agree. An error says that
// nothing can be said: the program never starts, or differs between the two.
func execute(f facts.Facts, now caps.State, e caps.Exec) (caps.State, error) {
	release, known := f.Kernel.Release.Is()
	e.RealIDs = known && release.Before(6, 16)
	next, err := now.Exec(e)
	if known || err != nil {
		return next, err
	}
	e.RealIDs = true
	if old, err := now.Exec(e); err != nil || old != next {
		return caps.State{}, errors.New("the release of the kernel is not known")
	}
	return next, nil
}

// exec describes the execve of the file at the program's path. It leaves the
// supplementary groups out: a setgid file of one of them then counts as one that
// changes ids, which grants less.
func exec(f facts.Facts) (caps.Exec, bool) {
	ids, okIDs := f.Proc.IDs.Is()
	stat, okStat := f.File.Installed.Stat.Is()
	nosuid, okNosuid := f.File.Installed.Nosuid.Is()
	tracer, okTracer := f.Proc.TracerPid.Is()
	last, _ := f.Kernel.LastCap.Is() // where it is hidden, that of today's kernels
	if !okIDs || !okStat || !okNosuid || !okTracer || f.File.Installed.Caps.State == facts.Unreadable {
		return caps.Exec{}, false
	}
	if f.File.Exe.Stat.Value.Setid() { // it changed the effective ids; what starts the program has the real ones
		ids.EUID, ids.EGID = ids.UID, ids.GID
	}
	e := caps.Exec{
		UID: ids.UID, EUID: ids.EUID, GID: ids.GID, EGID: ids.EGID,
		Nosuid:  nosuid || f.Launch.Foreign,
		Traced:  tracer != 0,
		Setuid:  stat.Setuid(),
		Setgid:  stat.Setgid(),
		FileUID: stat.UID, FileGID: stat.GID,
		LastCap: last,
	}
	if file, ok := f.File.Installed.Caps.Is(); ok && ForUs(f, file) && !f.Kernel.NoFile.Value {
		e.File = &file
	}
	return e, true
}

// ForUs says whether file capabilities count in this user namespace. Version 3
// names the uid, as seen from here, that must be root of the namespace or of an
// ancestor (rootid_owns_currentns); getxattr(2) gives version 2 where it is.
func ForUs(f facts.Facts, file caps.File) bool {
	return file.Version != 3 || file.RootID == 0
}
