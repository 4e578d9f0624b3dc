package facts

import (
	"strconv"
	"strings"
)

// Ends is what is known of how the holders of a socket end. What could not be read is left out:
// then they are taken to be like most.
type Ends struct {
	Stopped bool `json:",omitempty"` // a holder is stopped: SIGTERM waits until SIGCONT (signal(7))
	Deaf    bool `json:",omitempty"` // SIGTERM does not end a holder, SIGKILL does
	First   bool `json:",omitempty"` // a holder begins a pid namespace, which ends with it (pid_namespaces(7))

	Unit       UnitEnds   `json:",omitzero"` // of the unit of the socket's cgroup
	Supervisor Supervisor `json:",omitzero"` // of a holder; without a Service if only its kind is known
}

// UnitEnds says which processes end with a service of systemd.
type UnitEnds struct {
	KillMode string `json:",omitempty"` // as its files say it, "" for systemd's own or unknown
	Stops    bool   `json:",omitempty"` // it has an ExecStop=, which may end what KillMode= leaves
	Inactive bool   `json:",omitempty"` // it does not run: an earlier start left what there is of it
	Main     bool   `json:",omitempty"` // its main process holds the socket
}

// Leave reports whether the stop of the unit leaves a holder of the socket running
// (systemd.kill(5)).
func (u UnitEnds) Leave() bool {
	byMain := u.KillMode == "process" && !u.Main
	return u.Inactive || !u.Stops && (byMain || u.KillMode == "none")
}

// sigterm is the bit of SIGTERM in a mask of signals.
const sigterm = 1 << (15 - 1)

// ParseEnds reads from /proc/PID/status how a process ends (proc_pid_status(5)). A debugger keeps
// SIGTERM from what it has stopped, as the kernel does from the first process of another pid
// namespace without a handler.
func ParseEnds(status []byte) (e Ends) {
	catches := true
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		mask, err := strconv.ParseUint(value, 16, 64)
		has := err == nil && mask&sigterm != 0
		switch name {
		case "State":
			e.Stopped = strings.HasPrefix(value, "T")
			e.Deaf = e.Deaf || strings.HasPrefix(value, "t")
		case "NSpid":
			ids := strings.Fields(value)
			e.First = len(ids) > 1 && ids[len(ids)-1] == "1"
		case "SigIgn":
			e.Deaf = e.Deaf || has
		case "SigCgt":
			catches = has || err != nil
		}
	}
	e.Deaf = e.Deaf || e.First && !catches
	return e
}

// EndsIn reads from the files of a service, in the order in which systemd reads them, which
// processes end with it.
func EndsIn(files ...string) (u UnitEnds) {
	eachSetting("[Service]", files, func(key, value string) {
		switch key {
		case "KillMode":
			u.KillMode = value
		case "ExecStop":
			u.Stops = value != ""
		}
	})
	return u
}
