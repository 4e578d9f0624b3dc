package preflight

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/predict"
	"github.com/lowport/lowport/internal/program"
)

// Running predicts how a bind of these addresses would go in a process that runs already,
// whatever it is written in, and returns its report as [Bind] does. Nothing is bound. What
// the process listens on already is allowed.
//
// It reads the process from outside: root may read all that counts, another user only the
// processes of its own. The rules of a seccomp filter or an AppArmor profile cannot be read:
// of a process that has one it is never said that it may bind what it does not listen on.
// SELinux, Landlock and the BPF programs of cgroups are not looked at, and its securebits are
// taken to be none. has says whether the program raises a permitted capability, as this guard
// does; [AsBuilt] is what its file shows.
//
// Any other error means that there is no such process, that it ended meanwhile, or that
// what decides could not be read; off Linux it wraps [errors.ErrUnsupported].
func Running(pid int, has Guard, addresses ...string) (report.Report, error) {
	if err := supported(); err != nil {
		return report.Report{}, err
	}
	var all []ask.Request
	for _, a := range addresses {
		r := ask.Named(a)
		r.On(nil)
		all = append(all, r)
	}
	subject := fmt.Sprintf("bind %s in process %d", ask.List(all), pid)
	for i := range all {
		r := &all[i]
		if r.Target, r.Err = r.Parse(context.Background()); r.Err != nil {
			return outside(pid, ask.Malformed(subject, *r), r.Err)
		}
	}
	record, err := live.Process(pid, ask.Ports(all)...)
	if err != nil {
		return report.Report{}, &printable{err}
	}
	f := record.Facts()
	raises := raisesInFile(pid, has)
	for i := range all {
		decideRunning(&all[i], &f, raises, confined(pid, &f))
	}
	ask.Foretold(all)
	return outside(pid, ask.Report(all, func([]ask.Request) facts.Facts { return f }), firstErr(all))
}

// decideRunning is how the bind of one address would go. confined says what may refuse what
// the kernel allows, "" for nothing.
func decideRunning(r *ask.Request, f *facts.Facts, raises program.Answer[bool], confined string) {
	at, err := lookup(context.Background(), r.Target)
	if err != nil {
		r.Err = err
		return
	}
	r.Goal = kernel.Goal{Network: r.Network, Addr: at, Port: r.Target.Port, Raises: !program.Is(raises, false)}
	has := func(s facts.Socket) bool {
		return s.Self && (s.Listen || r.Goal.Protocol() == "udp") && kernel.Conflicts(s, r.Goal) == kernel.Yes
	}
	if slices.ContainsFunc(f.Net.Sockets.Value, has) {
		return // it was allowed
	}
	done, err := predict.Decide(f, r.Goal)
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case done.Errno == "" && confined != "":
		why = confined
	case done.Errno != "EACCES" && done.Via == "raised" && !raises.Known():
		why = raises.Why
	}
	if why != "" {
		untellable(r, why, done.UDP, at)
		return
	}
	r.How.Via = done.Via
	predict.Fail(r, done, at)
}

// confined says which rules that cannot be read from outside may refuse a bind of the process:
// of a seccomp filter (a thread may have one that others have not, seccomp(2)), or of an AppArmor
// profile. It returns "" if there are none.
func confined(pid int, f *facts.Facts) string {
	why := filtered(fmt.Sprintf("/proc/%d/task", pid))
	if unit, ok := f.Launcher.Unit.Is(); ok && why != "" && !unit.User {
		why += "; a prediction for the unit " + unit.Name + " tells what its own lines refuse"
	}
	if profile, enforced := kernel.Profile(f); why == "" && enforced {
		why = "what its AppArmor profile " + profile + " allows cannot be read"
	}
	return why
}

// filtered says which thread has a seccomp filter, by the lines Seccomp of a folder of threads
// (proc_pid_status(5)).
func filtered(threads string) string {
	all, err := os.ReadDir(threads)
	if err != nil || len(all) == 0 {
		return "whether it has a seccomp filter could not be read"
	}
	for _, thread := range all {
		file := filepath.Join(threads, thread.Name(), "status")
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it ended meanwhile
			continue
		}
		mode := 0
		if err == nil {
			mode, err = facts.StatusInt("Seccomp", 2)(b)
		}
		switch {
		case err != nil:
			return "whether it has a seccomp filter could not be read"
		case mode != 0:
			return fmt.Sprintf("it has a seccomp filter, whose rules cannot be read (Seccomp: %d in %s)", mode, file)
		}
	}
	return ""
}

// raisesInFile reports whether the program that a process runs raises capabilities.
func raisesInFile(pid int, has Guard) program.Answer[bool] {
	if has != AsBuilt {
		return program.Answer[bool]{Value: has == Guarded}
	}
	file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return program.Answer[bool]{Why: "the program of the process may not be read"}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return program.Answer[bool]{Why: err.Error()}
	}
	read, err := program.Read(file, info.Size())
	if err != nil {
		return program.Answer[bool]{Why: err.Error()}
	}
	return read.Does.Raise
}

// outside says of a report that it is about another process.
func outside(pid int, r report.Report, err error) (report.Report, error) {
	r = ask.Outside(pid, r)
	if err != nil {
		return r, &report.Error{Report: r, Err: err}
	}
	return r, nil
}
