package live

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
)

// MainAlone reports whether a socket is held by nothing but the main process of a service, by what
// systemd gave each of its processes (SYSTEMD_EXEC_PID, systemd.exec(5)). A program may have
// overwritten its environment, or have named another main process (MAINPID=, sd_notify(3)): then it
// is not known.
func MainAlone(unit string, s facts.Socket) program.Answer[bool] {
	if s.PID == 0 {
		return program.Answer[bool]{Why: "which process has port " + strconv.Itoa(int(s.Addr.Port())) + " is not seen"}
	}
	for _, pid := range append([]int{s.PID}, s.Also...) {
		if is := isMain(unit, pid); !is.Known() || !is.Value {
			return is
		}
	}
	return program.Answer[bool]{Value: true}
}

// isMain reports whether a process is the main one of its service. Another one is not as long as
// the one that systemd executed is there.
func isMain(unit string, pid int) program.Answer[bool] {
	unknown := program.Answer[bool]{Why: fmt.Sprintf("whether process %d is the main process of %s is not known", pid, unit)}
	all, err := readPath(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return unknown
	}
	for v := range bytes.SplitSeq(all, []byte{0}) {
		number, ok := bytes.CutPrefix(v, []byte("SYSTEMD_EXEC_PID="))
		executed, err := strconv.Atoi(string(number))
		switch {
		case !ok || err != nil:
		case executed == pid:
			return program.Answer[bool]{Value: true}
		case inUnit(unit, executed):
			return program.Answer[bool]{}
		}
	}
	return unknown
}

// inUnit reports whether a process is known to be in the cgroup of a service.
func inUnit(unit string, pid int) bool {
	cgroup, err := readPath(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return false
	}
	u, err := facts.ParseUnit(string(cgroup))
	return err == nil && u.Name == unit
}
