package launch

import (
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
	FD string // FileDescriptorName=
}

// sockets are those of the units that pass theirs to the service: the one of its
// name, those of Sockets=, and those beside it that say Service=.
func (u *Unit) sockets(root fs.FS, folder string, folders []string) ([]Socket, error) {
	own := strings.TrimSuffix(u.Name, ".service") + ".socket"
	named := u.set.words("Sockets")
	candidates := append([]string{own}, named...)
	var all []Socket
	for _, dir := range folders {
		entries, err := fs.ReadDir(root, dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".socket") && !slices.Contains(candidates, e.Name()) {
				candidates = append(candidates, e.Name())
			}
		}
	}
	for _, name := range candidates {
		notes := u.Notes
		set, err := u.find(root, name, folders)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, errUnloadable): // it passes nothing
			u.note(err.Error())
			continue
		case err != nil:
			return nil, err
		}
		service := ""
		if values := set.all("Socket", "Service"); len(values) > 0 {
			service = values[len(values)-1]
		}
		if service == u.Name || name == own && service == "" || slices.Contains(named, name) {
			u.socketUnit = true
			all = append(all, u.listens(set, name)...)
		} else {
			u.Notes = notes // of no concern
		}
	}
	return all, nil
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
func (u *Unit) listens(set settings, unit string) []Socket {
	value := func(key string) string {
		all := set.all("Socket", key)
		if len(all) == 0 {
			return ""
		}
		return all[len(all)-1]
	}
	name := value("FileDescriptorName")
	if name == "" {
		name = unit
	}
	var all []Socket
	for _, e := range set {
		switch protocol, ok := listeners[e.key]; {
		case !ok || e.section != "Socket":
		case e.value == "": // takes back those of every kind (config_parse_socket_listen)
			all = nil
		case protocol == "": // of no port
		default:
			if s, ok := facts.ParseListen(protocol, e.value, value("BindIPv6Only") == "ipv6-only"); ok {
				s.Name = unit
				all = append(all, Socket{s, name})
			}
		}
	}
	if accept, _ := boolean(value("Accept")); accept && len(all) > 0 {
		u.Notes = append(u.Notes, unit+" has Accept=yes: it starts a program for each connection, and passes no listener")
		return nil
	}
	return all
}

// Pulls reports whether a start of the unit starts the other one too, as far as its own lines say.
func (u *Unit) Pulls(other string) bool {
	return slices.ContainsFunc([]string{"Wants", "Requires", "BindsTo", "Upholds"}, func(key string) bool {
		return slices.ContainsFunc(u.set.all("Unit", key), func(v string) bool { return slices.Contains(split(v), other) })
	})
}

// Told says what the unit changes of what its program is told about its sockets: without is
// true if it is told nothing, and why is not empty if that is not known.
func (u *Unit) Told() (without bool, why string) {
	for _, e := range u.set.entries("Service", "UnsetEnvironment") {
		without = without || strings.Contains(e.value, "LISTEN_FDS") || strings.Contains(e.value, "LISTEN_PID")
	}
	for _, e := range u.set.entries("Service", "Environment") {
		if strings.Contains(e.value, "LISTEN_") {
			why = e.String() + " changes what the program is told of its sockets"
		}
	}
	return without, why
}
