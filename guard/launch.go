package guard

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/launch"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/privport"
)

// plan reads the machine, the program and the unit, and starts it in thought.
func (how Launch) plan(ports ...int) (*plan, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	var u *launch.Unit
	if how.Unit != "" {
		read, err := readUnit(how.Unit)
		if err != nil {
			return nil, err
		}
		u = &read
		if err := u.Lacks(os.DirFS("/")); err != nil {
			return nil, err
		}
		if how.Binary == "" {
			if how.Binary, err = u.Exec(os.DirFS("/")); err != nil {
				return inside(u, err)
			}
		}
	}
	if how.Binary == "" {
		return nil, errors.New("preflight: neither a program nor a unit is named")
	}
	program, err := live.Open(how.Binary)
	if err != nil {
		return inside(u, err)
	}
	defer program.Close()
	record := program.Read(ports...)
	f := record.Facts()
	f.Launch = facts.Launch{Foreign: program.Foreign, Script: program.Script, Interpreter: program.Script != "" || program.Interprets()}
	p := &plan{doubt: func(kernel.Goal) string { return "" }}
	if _, err := caps.ReadFile("/proc/self/exe"); err == nil {
		p.notes = append(p.notes, "this program's own file has capabilities, so it may hold others than what started it")
	}
	if on, ok := f.Policy.Enforcing.Is(); ok && on {
		p.notes = append(p.notes, "SELinux is enforcing: what it allows the program's domain is not known")
	}
	if u == nil {
		err = p.here(f, program, how.User)
	} else {
		err = p.unit(f, program, u, how.User, !record.Lacks("run/systemd/system"))
	}
	return p, err
}

// inside is the plan for a program that is not there, where the unit shows it files
// that are not seen from here: nothing is known of it then. Otherwise the error stands.
func inside(u *launch.Unit, err error) (*plan, error) {
	if u == nil || !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	why := u.Doubt(kernel.Goal{})
	if why == "" {
		return nil, err
	}
	return &plan{facts: facts.Record{}.Facts(), doubt: func(kernel.Goal) string { return why }, remote: true}, nil
}

func readUnit(file string) (launch.Unit, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return launch.Unit{}, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil && aliased(path, real) {
		return launch.Unit{}, fmt.Errorf("preflight: %s is another name of %s: name that one", path, real)
	}
	return launch.Read(os.DirFS("/"), path)
}

// aliased says whether a link is a second name of a unit, which has the drop-ins of
// the first; and not the instance of a template, or a unit that is kept elsewhere.
func aliased(link, real string) bool {
	name, dir := filepath.Base(real), filepath.Dir(real)
	template, _, _ := strings.Cut(filepath.Base(link), "@")
	return name != filepath.Base(link) && name != template+"@.service" &&
		(strings.HasSuffix(dir, "/systemd/system") || strings.HasSuffix(dir, "/systemd/user"))
}

// here is a start from this process.
func (p *plan) here(f facts.Facts, program live.Program, user string) error {
	if user == "" {
		if err := program.Mine(); err != nil {
			return err
		}
		p.facts = kernel.Plan(launch.Here(f))
		return nil
	}
	who, err := live.LookAccount(user, "")
	if err != nil {
		return err
	}
	doubt, err := program.Of(who)
	if err != nil {
		return err
	}
	p.doubt = func(kernel.Goal) string { return doubt }
	p.facts = kernel.Plan(launch.AsUser(f, who))
	return nil
}

// unit is a start by systemd.
func (p *plan) unit(f facts.Facts, program live.Program, u *launch.Unit, user string, systemd bool) error {
	var who facts.Account
	var err error
	manager := launch.Manager(f, systemd)
	switch {
	case u.User:
		if user == "" {
			user = strconv.Itoa(os.Geteuid())
		}
		if who, err = live.LookAccount(user, ""); err == nil {
			manager, err = u.OwnManager(manager)
		}
	case user != "":
		err = fmt.Errorf("preflight: the user is that of %s, and another is named", u.Name)
	default:
		who, err = u.Account(live.LookAccount)
	}
	if err != nil {
		return err
	}
	doubt, err := program.Of(who)
	if err != nil {
		return err
	}
	here := f.Net.Sockets
	if f, err = u.Start(f, manager, who); err != nil {
		return err
	}
	if !systemd {
		p.notes = append(p.notes, "no systemd runs here: the unit is assumed to be started by one that holds every capability")
	}
	u.Unlooked()
	p.notes = append(p.notes, u.Notes...)
	p.doubt = func(g kernel.Goal) string { return cmp.Or(doubt, u.Doubt(g)) }
	p.remote, p.sockets = u.OwnNetwork(), here
	for _, s := range u.Sockets {
		if n := s.Unit + " is assumed to be started: only it provides what it listens on"; !slices.Contains(p.notes, n) {
			p.notes = append(p.notes, n)
		}
		p.offers = append(p.offers, privport.Offer{Name: s.Name, Network: s.Network, Addr: s.Addr, Both: s.Both})
		if !p.remote && f.Net.Sockets.State == facts.Known {
			f.Net.Sockets.Value = append(slices.Clip(f.Net.Sockets.Value), held(s))
		}
	}
	p.facts = kernel.Plan(f)
	return nil
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
		V6Only: network == s.Network && !s.Both, Cgroup: "/system.slice/" + s.Unit,
	}
}
