package preflight

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

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
// processes of its own. What a security policy or a filter would answer to the process
// cannot be seen, and its securebits are taken to be none. has says whether the program
// raises a permitted capability, as this guard does; [AsBuilt] is what its file shows.
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
		decideRunning(&all[i], &f, raises)
	}
	return outside(pid, ask.Report(all, func([]ask.Request) facts.Facts { return f }), firstErr(all))
}

// decideRunning is how the bind of one address would go.
func decideRunning(r *ask.Request, f *facts.Facts, raises program.Answer[bool]) {
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
