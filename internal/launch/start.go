package launch

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// Manager is what starts the services: the facts of process 1, or of a systemd
// that holds everything where this machine is not run by one.
func Manager(f facts.Facts, systemd bool) facts.Fact[caps.State] {
	if systemd {
		return f.Launcher.Init
	}
	last, ok := f.Kernel.LastCap.Is()
	if !ok {
		last = caps.Last
	}
	all := caps.UpTo(last)
	return facts.Fact[caps.State]{Value: caps.State{Permitted: all, Effective: all, Bounding: all}, State: facts.Known, Source: "a systemd that holds everything"}
}

// dynamicUID is the first of the uids that DynamicUser= takes: which one it will
// be is not known, and makes no difference.
const dynamicUID = 61184

// Account is the user that the service runs as: of User= and Group=, root, or a
// dynamic one.
func (u *Unit) Account(look func(user, group string) (facts.Account, error)) (facts.Account, error) {
	user, errUser := u.expand(u.set.last("User"))
	group, errGroup := u.expand(u.set.last("Group"))
	who := facts.Account{Name: "root"}
	var later *unexpandable
	if err := errors.Join(errUser, errGroup); errors.As(err, &later) {
		u.doubt("%v", later)
		return who, nil
	}
	dynamic := u.set.is("DynamicUser")
	var err error
	switch {
	case user != "" || group != "" && !dynamic:
		if who, err = look(user, group); err == nil && who.Name == "" {
			err = fmt.Errorf("no user has the number %s", user) // get_user_creds
		}
		if err != nil && dynamic {
			who, err = facts.Account{UID: dynamicUID, GID: dynamicUID}, nil
		}
	case dynamic:
		who = facts.Account{UID: dynamicUID, GID: dynamicUID}
	}
	if err != nil {
		status := "217/USER"
		if is, errUser := look(user, ""); errUser == nil && is.Name != "" { // then it is the group (get_fixed_group)
			status = "216/GROUP"
		}
		return who, fmt.Errorf("%s: %w", u.Name, stops(status, "%v", err))
	}
	for _, name := range u.set.words("SupplementaryGroups") {
		g, err := look("", name)
		if err != nil {
			return who, fmt.Errorf("%s: %w", u.Name, stops("216/GROUP", "%v", err))
		}
		who.Groups = append(who.Groups, g.GID)
	}
	return who, nil
}

// Start is a start by systemd as it is at that moment: the child of the manager
// before it executes the program (exec_child of systemd 252). An error says that
// systemd starts nothing.
func (u *Unit) Start(f facts.Facts, manager facts.Fact[caps.State], c Command, who facts.Account) (facts.Facts, error) {
	plus := c.Bare()
	path, _ := f.File.Path.Is()
	if err := u.Executes(c, path); err != nil {
		return f, err
	}
	f.Launcher.Unit = f.Launcher.Unit.Now(facts.Unit{Name: u.Name, User: u.User})
	f.Launcher.Unit.Source = u.Name
	f.Launcher.Operator = f.Launcher.Operator.None()
	f.Launcher.Ancestor = facts.Fact[facts.Ancestor]{Value: facts.Ancestor{State: manager.Value}, State: manager.State, Source: manager.Source, Reason: manager.Reason}
	if u.User { // of the same user
		f.Launcher.Parent = f.Launcher.Ancestor
		f.Launcher.Parent.Value.IDs = facts.IDs{UID: who.UID, EUID: who.UID, GID: who.GID, EGID: who.GID}
		system := f.Launcher.Init
		f.Launcher.Ancestor = facts.Fact[facts.Ancestor]{Value: facts.Ancestor{State: system.Value, Init: true}, State: system.State, Source: system.Source, Reason: system.Reason}
	} else {
		f.Launcher.Init = manager
	}
	f.Launcher.Authbind, f.Proc.TracerPid = f.Launcher.Authbind.Now(false), f.Proc.TracerPid.Now(0)
	f.Launcher.SharesFS = f.Launcher.SharesFS.Now(false)
	f.Proc.PID, f.Proc.Parent = f.Proc.PID.None(), f.Proc.Parent.Now(1)
	f.Policy.Label, f.Policy.Withheld, f.Policy.Granted = f.Policy.Label.None(), f.Policy.Withheld.None(), f.Policy.Granted.None() // of this process's profile
	f = u.network(f)
	f = u.filters(f, plus)

	s := manager.Value
	if u.set.says("PrivateUsers", usersApart...) && !plus {
		s = caps.State{Permitted: full, Effective: full, Bounding: full}
		f.Net.Owner = facts.Fact[facts.Owner]{Value: facts.OwnerOutside, State: facts.Known, Source: "PrivateUsers="}
		f.Net.UIDMap = f.Net.UIDMap.Now("0 0 1, " + strings.Repeat(strconv.Itoa(int(who.UID))+" ", 2) + "1")
		f.Net.UIDMap.Source = "PrivateUsers="
		f.Net.UserNS = facts.Fact[string]{Source: "PrivateUsers=", Reason: "a new one"}
	}
	if c.Root() {
		who = facts.Account{Name: "root"}
	}
	f = as(f, who)
	if !plus {
		s = u.confine(s, who)
		if file, ok := f.File.Installed.Caps.Is(); u.mayForbid(who) && ok && file.Permitted|file.Inheritable != 0 {
			u.doubt("systemd before version 255 voids file capabilities for a unit with User= and a filter, and which one will start it is not known")
		}
		if u.set.nosuid(path) && f.Policy.Enforcing.State != facts.Known {
			f.File.Installed.Nosuid = f.File.Installed.Nosuid.Now(true)
			f.File.Installed.Nosuid.Source = u.Name + ": what it mounts anew under NoNewPrivileges="
		}
	}
	if hides := u.set.says("ProtectProc", "invisible", "ptraceable", "noaccess"); hides && !plus && !s.Effective.Has(caps.SYS_PTRACE) {
		f.Launcher.Init = facts.Fact[caps.State]{Source: "/proc/1/status", Reason: "ProtectProc= hides it"}
	}
	f.Launch.Starter = manager.Now(s)
	if manager.State != facts.Known {
		f.Launch.Starter = manager
	}
	return f, nil
}

// Executes says why a file could not be executed by a command, although it is there: the
// unit takes it away.
func (u *Unit) Executes(c Command, file string) error {
	by := u.set.hides(file)
	if u.closes(file) {
		by = "DynamicUser="
	}
	if by != "" && (!c.Bare() || by == "TemporaryFileSystem=") {
		return fmt.Errorf("%s: %w", u.Name, stops("203/EXEC", "%s hides %s", by, file))
	}
	return nil
}

// Permits says why a wrapper of the command could not do its work. PrivateUsers= maps the
// users of the manager and the unit alone, and forbids setgroups(2) (setup_private_users).
func (u *Unit) Permits(c Command, w Wrap) error {
	why := ""
	switch {
	case c.Bare():
	case w.User != "" && u.set.says("PrivateUsers", usersApart...):
		why = "PrivateUsers= has no user to change to"
	case w.persona && u.set.is("LockPersonality"):
		why = "LockPersonality= lets no program change its personality"
	case w.realtime && u.set.is("RestrictRealtime"):
		why = "RestrictRealtime= lets no program ask for a scheduler of real time"
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%s: %w", u.Name, stops("", "%s", why))
}

// confine is what is left to the child, in the order in which systemd takes it
// away.
func (u *Unit) confine(s caps.State, who facts.Account) caps.State {
	wanted := u.capSet("AmbientCapabilities", 0)
	bits := u.securebits()
	s.Bounding &= u.bounding()
	ambient := wanted & s.Bounding
	if u.Build.Version < 257 {
		s.Inheritable = 0 // capability_update_inherited_set
	}
	s.Inheritable |= ambient
	s.Ambient = ambient & s.Permitted
	if who.UID != 0 && !u.User { // whose manager is who already
		if wanted != 0 || bits != 0 { // enforce_user
			s.Securebits |= caps.KeepCaps
		}
		s = s.SetUIDs(caps.UIDs{}, caps.UIDs{Real: who.UID, Effective: who.UID, Saved: who.UID})
		s.Ambient |= ambient & s.Permitted
	}
	s.Securebits = bits
	s.NoNewPrivs = s.NoNewPrivs || u.noNewPrivs(s.Effective.Has(caps.SYS_ADMIN))
	if u.User && s.NoNewPrivs && s.Permitted != s.Ambient {
		if v := u.Build.Version; v == 0 || v > 252 { // which leaves what the manager holds to the execve
			u.doubt("what no_new_privs leaves to the services of a user's own manager differs between versions of systemd")
		}
	}
	return s
}

// network makes the facts those of the service's network namespace.
func (u *Unit) network(f facts.Facts) facts.Facts {
	other := ""
	switch {
	case u.set.some("NetworkNamespacePath"):
		other = "NetworkNamespacePath="
	case u.set.is("PrivateNetwork") && len(u.set.all("Unit", "JoinsNamespaceOf")) > 0:
		other = "JoinsNamespaceOf="
	case u.set.is("PrivateNetwork"):
		const source = "PrivateNetwork="
		f.Net.PortStart = facts.Fact[int]{Value: 1024, State: facts.Known, Source: source}
		f.Net.Sockets = facts.Fact[[]facts.Socket]{State: facts.Known, Source: source}
		f.Net.Nonlocal = facts.Fact[bool]{State: facts.Known, Source: source}
		f.Net.Nonlocal6, f.Net.Tentative = f.Net.Nonlocal, facts.Fact[[]netip.Addr]{State: facts.Known, Source: source}
		f.Net.Addresses = facts.Fact[[]netip.Addr]{Value: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, State: facts.Known, Source: source}
		f.Net.NS = facts.Fact[string]{Source: source, Reason: "a new one"}
		f.Net.NoLoop6 = facts.Fact[bool]{Source: source, Reason: "a new one"}
		f.Net.Apart, f.Net.Name = facts.Fact[bool]{Value: true, State: facts.Known, Source: source}, f.Net.Name.None()
		f.Net.Owner = facts.Fact[facts.Owner]{Value: facts.OwnerHere, State: facts.Known, Source: source}
		return f
	default:
		return f
	}
	const reason = "another network namespace"
	f.Net.PortStart = facts.Fact[int]{Source: other, Reason: reason}
	f.Net.Sockets = facts.Fact[[]facts.Socket]{Source: other, Reason: reason}
	f.Net.Nonlocal = facts.Fact[bool]{Source: other, Reason: reason}
	f.Net.Nonlocal6, f.Net.Tentative = f.Net.Nonlocal, facts.Fact[[]netip.Addr]{Source: other, Reason: reason}
	f.Net.Addresses = facts.Fact[[]netip.Addr]{Source: other, Reason: reason}
	f.Net.NS = facts.Fact[string]{Source: other, Reason: reason}
	f.Net.NoLoop6 = facts.Fact[bool]{Source: other, Reason: reason}
	f.Net.Apart, f.Net.Name = facts.Fact[bool]{Value: true, State: facts.Known, Source: other}, facts.Fact[string]{Source: other, Reason: reason}
	f.Net.Owner = facts.Fact[facts.Owner]{Source: other, Reason: reason}
	return f
}

// OwnNetwork says whether the service has another network namespace than this
// process.
func (u *Unit) OwnNetwork() bool {
	return u.set.some("NetworkNamespacePath") || u.set.is("PrivateNetwork")
}

// filters makes the probes those of a process that has the unit's seccomp
// filters. Of what this process was refused only that the kernel lacks a family
// is taken over, and that where no filter of its own says so.
func (u *Unit) filters(f facts.Facts, plus bool) facts.Facts {
	mode, okMode := f.Proc.Seccomp.Is()
	probes := []facts.Probe{}
	for _, p := range f.Policy.Probes.Value {
		if p.Errno != "EAFNOSUPPORT" || !okMode || mode != 0 {
			p.Errno = ""
		}
		family := "AF_INET"
		if strings.HasSuffix(p.Network, "6") {
			family = "AF_INET6"
		}
		if errno, refused := u.filtered(family); refused && !plus {
			p.Errno = errno
		}
		probes = append(probes, p)
	}
	f.Policy.Probes = facts.Fact[[]facts.Probe]{Value: probes, State: f.Policy.Probes.State, Source: u.Name, Reason: f.Policy.Probes.Reason}
	if errno, allowed := u.set.call("listen"); !allowed && !plus { // behind the bind, and of TCP alone
		f.Launch.Listen = errno
	}
	var own []string
	for _, key := range facts.UnitFilters {
		if len(u.set.all("Service", key)) > 0 {
			own = append(own, key)
		}
	}
	f.Launcher.UnitFilters = facts.Fact[[]string]{Value: own, State: facts.Known, Source: u.Name}
	f.Launcher.LastDropIn = facts.Fact[string]{Value: u.lastDropIn, State: facts.Known, Source: u.Name}
	f.Proc.Seccomp = facts.Fact[int]{State: facts.Known, Source: u.Name}
	if u.set.filtered() && !plus {
		f.Proc.Seccomp.Value = 2
	}
	return f
}

// filtered is the answer of the unit's filters to a bind in a family. SystemCallFilter= is the
// last one that systemd installs, whose answer the kernel takes (seccomp_run_filters).
func (u *Unit) filtered(family string) (errno string, refused bool) {
	if errno, allowed := u.set.call("socket"); !allowed {
		return errno, true
	}
	if !u.set.family(family) {
		return "EAFNOSUPPORT", true
	}
	errno, allowed := u.set.call("bind")
	return errno, !allowed
}

// Doubt says why it cannot be told how a bind would go, "" where it can. The zero
// Goal is that of a listener which systemd passes.
func (u *Unit) Doubt(g kernel.Goal, program string) string {
	if len(u.doubts) > 0 {
		return u.doubts[0]
	}
	if key := u.set.unseen(program); key != "" {
		return key + " changes what the program is or holds, in ways that are not checked"
	}
	passed := g == (kernel.Goal{})
	call := u.lacksCall()
	if call != "" && (u.mayBind() || passed) { // else the bind is refused already
		return "SystemCallFilter= refuses " + call + ", which a server needs"
	}
	if passed { // that takes no more
		return ""
	}
	if u.sandboxesItself() {
		return "a user's own manager makes a user namespace for what it confines"
	}
	if g.Network != "" && u.ends(g) {
		return "SystemCallFilter= ends the program at the call, as SystemCallErrorNumber= is not set"
	}
	if g.Network != "" && u.denies(g) && !u.Build.NoBPF {
		return "SocketBindDeny= covers it, which counts only where systemd was built with BPF"
	}
	return ""
}

// denies says whether SocketBindDeny= covers the bind and SocketBindAllow= does
// not.
func (u *Unit) denies(g kernel.Goal) bool {
	covers := func(key string, unsure bool) bool {
		return slices.ContainsFunc(u.set.words(key), func(rule string) bool { return bindRule(rule, g, unsure) })
	}
	return covers("SocketBindDeny", true) && !covers("SocketBindAllow", false)
}

// bindRule reads one rule of SocketBindAllow= or SocketBindDeny=:
// [ipv4:|ipv6:][tcp:|udp:](PORT|PORT-PORT|any). Which family a wildcard's socket
// is of is not known, nor what else a rule may say: then it is unsure.
func bindRule(rule string, g kernel.Goal, unsure bool) bool {
	for part := range strings.SplitSeq(rule, ":") {
		switch part {
		case "any", "":
		case "ipv4":
			if any := !g.Addr.IsValid() || g.Addr.IsUnspecified(); any && !unsure || !any && !g.Addr.Is4() {
				return false
			}
		case "ipv6":
			if any := !g.Addr.IsValid() || g.Addr.IsUnspecified(); any && !unsure || !any && g.Addr.Is4() {
				return false
			}
		case "tcp", "udp":
			if part != g.Protocol() {
				return false
			}
		default:
			from, to, isRange := strings.Cut(part, "-")
			if !isRange {
				to = from
			}
			low, errLow := strconv.Atoi(from)
			high, errHigh := strconv.Atoi(to)
			if known := errors.Join(errLow, errHigh) == nil; !known && !unsure || known && (g.Port < low || g.Port > high) {
				return false
			}
		}
	}
	return true
}

// Clients says what keeps clients away although the bind succeeds.
func (u *Unit) Clients() (notes []string) {
	notes = append(notes, u.Kept...)
	if u.set.is("PrivateNetwork") {
		notes = append(notes, "PrivateNetwork=yes: what the program binds itself, no other machine and no other service reaches")
	}
	if e, ok := u.set.lastEntry("IPAddressDeny"); ok {
		notes = append(notes, e.String()+" keeps clients of these addresses away, but for those of IPAddressAllow=")
	}
	if e, ok := u.set.lastEntry("RestrictNetworkInterfaces"); ok && !u.Build.NoBPF {
		notes = append(notes, e.String()+" keeps away clients that come by the other interfaces, where systemd was built with BPF")
	}
	return notes
}

// Unlooked notes what of the unit is not looked at, and may refuse a bind.
func (u *Unit) Unlooked() {
	for key, what := range map[string]string{
		"SystemCallFilter":  "SystemCallFilter= is checked for socket, bind and listen only: whether it lets through the program's other calls is not known",
		"AppArmorProfile":   "what the profile of AppArmorProfile= allows is not known",
		"SELinuxContext":    "what SELinux allows the domain of SELinuxContext= is not known",
		"SmackProcessLabel": "what Smack allows the label of SmackProcessLabel= is not known",
		"BPFProgram":        "what the programs of BPFProgram= allow is not known",
	} {
		if u.set.some(key) {
			u.note(what)
		}
	}
	slices.Sort(u.Notes)
}
