package preflight

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/launch"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/program"
	"github.com/lowport/lowport/privport"
)

// plan reads the machine, the unit and what it executes, and simulates the start.
func (how Launch) plan(ports ...int) (*plan, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	switch {
	case how.Container != nil && (how.Unit != "" || how.User != ""):
		return nil, errors.New("preflight: what starts a container is neither a unit nor a user of this machine")
	case how.Container != nil:
		return how.inContainer()
	case how.Unit != "":
		return how.byUnit(ports)
	case how.Binary != "":
		return how.byHand(ports)
	}
	return nil, errors.New("preflight: neither a program nor a unit is named: set Binary or Unit")
}

// unreadable is the error of a file that this process may not read, and that another user may: of
// the start it says nothing.
type unreadable struct{ error }

func (e *unreadable) Unwrap() error { return e.error }

// mayRead marks an error about a file that this process may not read.
func mayRead(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &unreadable{err}
	}
	return err
}

// readable is the plan or, where a file may not be read that decides, one of which nothing is known.
func (how Launch) readable(ports ...int) (*plan, error) {
	p, err := how.plan(ports...)
	if errors.As(err, new(*unreadable)) {
		return unknown(err.Error()), nil
	}
	return p, err
}

// unknown is the plan of a program of which nothing is known.
func unknown(why string) *plan {
	return &plan{facts: facts.Record{}.Facts(), doubt: func(kernel.Goal) string { return why }, remote: true}
}

// byHand is a start from this process, or by one that becomes the user.
func (how Launch) byHand(ports []int) (*plan, error) {
	s := starter{path: os.Getenv("PATH"), mine: how.User == "", in: here}
	if how.User != "" {
		who, err := live.LookAccount(how.User, "")
		if err != nil {
			return nil, err
		}
		s.who = who
	}
	c, err := s.follow([]string{how.Binary})
	if err != nil {
		return nil, err
	}
	defer c.close()
	p, f, _ := how.read(c, ports)
	p.doubt = func(kernel.Goal) string { return c.doubt }
	if how.User == "" {
		return p, p.start(c, launch.Here(f), s)
	}
	if err := p.start(c, launch.AsUser(f, s.who), s); err != nil {
		return how.byRoot(err)
	}
	if f.Proc.Thread.Value.NoNewPrivs {
		keeps := *p
		if err := keeps.start(c, launch.AsUserKeeping(f, s.who), s); err != nil {
			return nil, err
		}
		p.others = []other{{plan: &keeps, what: []string{"what changes the user, as no_new_privs is set: setpriv keeps its capabilities " +
			"until it executes the program, and su, runuser and a login do not"}}}
	}
	return p, nil
}

// byRoot is the plan for a file that the user may not execute: what changes the user may keep root's
// capabilities, or give it another group, until it executes the file. Any other error stands.
func (how Launch) byRoot(err error) (*plan, error) {
	if is := (*fs.PathError)(nil); !errors.As(err, &is) || !strings.HasPrefix(is.Op, "exec as ") {
		return nil, err
	}
	return unknown(fmt.Sprintf("it depends on what changes the user: su, runuser and User= do not execute the file for %s (%v); "+
		"setpriv does, as it keeps its capabilities until it executes the program", how.User, err)), nil
}

// read reads the machine with the program of a chain in this one's place.
func (how Launch) read(c *chain, ports []int) (*plan, facts.Facts, facts.Record) {
	record := c.program.Read(ports...)
	f := record.Facts()
	f.Launch = facts.Launch{Foreign: c.program.Foreign, Script: c.script, Interpreter: c.given}
	if how.Unit == "" {
		f.Launch.Listen, f.Launch.Capset = live.Listen(), live.Capset()
	}
	p := how.does(c.program.File.Does)
	p.mptcp = c.program.File.Go.Value.MPTCP
	if how.Unit == "" {
		p.mptcp = program.ListensMPTCP(os.Getenv("GODEBUG"), p.mptcp) && c.program.File.Go.Value.Main != ""
	}
	switch {
	case c.forks || c.closes: // LISTEN_PID names another process
		p.inherits = program.Answer[bool]{}
	case c.mayFork && p.inherits.Value:
		p.inherits.Why = "whether the shell executes the program in its own place is not known"
	}
	if _, err := caps.ReadFile("/proc/self/exe"); err == nil {
		p.notes = append(p.notes, "this program's own file has capabilities, so it may hold others than what started it")
	}
	if on, ok := f.Policy.Enforcing.Is(); ok && on {
		p.notes = append(p.notes, "SELinux is enforcing: what it allows the program's domain is not known")
	}
	return p, f, record
}

// does is the plan of a program of which the file shows this.
func (how Launch) does(does program.Does) *plan {
	switch how.Guard {
	case Guarded:
		return &plan{raises: program.Answer[bool]{Value: true}, inherits: program.Answer[bool]{Value: true}}
	case Unguarded:
		return &plan{}
	}
	return &plan{raises: does.Raise, inherits: does.Inherit}
}

// start executes the chain in the facts.
func (p *plan) start(c *chain, f facts.Facts, s starter) error {
	installed := f.File.Installed
	f, err := c.through(f, s)
	if err != nil {
		return err
	}
	f.File.Installed = installed
	p.facts = kernel.Plan(f)
	return nil
}

func readUnit(file string) (launch.Unit, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return launch.Unit{}, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil && aliased(path, real) {
		return launch.Unit{}, fmt.Errorf("preflight: %s is another name of %s: name that one", path, real)
	}
	u, err := launch.Read(os.DirFS("/"), path)
	if is := (*fs.PathError)(nil); errors.As(err, &is) && !filepath.IsAbs(is.Path) {
		is.Path = "/" + is.Path
	}
	return u, mayRead(err)
}

// aliased reports whether a link is a second name of a unit, which has the drop-ins of
// the first; and not the instance of a template, or a unit that is kept elsewhere.
func aliased(link, real string) bool {
	name, dir := filepath.Base(real), filepath.Dir(real)
	template, _, _ := strings.Cut(filepath.Base(link), "@")
	return name != filepath.Base(link) && name != template+"@.service" &&
		(strings.HasSuffix(dir, "/systemd/system") || strings.HasSuffix(dir, "/systemd/user"))
}

// byUnit is a start by systemd.
func (how Launch) byUnit(ports []int) (*plan, error) {
	u, err := readUnit(how.Unit)
	if err != nil {
		return nil, err
	}
	command, err := u.Main(how.Binary)
	if err != nil {
		return nil, err
	}
	if how.Binary != "" {
		command.Program, command.Argv[0] = how.Binary, how.Binary
	}
	who, home, err := how.account(&u)
	if err != nil {
		return nil, err
	}
	root := os.DirFS("/")
	if err := u.Check(root, command, who, home); err != nil {
		return nil, err
	}
	search, env := u.Path()
	s := starter{path: search, then: env, dir: "/", who: who, in: here, gives: u.Gives(),
		executes: func(file string) error { return u.Executes(command, file) }}
	if command.Root() {
		s.who = facts.Account{Name: "root"}
	}
	c, err := s.follow(command.Argv)
	if err != nil {
		return unseen(&u, command, err)
	}
	defer c.close()
	for _, s := range u.Sockets { // to see whether systemd has it
		ports = append(ports, int(s.Addr.Port()))
	}
	slices.Sort(ports)
	p, f, record := how.read(c, slices.Compact(ports))
	if err := u.Running(root, socketUnits(f.Net.Sockets.Value)); err != nil {
		return nil, err
	}
	if err := p.byManager(&u, command, c, f, s, who, !record.Lacks("run/systemd/system")); err != nil {
		return unseen(&u, command, err)
	}
	p.grants, p.rewrites = u.MayGrant(), u.MayRewrite()
	return p, nil
}

// socketUnits names the .socket units in whose cgroups the sockets were made.
func socketUnits(all []facts.Socket) (names []string) {
	for _, s := range all {
		if name := filepath.Base(s.Cgroup); filepath.Ext(name) == ".socket" {
			names = append(names, name)
		}
	}
	return names
}

// account is the user of the unit, and the home folder.
func (how Launch) account(u *launch.Unit) (who facts.Account, home string, err error) {
	switch {
	case u.User:
		who, err = live.LookAccount(cmp.Or(how.User, strconv.Itoa(os.Geteuid())), "")
	case how.User != "":
		err = fmt.Errorf("preflight: the user is that of %s, and another is named", u.Name)
	default:
		who, err = u.Account(live.LookAccount)
	}
	if entry, errHome := user.Lookup(who.Name); err == nil && who.Name != "" && errHome == nil {
		home = entry.HomeDir
	}
	return who, home, err
}

// unseen is the plan for a program that is not there, where the unit shows it files that are not
// seen from here or may make them first, and for one that may not be executed before a command of
// the unit changes it: nothing is known of it then. Otherwise the error stands.
func unseen(u *launch.Unit, c launch.Command, err error) (*plan, error) {
	why := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = cmp.Or(u.Doubt(kernel.Goal{}, c.Program), u.Prepared())
	case errors.Is(err, fs.ErrPermission):
		why = u.MayRewrite()
	}
	if why == "" {
		return nil, err
	}
	return unknown(why), nil
}

// byManager is the start by systemd.
func (p *plan) byManager(u *launch.Unit, command launch.Command, c *chain, f facts.Facts, s starter, who facts.Account, systemd bool) error {
	manager := launch.Manager(f, systemd)
	var err error
	if u.User {
		if manager, err = u.OwnManager(command, live.UserManager(who.UID), manager); err != nil {
			return err
		}
	}
	here := f.Net.Sockets
	if f, err = u.Start(f, manager, command, who); err != nil {
		return err
	}
	if !systemd {
		p.notes = append(p.notes, "no systemd runs here: the unit is assumed to be started by one that holds every capability")
	}
	if err := c.keeps(u); err != nil {
		return err
	}
	u.Unlooked()
	p.notes = append(append(p.notes, u.Notes...), u.Clients()...)
	p.doubt = func(g kernel.Goal) string { return cmp.Or(c.doubt, u.Doubt(g, c.program.Path)) }
	if !u.Raises() && program.Is(p.raises, true) {
		p.raises.Why = "SystemCallFilter= refuses capset, with which the program raises"
	}
	if without, why := u.Told(); without {
		p.inherits = program.Answer[bool]{}
	} else if p.inherits.Value && why != "" {
		p.inherits.Why = why
	}
	for _, l := range c.links {
		if err := u.Permits(command, l.wrap); err != nil {
			return err
		}
	}
	for _, l := range c.links {
		if call := u.LacksFor(l.wrap); call != "" {
			c.doubt = cmp.Or(c.doubt, "a filter of the unit refuses "+call+", which what executes the program may need")
		}
	}
	if err := c.survives(u, command); err != nil {
		return err
	}
	p.leave(u, &f, systemd)
	p.remote, p.sockets = u.OwnNetwork(), here
	f.Launcher.Stopped = f.Launcher.Stopped.None()
	for _, socket := range u.Sockets {
		f = p.offer(socket, f, systemd, u.Pulls(socket.Name))
	}
	return p.start(c, f, s)
}

// leave takes away the sockets of the units that end before the unit starts anew.
func (p *plan) leave(u *launch.Unit, f *facts.Facts, systemd bool) {
	ends := u.EndsBefore()
	var stay []facts.Socket
	for _, s := range f.Net.Sockets.Value {
		folders := strings.Split(s.Cgroup, "/")
		user := slices.ContainsFunc(folders, func(name string) bool { return strings.HasPrefix(name, "user@") })
		at := slices.IndexFunc(folders, func(name string) bool { return slices.Contains(ends, name) })
		if !systemd || at < 0 || user != u.User {
			stay = append(stay, s)
			continue
		}
		if u.EndsMainAlone() && folders[at] == u.Name {
			if main := live.MainAlone(u.Name, s); !program.Is(main, true) {
				stay = append(stay, s)
				p.mayStay(s, main)
				continue
			}
		}
		p.note(fmt.Sprintf("%s has port %d now, and is ended before %s starts anew", folders[at], s.Addr.Port(), u.Name))
	}
	f.Net.Sockets.Value = stay
}

// mayStay doubts the binds in whose way a socket is of which it is not known whether the stop of the
// unit ends the process that has it.
func (p *plan) mayStay(s facts.Socket, ends program.Answer[bool]) {
	if ends.Known() {
		return
	}
	other := p.doubt
	p.doubt = func(g kernel.Goal) string {
		if kernel.Conflicts(s, g) != kernel.No {
			return cmp.Or(other(g), ends.Why+", and KillMode=process ends that alone")
		}
		return other(g)
	}
}

// offer adds a socket that the unit is passed. One that is not bound is not started: it is
// only assumed to be where no systemd runs. A start of the unit may start it: pulled.
func (p *plan) offer(s launch.Socket, f facts.Facts, systemd, pulled bool) facts.Facts {
	offer := privport.Offer{Name: s.FD, Network: s.Network, Addr: s.Addr, Both: s.Both}
	at := held(s)
	bound := slices.ContainsFunc(p.sockets.Value, func(is facts.Socket) bool {
		return is.Network == at.Network && is.Addr == at.Addr && (is.PID == 1 || strings.HasSuffix(is.Cgroup, "/"+s.Name))
	})
	switch {
	case systemd && bound:
		p.offers = append(p.offers, offer)
	case s.Device != "" && !hasInterface(s.Device):
		p.note(s.Name + " cannot be started: BindToDevice=" + s.Device + " names no network interface of this machine")
	case systemd:
		p.unstarted = append(p.unstarted, offer)
		if p.pulled = p.pulled || pulled; !pulled {
			f.Launcher.Stopped = f.Launcher.Stopped.Now(append(f.Launcher.Stopped.Value, s.SocketUnit))
		}
		p.note(s.Name + " is not started: what it listens on is not passed until then, and is taken from then on")
	default:
		p.note(s.Name + " is assumed to be started: only it provides what it listens on")
		p.offers = append(p.offers, offer)
		if !p.remote && f.Net.Sockets.State == facts.Known {
			f.Net.Sockets.Value = append(slices.Clip(f.Net.Sockets.Value), at)
		}
	}
	return f
}

// hasInterface reports whether the machine has a network interface, or that cannot be told.
func hasInterface(name string) bool {
	all, err := net.Interfaces()
	return err != nil || slices.ContainsFunc(all, func(i net.Interface) bool { return i.Name == name })
}

func (p *plan) note(n string) {
	if !slices.Contains(p.notes, n) {
		p.notes = append(p.notes, n)
	}
}

// held is the socket that systemd has of a .socket unit.
func held(s launch.Socket) facts.Socket {
	network := s.Network[:len("tcp")]
	addr := s.Addr
	if s.Network[len("tcp"):] == "6" {
		network = s.Network
	}
	return facts.Socket{
		Network: network, Addr: netip.AddrPortFrom(addr.Addr(), addr.Port()), Listen: network[:3] == "tcp",
		V6Only: network == s.Network && !s.Both, Cgroup: "/system.slice/" + s.Name,
	}
}
