package launch

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// A Socket is one that a .socket unit holds and passes to the service.
type Socket struct {
	facts.SocketUnit
	FD     string // FileDescriptorName=
	Device string // BindToDevice=, the interface without which the unit does not start
}

// sockets are those of the units that pass theirs to the service: the one of its
// name, those of Sockets=, and those beside it that say Service=. Of a template they are those of
// the instances that are enabled.
func (u *Unit) sockets(root fs.FS) ([]Socket, error) {
	candidates := append([]string{u.ownSocket()}, u.namedSockets()...)
	for _, dir := range u.search {
		entries, err := readDir(root, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			found := []fs.DirEntry{e}
			if ext := path.Ext(e.Name()); ext == ".wants" || ext == ".requires" {
				if found, err = readDir(root, path.Join(dir, e.Name())); err != nil {
					return nil, err
				}
			}
			for _, e := range found {
				candidates = append(candidates, e.Name())
			}
		}
	}
	return u.passed(root, candidates)
}

// Running adds the sockets of .socket units that run, by their names, if they pass theirs to the
// service too: as instances of templates they need no file of their own.
func (u *Unit) Running(root fs.FS, names []string) error {
	known := func(name string) bool {
		return slices.ContainsFunc(u.Sockets, func(s Socket) bool { return s.Name == name })
	}
	more, err := u.passed(root, slices.DeleteFunc(slices.Clone(names), known))
	u.Sockets = append(u.Sockets, more...)
	return err
}

// passed are the sockets of those units of these names that pass them to the service.
func (u *Unit) passed(root fs.FS, names []string) (all []Socket, err error) {
	looked := map[string]bool{}
	for _, name := range names {
		if path.Ext(name) != ".socket" || strings.HasSuffix(name, "@.socket") || looked[name] {
			continue
		}
		looked[name] = true
		notes := u.Notes
		set, err := u.find(root, name, u.search)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, errUnloadable): // it passes nothing
			u.note(err.Error())
			continue
		case err != nil:
			return nil, err
		}
		more, passes := u.passedBy(root, name, set)
		if !passes {
			u.Notes = notes // of no concern
			continue
		}
		u.socketUnit = true
		all = append(all, more...)
	}
	return all, nil
}

// passedBy are the sockets of one unit, if it passes them to the service.
func (u *Unit) passedBy(root fs.FS, name string, set settings) (all []Socket, passes bool) {
	as := Unit{Name: name, User: u.User}
	service, err := as.expand(set.lastOf("Socket", "Service"))
	if err != nil {
		u.note("what " + name + " passes is not known: " + err.Error())
		return nil, false
	}
	implied := strings.TrimSuffix(name, ".socket") + ".service"
	service = cmp.Or(service, implied)
	if service != u.Name && !slices.Contains(u.namedSockets(), name) {
		return nil, false
	}
	if service != u.Name { // which the socket's start takes (socket_start: "not loaded, refusing")
		if _, err := u.find(root, service, u.search); errors.Is(err, fs.ErrNotExist) {
			u.note(name + " cannot be started: there is no " + service + ", and it does not say Service=" + u.Name)
			return nil, true
		}
	}
	u.keepsAway(name, set)
	return u.listens(set, &as), true
}

// ownSocket is the name of the .socket unit that belongs to the service without a word.
func (u *Unit) ownSocket() string { return strings.TrimSuffix(u.Name, ".service") + ".socket" }

// EndsBefore lists the services of which processes end before the unit starts anew: itself, unless
// KillMode=none keeps all of them (systemd.kill(5)), and those of Conflicts= (systemd.unit(5)).
func (u *Unit) EndsBefore() (names []string) {
	if u.set.last("KillMode") != "none" {
		names = append(names, u.Name)
	}
	for _, v := range u.set.all("Unit", "Conflicts") {
		names = append(names, split(v)...)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !facts.UnitName(name) })
}

// EndsMainAlone reports whether a stop of the service ends its main process, and leaves the others
// (KillMode=process).
func (u *Unit) EndsMainAlone() bool { return u.set.last("KillMode") == "process" }

// namedSockets are those of Sockets=.
func (u *Unit) namedSockets() (names []string) {
	for _, word := range u.set.words("Sockets") {
		if name, err := u.expand(word); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// keepsAway notes what keeps clients from the sockets of a unit.
func (u *Unit) keepsAway(name string, set settings) {
	if device := set.lastOf("Socket", "BindToDevice"); device != "" && device != "*" {
		u.Kept = append(u.Kept, name+" has BindToDevice="+device+": only clients that come by that interface reach the socket")
	}
	if e := set.entries("Socket", "IPAddressDeny"); len(e) > 0 {
		u.Kept = append(u.Kept, e[len(e)-1].String()+" keeps clients of these addresses away, but for those of IPAddressAllow=")
	}
}

// readDir lists a folder; one that does not exist is empty.
func readDir(root fs.FS, dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return entries, err
}

// find loads a unit from the first folder that has it.
func (u *Unit) find(root fs.FS, name string, folders []string) (settings, error) {
	for _, file := range []string{name, templateOf(name)} {
		for _, dir := range folders {
			if info, err := fs.Stat(root, path.Join(dir, file)); err == nil {
				if !info.Mode().IsRegular() {
					return nil, fs.ErrNotExist // masked
				}
				return u.load(root, path.Join(dir, file), name, folders)
			}
		}
	}
	return nil, fs.ErrNotExist
}

// listeners are the directives that add a socket, and of which protocol it is if it
// has a port.
var listeners = map[string]string{
	"ListenStream": "tcp", "ListenDatagram": "udp",
	"ListenSequentialPacket": "", "ListenFIFO": "", "ListenNetlink": "", "ListenSpecial": "", "ListenMessageQueue": "", "ListenUSBFunction": "",
}

// listens are the sockets of a unit that are of TCP or UDP.
func (u *Unit) listens(set settings, unit *Unit) []Socket {
	value := func(key string) string { return set.lastOf("Socket", key) }
	device := value("BindToDevice")
	if device == "*" { // of no interface (config_parse_socket_bindtodevice)
		device = ""
	}
	var all []Socket
	for _, e := range set {
		switch protocol, ok := listeners[e.key]; {
		case !ok || e.section != "Socket":
		case e.value == "": // takes back those of every kind (config_parse_socket_listen)
			all = nil
		case protocol == "": // of no port
		default:
			if s, ok := u.listen(unit, e, protocol, value("BindIPv6Only") == "ipv6-only"); ok {
				s.Name = unit.Name
				all = append(all, Socket{s, cmp.Or(value("FileDescriptorName"), unit.Name), device})
			}
		}
	}
	if accept, _ := boolean(value("Accept")); accept && len(all) > 0 {
		u.Notes = append(u.Notes, unit.Name+" has Accept=yes: it starts a program for each connection, and passes no listener")
		return nil
	}
	return all
}

// listen is one listener of a .socket unit, if it is of a port.
func (u *Unit) listen(unit *Unit, e entry, protocol string, only6 bool) (facts.SocketUnit, bool) {
	address, err := unit.expand(e.value)
	if later := (*unexpandable)(nil); errors.As(err, &later) {
		if !pathLike(e.value) {
			u.doubt("%s: %v", e, later)
		}
		return facts.SocketUnit{}, false
	}
	return facts.ParseListen(protocol, address, only6)
}

// pathLike reports whether a value is a path, or begins with a specifier that is one.
func pathLike(value string) bool {
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, "@") ||
		len(value) > 1 && value[0] == '%' && strings.IndexByte("CdDEfhLStTV", value[1]) >= 0
}

// Pulls reports whether a start of the unit starts the other one too, as far as its own lines
// say. Sockets= implies Wants= (config_parse_service_sockets).
func (u *Unit) Pulls(other string) bool {
	return slices.Contains(u.namedSockets(), other) || slices.ContainsFunc([]string{"Wants", "Requires", "BindsTo", "Upholds"}, func(key string) bool {
		return slices.ContainsFunc(u.set.all("Unit", key), func(v string) bool { return slices.Contains(split(v), other) })
	})
}

// Told says what the unit changes of what its program is told about its sockets: without is
// true if it is told nothing, and why is not empty if that is not known.
func (u *Unit) Told() (without bool, why string) {
	for _, e := range u.set.entries("Service", "UnsetEnvironment") {
		without = without || strings.Contains(e.value, "LISTEN_FDS") || strings.Contains(e.value, "LISTEN_PID")
	}
	for name := range u.env {
		if strings.HasPrefix(name, "LISTEN_") {
			why = u.Name + " sets " + name + ", which changes what the program is told of its sockets"
		}
	}
	return without, why
}
