package unit

import (
	"errors"
	"strings"
)

// DropIn returns a drop-in that hardens the existing unit Name and leaves its
// command as it is. On the socket route the .socket comes with it. Fields that
// only a whole unit has are ignored: Exec, Type, Description, Env, EnvFile,
// Restart, RestartSec, WantedBy. It returns the same errors as [Service.Files].
//
// Where User is empty the unit keeps its own; see [Service.Notes].
func (s Service) DropIn() ([]File, error) {
	s.Name = strings.TrimSuffix(s.Name, ".service")
	s.Exec, s.Type = nil, ""
	if s.Description == "" {
		s.Description = s.Name
	}
	if err := checkText("Description", s.Description); err != nil {
		return nil, err
	}
	if err := s.checkShared(); err != nil {
		return nil, err
	}
	unit := section{"Unit", nil}
	if s.Socket || s.Outbound || len(s.After)+len(s.Wants)+len(s.Requires) > 0 {
		unit.lines = s.unitSection().lines[1:] // without the description
	}
	lines := s.guardLines()
	if s.User != "" {
		lines = append(lines, s.userLines()...)
	} else {
		lines = append(lines, maybe("Group", s.Group)...)
	}
	lines = append(lines, maybe("WorkingDirectory", text(s.WorkDir))...)
	lines = append(lines, s.writeLines()...)
	lines = append(lines, s.hardening(true)...)
	files := []File{{s.Name + ".service.d/50-lowport-unit.conf", render(unit, section{"Service", lines})}}
	if s.Socket {
		if len(s.Listen)+len(s.ListenUDP) == 0 {
			return nil, errors.New("unit: Listen is empty: the socket route has to know the address")
		}
		socket, err := s.socketFile()
		if err != nil {
			return nil, err
		}
		files = append(files, socket)
	}
	return files, nil
}
