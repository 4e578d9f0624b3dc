package unit

import "strings"

// A Service describes a server. The zero value of every field but Exec (and
// Listen, for the socket route) is a sound choice.
type Service struct {
	Name        string   // of the unit, without ".service"; the program's own name if empty
	Description string   // "NAME server" if empty
	Exec        []string // the program, an absolute path, and its arguments, as they are: nothing is expanded
	Type        string   // "exec" if empty, which needs nothing of the program; "notify" or "simple"

	User  string // runs as this user; if empty as one that exists only while it runs (DynamicUser=)
	Group string // the user's own if empty

	WorkDir string   // "/" if empty
	Env     []string // KEY=VALUE
	EnvFile string   // a file of such lines, read when the service starts

	Restart    string // "on-failure" if empty; "always", "no", … as systemd.service(5)
	RestartSec int    // seconds; 5 if 0

	After, Wants, Requires []string // units
	WantedBy               string   // "multi-user.target" if empty

	// Write are the only folders and files that the program may write. Those below /var/lib,
	// /var/cache, /var/log and /run are made for it; others have to exist.
	Write []string

	Socket    bool     // the socket route
	Listen    []string // TCP addresses of the socket route, as for guard.Bind; a number for the port
	ListenUDP []string // UDP addresses of the socket route

	// Outbound lets the server open connections of its own: to other machines,
	// to name servers and to local sockets such as a database's.
	Outbound bool
	// JIT lets the program write machine code at run time, as node, java and
	// other compilers do.
	JIT bool
}

// A File is one unit file or drop-in.
type File struct {
	Name    string // below /etc/systemd/system
	Content string
}

// Files returns the unit files: NAME.service, and on the socket route
// NAME.socket. A value that cannot be written safely, or that would make a unit
// that cannot work, is an error that names the field.
func (s Service) Files() ([]File, error) {
	s = s.defaults()
	if err := s.check(); err != nil {
		return nil, err
	}
	files := []File{{s.Name + ".service", render(s.unitSection(), s.serviceSection(), s.installSection())}}
	if s.Socket {
		socket, err := s.socketFile()
		if err != nil {
			return nil, err
		}
		files = append(files, socket)
	}
	return files, nil
}

func (s Service) defaults() Service {
	if s.Name == "" && len(s.Exec) > 0 {
		s.Name = base(s.Exec[0])
	}
	s.Name = strings.TrimSuffix(s.Name, ".service")
	s.Description = or(s.Description, s.Name+" server")
	s.Type = or(s.Type, "exec")
	s.Restart = or(s.Restart, "on-failure")
	s.WantedBy = or(s.WantedBy, "multi-user.target")
	if s.RestartSec == 0 {
		s.RestartSec = 5
	}
	return s
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
