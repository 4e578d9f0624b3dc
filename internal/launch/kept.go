package launch

import (
	"fmt"

	"github.com/lowport/lowport/internal/program"
)

// A Process is what systemd has started, beside what is said of the program's bind.
type Process struct {
	Leaves    bool                 // the first process ends at once, and leaves the program behind
	MayLeave  bool                 // that is not known
	Forks     bool                 // the program is another process than the first
	MayFork   bool                 // that is not known
	Go        bool                 // the program is one of Go, which goes on as the process that it is
	Readiness program.Answer[bool] // whether the program tells systemd what it does (sd_notify(3))
}

// Keeps looks at whether systemd leaves a process running (systemd.service(5), "Type="). The error
// says that it does not; what depends on the program is noted.
func (u *Unit) Keeps(p Process) error {
	kind := u.set.last("Type")
	notify := kind == "notify" || kind == "notify-reload"
	e, _ := u.set.lastEntry("Type")
	switch {
	case kind == "forking":
		return u.forking(e, p)
	case p.Leaves && notify:
		return u.end("%s: the first process ends before the program is ready", e)
	case p.Leaves && !u.keepsGroup():
		return u.end("its first process ends, and systemd kills what that leaves behind; with Type=forking it does not")
	case p.MayLeave && (notify || !u.keepsGroup()):
		u.doubt("whether the first process ends and leaves the program behind, which systemd then kills, is not known")
	}
	if notify {
		if err := u.readiness(e, p); err != nil {
			return err
		}
	}
	if kind == "dbus" {
		u.note(fmt.Sprintf("%s: systemd ends the service unless the program takes the name of BusName=", e))
	}
	if e, ok := u.set.lastEntry("TimeoutStartSec"); ok && kind == "oneshot" && e.value != "infinity" && e.value != "0" {
		u.note(fmt.Sprintf("%s: systemd ends the program after that time, as Type=oneshot waits for its end", e))
	}
	u.watchdog(p)
	return nil
}

func (u *Unit) end(format string, args ...any) error {
	return fmt.Errorf("%s: %w", u.Name, ends("", format, args...))
}

// keepsGroup reports whether systemd leaves alone what the first process leaves behind: as the service
// stays active, or by KillMode=.
func (u *Unit) keepsGroup() bool {
	mode := u.set.last("KillMode")
	return u.set.is("RemainAfterExit") || mode == "process" || mode == "none"
}

// forking is Type=forking, which waits until the first process ends.
func (u *Unit) forking(e entry, p Process) error {
	switch {
	case p.Leaves:
	case p.Go || p.MayLeave || p.Forks || p.MayFork:
		u.doubt("%s: systemd ends the service unless its first process ends by itself and leaves the program behind", e)
	default:
		u.note(fmt.Sprintf("%s: systemd ends the service unless the program goes on as another process", e))
	}
	return nil
}

// readiness is Type=notify, which waits until the program says that it is ready.
func (u *Unit) readiness(e entry, p Process) error {
	access := u.set.last("NotifyAccess")
	switch {
	case access == "none":
	case p.Readiness.Known() && !p.Readiness.Value:
		return u.end("%s: the program never says READY=1", e)
	case p.Forks && access != "all":
		return u.end("%s: the program is not the first process, whose READY=1 alone counts without NotifyAccess=all", e)
	case p.MayFork && access != "all":
		u.doubt("%s: whether the program is the first process, whose READY=1 alone counts, is not known", e)
	case !p.Readiness.Known():
		u.note(fmt.Sprintf("%s: systemd ends the service unless the program says READY=1", e))
	}
	return nil
}

// watchdog is WatchdogSec=, which ends a program that does not report regularly.
func (u *Unit) watchdog(p Process) {
	e, ok := u.set.lastEntry("WatchdogSec")
	if !ok || e.value == "0" || e.value == "infinity" || p.Readiness.Value {
		return
	}
	if p.Readiness.Known() {
		u.note(fmt.Sprintf("%s: systemd ends the program after that time, as it never says WATCHDOG=1", e))
		return
	}
	u.note(fmt.Sprintf("%s: systemd ends the program unless it says WATCHDOG=1 in that time", e))
}

// unneeded is StopWhenUnneeded=, by which a service that is started alone is stopped at once.
func unneeded(u *Unit, at place) error {
	for _, e := range u.set.entries("Unit", "StopWhenUnneeded") {
		if on, _ := boolean(e.value); on {
			u.doubt("%s: whether another unit needs this one, without which systemd stops it, is not looked at", e)
		}
	}
	return nil
}
