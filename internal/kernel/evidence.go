package kernel

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// Each of the following methods adds one fact to the evidence, with what it means.

func (l *look) threshold() {
	if l.g.Network == "" {
		return
	}
	l.container()
	see(l, "ip_unprivileged_port_start", l.f.Net.PortStart, strconv.Itoa, func(n int) string {
		return fmt.Sprintf("ports below %d are privileged", n)
	})
	if apart, _ := l.f.Net.Apart.Is(); apart && l.w.Privileged(l.g) {
		see(l, "network of process 1", l.f.Net.Apart, yesNo, when("this network namespace is not that of process 1"))
	}
}

// container shows what says that this is a container, and whose.
func (l *look) container() {
	engine, inside := l.f.Launcher.Container.Is()
	if !inside || l.f.Launch.Planned || l.f.Launcher.Unit.State == facts.Known {
		return
	}
	name, known := map[string]string{"docker": "Docker", "kubernetes": "Kubernetes", "lxc": "LXC"}[engine]
	switch {
	case engine == "container":
		name = "an engine that does not say its name"
	case !known:
		name = engine
	}
	see(l, "container", l.f.Launcher.Container, term.Show, func(string) string { return "in a container of " + name })
}

// held shows the set that decided: the effective one, and also the permitted one if the
// program may raise it. It shows only one of the two if that one implies the other.
func (l *look) held() {
	raises := l.g.raises() && l.w.Privileged(l.g)
	held, read := l.f.Proc.Thread.Is()
	switch need := l.g.Need(); {
	case read && raises && held.Permitted&need == 0:
		l.set("CapPrm", permitted) // so nothing of it is effective
	case read && held.Effective.Contains(need):
		l.set("CapEff", effective) // so all of it is permitted
	default:
		l.set("CapEff", effective)
		if raises {
			l.set("CapPrm", permitted)
		}
	}
}

func (l *look) bounds()   { l.set("CapBnd", bounding) }
func (l *look) inherits() { l.set("CapInh", inheritable) }

// ungranted shows that nobody gave this process what it needs.
func (l *look) ungranted() {
	l.held()
	l.file()
	l.began()
	doubt(l, "no_file_caps", l.f.Kernel.NoFile)
	doubt(l, "authbind", l.f.Launcher.Authbind)
}

// file shows the capabilities of the file that is executed.
func (l *look) file() {
	see(l, "file capabilities", executedFile(l.f).Caps, fileText, func(c caps.File) string { return "the file has " + fileText(c) })
}

// began shows what the program held when it started.
func (l *look) began() {
	if l.f.Proc.AtInit.State != facts.Known {
		return // as in older recordings, which lack it
	}
	see(l, "CapPrm at the start", l.f.Proc.AtInit, func(s caps.State) string { return s.Permitted.Hex() }, func(s caps.State) string {
		if s.Permitted&l.g.Need() == l.w.now.Permitted&l.g.Need() {
			return ""
		}
		return "at the start: CapPrm " + s.Permitted.Hex() + " " + l.has(s.Permitted)
	})
}

func (l *look) noNewPrivs() {
	see(l, "NoNewPrivs", l.f.Proc.Thread,
		func(s caps.State) string { return map[bool]string{true: "1", false: "0"}[s.NoNewPrivs] },
		func(s caps.State) string { return when("NoNewPrivs 1: execve grants nothing new")(s.NoNewPrivs) })
}

func (l *look) nosuid() {
	see(l, "nosuid", executedFile(l.f).Nosuid, yesNo, when("the file's mount is nosuid"))
}

func (l *look) sharesFolders() {
	see(l, "folders shared", l.f.Launcher.SharesFS, strconv.FormatBool,
		when("another process shares the root and working directory"))
}

func (l *look) tracer() {
	see(l, "TracerPid", l.f.Proc.TracerPid, strconv.Itoa, func(pid int) string {
		if pid == 0 {
			return ""
		}
		return fmt.Sprintf("TracerPid %d", pid)
	})
	see(l, "CapEff of the tracer", l.f.Launcher.Tracer,
		func(s caps.State) string { return s.Effective.Hex() },
		func(s caps.State) string {
			return "the tracer has CapEff " + s.Effective.Hex() + ", without cap_sys_ptrace"
		})
}

func (l *look) mountPoint() {
	at := l.f.File.MountPoint
	if at.State == facts.Absent {
		l.seen = append(l.seen, report.Fact{Name: "mount point", Source: at.Source, State: at.State.String(), Value: "none",
			Says: "the file is on no mount of this mount namespace"})
		return
	}
	see(l, "mount point", at, term.Show, func(string) string { return "" })
}

func (l *look) idmapped() {
	if !l.f.File.IdmappedThere.Value {
		return
	}
	see(l, "idmapped", l.f.File.IdmappedThere, yesNo, when("the file's mount is idmapped"))
}

func (l *look) noFileCaps() {
	see(l, "no_file_caps", l.f.Kernel.NoFile, yesNo, when("the kernel was booted with no_file_caps"))
}

func (l *look) securebits() {
	see(l, "securebits", l.f.Proc.Thread,
		func(s caps.State) string { return fmt.Sprintf("%#x", uint32(s.Securebits)) },
		func(s caps.State) string { return fmt.Sprintf("securebits %#x: noroot", uint32(s.Securebits)) })
}

func (l *look) euid(says string) {
	see(l, "effective uid", l.f.Proc.IDs,
		func(ids facts.IDs) string { return strconv.Itoa(int(ids.EUID)) }, func(facts.IDs) string { return says })
}

func (l *look) mode() {
	if !l.w.Image.Stat.Setid() {
		return
	}
	see(l, "mode", running(l.f).Stat,
		func(s facts.Stat) string { return fmt.Sprintf("%04o", s.Mode&0o7777) },
		func(s facts.Stat) string { return fmt.Sprintf("the file's mode %04o changes an id", s.Mode&0o7777) })
}

// replaced shows the file that is at the program's path now.
func (l *look) replaced() {
	see(l, "deleted", l.f.File.Deleted, yesNo, when("the running file is deleted"))
	if l.f.File.Deleted.Value {
		see(l, "new file capabilities", l.f.File.Installed.Caps, caps.File.String, func(c caps.File) string {
			return "the file at its path has " + c.String()
		})
		return
	}
	l.file()
}

// letGo shows what the process had before.
func (l *look) letGo() {
	l.began()
	need := l.g.Need() &^ l.w.now.Permitted
	if l.f.Proc.Dropped.Value.Contains(need) && l.f.Proc.Dropped.State == facts.Known {
		see(l, "CapPrm before the drop", l.f.Proc.Dropped, caps.Set.Hex, func(s caps.Set) string {
			return "CapPrm " + s.Hex() + " before the drop had " + need.String()
		})
		return
	}
	if l.w.drops(need) {
		see(l, "dropped", l.f.Proc.Drops, caps.Set.Hex, func(s caps.Set) string {
			return "package caps/drop takes " + need.String() + " away from whoever has it"
		})
		return
	}
	see(l, "AT_SECURE", l.f.Proc.Secure, yesNo, when("AT_SECURE 1: execve gave it capabilities"))
	see(l, "dumpable", l.f.Proc.Dumpable, strconv.Itoa, func(n int) string {
		if n == 1 {
			return ""
		}
		return fmt.Sprintf("PR_GET_DUMPABLE %d: it gained capabilities at execve, or has changed its user since", n)
	})
}

// threads shows the first thread that is unlike the one that was refused.
func (l *look) threads() {
	see(l, "threads", l.f.Proc.Threads, func(all map[int]caps.State) string { return strconv.Itoa(len(all)) },
		func(all map[int]caps.State) string {
			name, pick := "CapPrm", permitted
			if !l.g.raises() {
				name, pick = "CapEff", effective
			}
			here := pick(l.f.Proc.Thread.Value).Contains(l.g.Need())
			for _, tid := range slices.Sorted(maps.Keys(all)) {
				if set := pick(all[tid]); set.Contains(l.g.Need()) != here {
					return fmt.Sprintf("thread %d: %s %s %s", tid, name, set.Hex(), l.has(set))
				}
			}
			return ""
		})
}

func (l *look) ancestor() {
	see(l, "ancestor's CapInh", l.f.Launcher.Ancestor,
		func(p facts.Ancestor) string { return p.Inheritable.Hex() },
		func(p facts.Ancestor) string {
			return fmt.Sprintf("its ancestor, uid %d, has CapInh %s too", p.UID, p.Inheritable.Hex())
		})
}

// limited shows what the bounding set is compared with, outside of a container.
func (l *look) limited() {
	if inContainer(l.f) {
		return
	}
	see(l, "CapBnd of process 1", l.f.Launcher.Init,
		func(s caps.State) string { return s.Bounding.Hex() },
		func(s caps.State) string { return "process 1 has CapBnd " + s.Bounding.Hex() })
}

func (l *look) path() {
	see(l, "executable", l.f.File.Path, term.Show, func(p string) string {
		if facts.GoRun(p) {
			return "a file of go run or go test: " + term.Show(p)
		}
		return ""
	})
}

func (l *look) authbind() {
	see(l, "authbind", l.f.Launcher.Authbind, yesNo, when("AUTHBIND_LIB is set: authbind started this"))
}

// owner shows which user namespace owns the network namespace: our capabilities count there alone.
func (l *look) owner() {
	netns := "this network namespace"
	if id, ok := l.f.Net.NS.Is(); ok {
		netns = id
	}
	see(l, "network namespace owner", l.f.Net.Owner,
		func(o facts.Owner) string {
			return map[facts.Owner]string{facts.OwnerHere: "this user namespace", facts.OwnerBelow: "a descendant", facts.OwnerOutside: "outside"}[o]
		},
		func(o facts.Owner) string {
			return when("an outside user namespace owns " + netns)(o == facts.OwnerOutside)
		})
	l.uidMap()
}

func (l *look) uidMap() {
	see(l, "uid_map", l.f.Net.UIDMap, term.Show, func(m string) string {
		if m == facts.WholeMap {
			return ""
		}
		return fmt.Sprintf("uid_map %q: a user namespace of its own", m)
	})
}

// child shows that this is another user namespace than the initial one.
func (l *look) child() {
	see(l, "user namespace", l.f.Net.UserNS, term.Show, func(id string) string {
		if id == facts.InitialUserNS {
			return ""
		}
		return id + " is not the initial one, " + facts.InitialUserNS
	})
	l.uidMap()
}

func (l *look) seccomp() {
	see(l, "Seccomp", l.f.Proc.Seccomp, strconv.Itoa, func(n int) string {
		if n == 0 {
			return "Seccomp 0: no filter"
		}
		return fmt.Sprintf("Seccomp %d: system calls are filtered", n)
	})
}

// probes shows the binds that take no privilege.
func (l *look) probes() {
	see(l, "probes", l.f.Policy.Probes,
		func(all []facts.Probe) string { return fmt.Sprint(all) },
		func(all []facts.Probe) string {
			var refused []string
			for _, p := range all {
				if p.Refused() {
					refused = append(refused, p.Network+" "+p.Errno)
				}
			}
			if len(refused) == 0 {
				return "binds to port 0 are allowed"
			}
			return "binds to port 0 are refused: " + strings.Join(refused, ", ")
		})
}

func (l *look) label() {
	see(l, "label", l.f.Policy.Label, term.Show, func(s string) string {
		if enforcing, _ := l.f.Policy.Enforcing.Is(); enforcing {
			return "this process is " + term.Show(s)
		}
		return "AppArmor profile " + term.Show(s)
	})
}

func (l *look) selinux() {
	see(l, "SELinux", l.f.Policy.Enforcing, yesNo, when("SELinux enforces"))
	l.label()
}

func (l *look) withheld() {
	if l.f.Policy.Withheld.Value&l.g.Need() != 0 {
		l.set("CapPrm", permitted)
		see(l, "withheld", l.f.Policy.Withheld, caps.Set.Hex, func(s caps.Set) string { return "capget(2) hides " + (s & l.g.Need()).String() })
	}
	l.label()
}

func (l *look) policy() {
	l.probes()
	l.seccomp()
}

func (l *look) addresses() {
	if s, found := l.f.Net.SpecialAddress(l.g.Addr); found {
		see(l, "interface", l.f.Net.Special, func([]facts.Special) string { return s.Dev }, func([]facts.Special) string {
			state := "up"
			if s.Down {
				state = "down"
			}
			return s.Addr.String() + " is on " + term.Show(s.Dev) + ", which is " + state
		})
	}
	list := func(all []netip.Addr) string { return fmt.Sprint(all) }
	see(l, "addresses", l.f.Net.Addresses, list, func(all []netip.Addr) string {
		var own []string
		for _, a := range all {
			own = append(own, zoned(l.f, a).String())
		}
		return "this machine has " + few(own)
	})
}

func (l *look) tentative() {
	list := func(all []netip.Addr) string { return fmt.Sprint(all) }
	see(l, "tentative", l.f.Net.Tentative, list, func([]netip.Addr) string { return l.g.Addr.String() + " is tentative" })
}

// holder shows the socket that holds the port, or may hold it.
func (l *look) holder() {
	if l.w.Holder < 0 {
		doubt(l, "socket", l.f.Net.Sockets)
		return
	}
	s := l.f.Net.Sockets.Value[l.w.Holder]
	_, does, _ := holds(s)
	if s.FD > 0 {
		does += fmt.Sprintf(" (descriptor %d)", s.FD)
	}
	see(l, "socket", l.f.Net.Sockets.Now(nil),
		func([]facts.Socket) string { return s.Addr.String() },
		func([]facts.Socket) string { return s.Addr.String() + does })
}

// notExecuted shows the file's capabilities, and which of them the starter's bounding set lacks.
func (l *look) notExecuted() {
	l.file()
	if !l.f.Launch.Planned { // it runs, since something makes execve ignore its file's capabilities
		l.bounds()
		return
	}
	see(l, "starter's CapBnd", l.f.Launch.Starter,
		func(s caps.State) string { return s.Bounding.Hex() },
		func(s caps.State) string {
			return "its CapBnd " + s.Bounding.Hex() + " lacks " + l.w.Missing().String()
		})
}
