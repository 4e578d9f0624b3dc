package explain

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/internal/term"
)

// threshold looks whether the port is privileged here at all.
func (l *look) threshold() (privileged bool) {
	start, known := see(l, "ip_unprivileged_port_start", l.f.Net.PortStart, strconv.Itoa, func(n int) string {
		return fmt.Sprintf("ports below %d are privileged", n)
	})
	privileged = !known || l.g.Port < start
	if apart, _ := l.f.Net.Apart.Is(); apart && privileged {
		l.apart = true
		see(l, "network of process 1", l.f.Net.Apart, yesNo, func(bool) string { return "this network namespace is not that of process 1" })
	}
	return privileged
}

// owner looks whether our capabilities count for this network namespace.
func (l *look) owner() (foreign bool) {
	if l.f.Net.Owner.State != facts.Known && rules.InInitial(l.f) == rules.Yes {
		return false // AppArmor lets few open a namespace's file; and nothing is outside this one
	}
	netns := "this network namespace"
	if id, ok := l.f.Net.NS.Is(); ok {
		netns = id
	}
	o, _ := see(l, "network namespace owner", l.f.Net.Owner,
		func(o facts.Owner) string {
			return map[facts.Owner]string{facts.OwnerHere: "this user namespace", facts.OwnerBelow: "a descendant", facts.OwnerOutside: "outside"}[o]
		},
		func(o facts.Owner) string {
			if o == facts.OwnerOutside {
				return "the owner of " + netns + " is outside ours"
			}
			return ""
		})
	return o == facts.OwnerOutside
}

// uidMap looks whether this is a user namespace of its own.
func (l *look) uidMap() (string, bool) {
	return see(l, "uid_map", l.f.Net.UIDMap, term.Show, func(m string) string {
		if m == facts.WholeMap {
			return ""
		}
		return fmt.Sprintf("uid_map %q: a user namespace of its own", m)
	})
}

// child looks whether this is another user namespace than the initial one.
func (l *look) child() bool {
	see(l, "user namespace", l.f.Net.UserNS, term.Show, func(id string) string {
		if id == facts.InitialUserNS {
			return ""
		}
		return id + " is not the initial one, " + facts.InitialUserNS
	})
	l.uidMap()
	return rules.InInitial(l.f) == rules.No
}

// foreign is the cause that no capability counts here, held or not.
func (l *look) foreign() report.Cause {
	if need := l.g.Need(); !l.f.Proc.Thread.Value.Effective.Contains(need) && !l.set("CapPrm", permitted).Contains(need) {
		l.summary["foreign-user-namespace"] = need.String() + " would count only in another user namespace"
	}
	return l.cause("foreign-user-namespace")
}

// refused finds why a bind was refused with EACCES.
func (l *look) refused() []report.Cause {
	if !l.threshold() {
		return l.policy()
	}
	if l.f.Proc.Thread.State != facts.Known {
		l.set("CapEff", effective)
		return []report.Cause{l.guess("unknown")}
	}
	eff := l.set("CapEff", effective)
	if l.owner() {
		l.uidMap()
		return []report.Cause{l.foreign()}
	}
	if l.withheld() {
		return []report.Cause{l.cause("apparmor")}
	}
	if eff.Contains(l.g.Need()) || l.g.Raised {
		if rules.Policy(l.f, l.g) != rules.No && l.unequal(false) {
			return []report.Cause{{ID: "threads-differ", Certainty: report.Likely}} // which of them it was is not known
		}
		return l.policy()
	}
	var causes []report.Cause
	if l.g.Port >= 1024 && l.f.Net.PortStart.State == facts.Known {
		causes = []report.Cause{l.cause("threshold-raised")}
	} else {
		causes = l.missing()
	}
	if rules.Policy(l.f, l.g) == rules.No {
		return append(causes, l.policy()...)
	}
	return append(causes, l.confined()...)
}

// lacking finds why a capability that the program requires does not hold.
func (l *look) lacking() []report.Cause {
	if l.f.Proc.Thread.State != facts.Known {
		l.set("CapEff", effective)
		return []report.Cause{l.guess("unknown")}
	}
	eff := l.set("CapEff", effective)
	if l.g.Need()&rules.Network != 0 && l.owner() {
		return []report.Cause{l.foreign()}
	}
	if l.g.Need()&rules.Initial != 0 && l.child() {
		return []report.Cause{l.cause("initial-user-namespace")}
	}
	if l.withheld() {
		return []report.Cause{l.cause("apparmor")}
	}
	if eff.Contains(l.g.Need()) {
		lacks := 0 // the first thread that does
		for _, tid := range slices.Sorted(maps.Keys(l.f.Proc.Threads.Value)) {
			if lacks == 0 && !l.f.Proc.Threads.Value[tid].Effective.Contains(l.g.Need()) {
				lacks = tid
			}
		}
		_, known := see(l, "threads", l.f.Proc.Threads, func(all map[int]caps.State) string { return strconv.Itoa(len(all)) },
			func(all map[int]caps.State) string {
				if lacks == 0 {
					return "every thread has it"
				}
				return fmt.Sprintf("thread %d: CapEff %s %s", lacks, all[lacks].Effective.Hex(), l.has(all[lacks].Effective))
			})
		if known && lacks == 0 { // all have it, and it cannot be told whether it counts
			if c := l.confined(); c != nil {
				return c
			}
			return []report.Cause{l.guess("unknown")}
		}
		return []report.Cause{l.cause("threads-differ")}
	}
	return append(l.missing(), l.confined()...)
}

// missing finds why a capability that is not effective is not.
func (l *look) missing() []report.Cause {
	need := l.g.Need()
	if prm := l.set("CapPrm", permitted); prm.Contains(need) {
		doubt(l, "capget", l.f.Policy.Withheld) // a profile that withholds it looks the same in /proc
		return []report.Cause{l.cause("not-raised")}
	}
	if l.unequal(true) {
		return []report.Cause{l.cause("threads-differ")}
	}
	if l.dropped() {
		return []report.Cause{l.cause("let-go")}
	}
	if file, ok := l.file(); ok {
		return l.fromFile(file)
	}
	// No attribute, or unreadable: whatever is found is then likely at best.
	if l.replaced() {
		return []report.Cause{l.cause("file-replaced")}
	}
	var further []report.Cause
	if !rules.Entrypoint(l.f) && l.noNewPrivs() {
		further = append(further, l.cause("no-new-privs"))
	}
	if l.nosuid() {
		further = append(further, l.cause("nosuid-mount"))
	}
	if l.f.File.Exe.Caps.Reason == "EOPNOTSUPP" {
		further = append(further, l.cause("xattr-unsupported"))
	}
	first := l.ungranted()
	if first.ID == "let-go" {
		return []report.Cause{first} // it would have been granted as things are
	}
	return append([]report.Cause{first}, further...)
}

// unequal looks for a thread of this process that has, or has not, what is needed:
// what this one is different in was not there at execve, which leaves one thread.
func (l *look) unequal(has bool) bool {
	doubt(l, "threads", l.f.Proc.Threads)
	all := l.f.Proc.Threads.Value
	for _, tid := range slices.Sorted(maps.Keys(all)) {
		if set := all[tid].Permitted; set.Contains(l.g.Need()) == has {
			see(l, "threads", l.f.Proc.Threads, func(all map[int]caps.State) string { return strconv.Itoa(len(all)) },
				func(map[int]caps.State) string {
					return fmt.Sprintf("thread %d: CapPrm %s %s", tid, set.Hex(), l.has(set))
				})
			return true
		}
	}
	return false
}

// rootLetGo looks whether this is root without a capability that execve gives to
// root as long as the bounding set has it (handle_privileged_root).
func (l *look) rootLetGo() bool {
	ids, ok := l.f.Proc.IDs.Is()
	tracer, known := l.f.Proc.TracerPid.Is()
	thread := l.f.Proc.Thread.Value
	if !ok || ids.EUID != 0 || !known || tracer != 0 || thread.NoNewPrivs || thread.Securebits&caps.NoRoot != 0 {
		return false
	}
	see(l, "effective uid", l.f.Proc.IDs,
		func(ids facts.IDs) string { return strconv.Itoa(int(ids.EUID)) }, func(facts.IDs) string { return "it is root, to whom execve gives all of CapBnd" })
	return true
}

// ungranted finds what kind of nothing this is: no file granted anything.
func (l *look) ungranted() report.Cause {
	need := l.g.Need()
	bnd := l.set("CapBnd", bounding)
	grown := l.grown()
	if !bnd.Contains(need) {
		l.unsure = l.unsure || grown // it may have cut the set itself
		return l.cause("bounding-excludes")
	}
	if l.f.Proc.Thread.Value.Securebits&caps.NoRoot != 0 {
		see(l, "securebits", l.f.Proc.Thread,
			func(s caps.State) string { return fmt.Sprintf("%#x", uint32(s.Securebits)) },
			func(s caps.State) string { return fmt.Sprintf("securebits %#x: noroot", uint32(s.Securebits)) })
		ids, ok := see(l, "effective uid", l.f.Proc.IDs,
			func(ids facts.IDs) string { return strconv.Itoa(int(ids.EUID)) }, func(facts.IDs) string { return "" })
		if ok && ids.EUID == 0 {
			return l.cause("noroot-securebit")
		}
	}
	if grown || l.rootLetGo() {
		return report.Cause{ID: "let-go", Certainty: report.Likely}
	}
	if l.set("CapInh", inheritable).Contains(need) {
		if l.lostOnTheWay() {
			return report.Cause{ID: "lost-on-uid-change", Certainty: report.Likely}
		}
		if l.setID() {
			return report.Cause{ID: "ambient-cleared-by-file", Certainty: report.Likely}
		}
		return l.cause("inheritable-only")
	}
	doubt(l, "authbind", l.f.Launcher.Authbind)
	if l.f.Launcher.Authbind.Value {
		see(l, "authbind", l.f.Launcher.Authbind, yesNo, func(bool) string { return "AUTHBIND_LIB is set: authbind started this" })
		return l.cause("authbind-bypassed")
	}
	if l.limited(bnd) {
		return l.cause("bounding-only")
	}
	p, _ := see(l, "executable", l.f.File.Path, term.Show, func(p string) string {
		if facts.GoRun(p) {
			return "go run's own file " + term.Show(p)
		}
		return ""
	})
	if facts.GoRun(p) {
		return l.cause("go-run")
	}
	return l.cause("no-capability")
}

// lostOnTheWay looks whether the capability was inheritable before the user
// changed: the nearest ancestor of another user has it so too. The change
// clears every set but the inheritable one (cap_emulate_setxuid).
func (l *look) lostOnTheWay() bool {
	ids, ok := l.f.Proc.IDs.Is()
	lost := func(p facts.Ancestor) bool {
		return ok && p.UID != ids.UID && p.Inheritable.Contains(l.g.Need())
	}
	p, known := see(l, "ancestor's CapInh", l.f.Launcher.Ancestor,
		func(p facts.Ancestor) string { return p.Inheritable.Hex() },
		func(p facts.Ancestor) string {
			if !lost(p) {
				return ""
			}
			return fmt.Sprintf("its ancestor, uid %d, has CapInh %s too", p.UID, p.Inheritable.Hex())
		})
	return known && lost(p)
}

// setID looks whether execve changed an id because of the file's mode, which clears
// the ambient set and leaves the inheritable one (cap_bprm_creds_from_file).
func (l *look) setID() bool {
	ids, okIDs := l.f.Proc.IDs.Is()
	file, okFile := l.f.File.Exe.Stat.Is()
	changes := file.Setuid() && file.UID != ids.UID || file.Setgid() && file.GID != ids.GID
	if !okIDs || !okFile || !changes || l.f.Proc.Thread.Value.NoNewPrivs || l.f.File.Exe.Nosuid.Value {
		return false
	}
	see(l, "mode", l.f.File.Exe.Stat,
		func(s facts.Stat) string { return fmt.Sprintf("%04o", s.Mode&0o7777) },
		func(s facts.Stat) string { return fmt.Sprintf("the file's mode %04o changes an id", s.Mode&0o7777) })
	l.summary["ambient-cleared-by-file"] = "the file's set-ID bit cleared the ambient " + l.g.Need().String()
	l.detail["ambient-cleared-by-file"] = "execve of a set-user-ID or set-group-ID file clears the ambient set, and leaves the inheritable one, which alone grants nothing; file capabilities count all the same"
	return true
}

// foreignMount looks whether the file was executed from a mount of another
// mount namespace, whose files grant nothing here (mnt_may_suid).
func (l *look) foreignMount() bool {
	see(l, "mount point", l.f.File.MountPoint, term.Show, func(string) string { return "" })
	return l.f.File.MountPoint.State == facts.Absent
}

// limited looks whether somebody made the bounding set smaller, and left the
// capability in, as one does who means to grant it: for a service compared with
// what process 1 has, in a container with what the kernel has.
func (l *look) limited(bnd caps.Set) bool {
	doubt(l, "unit", l.f.Launcher.Unit)
	if l.f.Launcher.Unit.State == facts.Known {
		init, ok := see(l, "CapBnd of process 1", l.f.Launcher.Init,
			func(s caps.State) string { return s.Bounding.Hex() },
			func(s caps.State) string { return "process 1 has CapBnd " + s.Bounding.Hex() })
		return ok && bnd != init.Bounding
	}
	doubt(l, "container", l.f.Launcher.Container)
	if l.f.Launcher.Container.State != facts.Known {
		return false
	}
	last, ok := see(l, "cap_last_cap", l.f.Kernel.LastCap,
		func(c caps.Cap) string { return strconv.Itoa(int(c)) },
		func(c caps.Cap) string { return "a full bounding set would be " + caps.UpTo(c).Hex() })
	return ok && bnd != caps.UpTo(last)
}

// fromFile finds why the capabilities of the running file did not arrive.
func (l *look) fromFile(file caps.File) []report.Cause {
	need := l.g.Need()
	if !file.Permitted.Contains(need) {
		switch {
		case l.replaced():
			return []report.Cause{l.cause("file-replaced")}
		case !l.set("CapBnd", bounding).Contains(need):
			return []report.Cause{l.cause("bounding-excludes")}
		case l.set("CapInh", inheritable).Contains(need) && !file.Inheritable.Contains(need):
			return []report.Cause{l.cause("ambient-cleared-by-file")}
		case file.Inheritable.Contains(need):
			return []report.Cause{l.cause("inheritable-only")}
		case file.Permitted|file.Inheritable != 0:
			return []report.Cause{l.cause("file-caps-partial")}
		default:
			return []report.Cause{l.cause("no-capability")}
		}
	}
	if l.grown() {
		if l.f.Proc.Thread.Value.Permitted&file.Permitted == 0 {
			return []report.Cause{{ID: "let-go", Certainty: report.Likely}}
		}
		l.unsure = true // it got some of it, and may have had the rest
	}
	// The file grants it. Every gate that is shut counts; the first that is
	// found shut would have refused alone.
	var shut []report.Cause
	if l.nosuid() {
		shut = append(shut, l.cause("nosuid-mount"))
	}
	if l.f.Kernel.NoFile.Value {
		see(l, "no_file_caps", l.f.Kernel.NoFile, yesNo, func(bool) string { return "the kernel was booted with no_file_caps" })
		shut = append(shut, l.cause("no-file-caps"))
	}
	if l.foreignMount() {
		shut = append(shut, l.cause("foreign-mount"))
	}
	if file.Version == 3 && file.RootID != 0 {
		shut = append(shut, l.cause("rootid-mismatch"))
	}
	if l.noNewPrivs() {
		shut = append(shut, l.cause("no-new-privs"))
	}
	tracer, _ := see(l, "TracerPid", l.f.Proc.TracerPid, strconv.Itoa, func(pid int) string {
		if pid == 0 {
			return ""
		}
		return fmt.Sprintf("TracerPid %d", pid)
	})
	if tracer != 0 {
		shut = append(shut, l.cause("traced-exec"))
	}
	if !l.set("CapBnd", bounding).Contains(need) {
		shut = append(shut, l.cause("bounding-excludes"))
	}
	if len(shut) == 0 {
		shut = append(shut, report.Cause{ID: "file-replaced", Certainty: report.Likely})
	}
	if l.unsure {
		for i := range shut {
			shut[i].Certainty = report.Likely
		}
	}
	return shut
}

// replaced looks whether this process runs a file that is no longer the one at
// its path, and that one grants what is needed.
func (l *look) replaced() bool {
	gone, _ := see(l, "deleted", l.f.File.Deleted, yesNo, func(gone bool) string {
		if gone {
			return "the running file is deleted"
		}
		return ""
	})
	if !gone {
		return false
	}
	file, ok := see(l, "new file capabilities", l.f.File.Installed.Caps, caps.File.String, func(c caps.File) string {
		return "the file at its path has " + c.String()
	})
	return ok && file.Permitted.Contains(l.g.Need())
}
