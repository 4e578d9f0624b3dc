package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	guard "github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/mask"
	"github.com/lowport/lowport/internal/predict"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// A report is what is said of a refusal. Its JSON form is one object a line.
type report struct {
	Time    time.Time `json:"time"`
	PID     int       `json:"pid"` // 0 if this process does not see it
	TID     int       `json:"tid"`
	Command string    `json:"command"`
	Exe     string    `json:"exe,omitempty"`
	Cgroup  string    `json:"cgroup,omitempty"`
	whereabouts
	Again  int           `json:"again,omitempty"` // not a new report: how often the same came again
	Report *guard.Report `json:"report,omitempty"`

	address string
}

// read reads what the kernel did not tell.
func (v *refusal) read() facts.Record { return live.Refused(v.heard, v.Port) }

// hasPort reports whether the process has a socket of its port by now.
func (v *refusal) hasPort() bool {
	if !v.heard.Runs() {
		return false
	}
	record, err := live.Process(v.PID, v.Port)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(record.Facts().Net.Sockets.Value, func(s facts.Socket) bool {
		return s.Self && strings.HasPrefix(s.Network, v.protocol()) && (s.Listen || v.protocol() == "udp") && int(s.Addr.Port()) == v.Port
	})
}

// explain makes the report that the program would have made of its own refusal if it did not
// raise capabilities.
func (v *refusal) explain(record facts.Record, when time.Time) *report {
	f := record.Facts()
	r := ask.Named(v.Network + "/" + v.address())
	r.Foreign, r.MPTCP, r.Err = true, v.MPTCP, v.err()
	r.Target, _ = r.Parse(context.Background()) // literal, so it cannot fail
	told := ask.Outside(v.PID, ask.Report([]ask.Request{r}, func([]ask.Request) facts.Facts { return f }))
	for i := range told.Facts {
		if told.Facts[i].Source == facts.Source("probes") && v.Filtered {
			told.Facts[i].Source = "sys_enter was not reached"
		}
	}
	where := placeOf(v.Cgroup)
	told.Headline = v.who(where) + strings.TrimPrefix(told.Headline, fmt.Sprintf("process %d", v.PID))
	if !v.heard.Runs() {
		told.Notes = append(told.Notes, "the process has ended: what it was and held is what the kernel saw at the "+v.Call)
	}
	return &report{
		Time: when, PID: v.PID, TID: v.TID, Command: term.Show(v.Command), Exe: term.Show(v.Exe), Cgroup: term.Show(v.Cgroup),
		whereabouts: where, Report: &told, address: v.Network + " " + v.address(),
	}
}

// recording returns the evidence as `doctor -replay` reads it, with names, paths and addresses
// replaced as [recording.Make] replaces them.
func (v *refusal) recording(record facts.Record) []byte {
	masked, at := mask.Record(record, v.Addr.WithZone(""))
	went := predict.Outcome{
		UDP: v.protocol() == "udp", Addr: at, Port: v.Port, Errno: unix.ErrnoName(v.Errno), Via: privport.Plain, Foreign: true, OnlyTCP: !v.MPTCP,
	}
	if v.Call != "bind" {
		went.Call = v.Call
	}
	return append([]byte("# recorded by lowport; names, paths and addresses are replaced\n"+went.String()), archive.Save(masked)...)
}

// who names the process.
func (v *refusal) who(where whereabouts) string {
	who := fmt.Sprintf("process %d (%s", v.PID, term.Show(v.Command))
	if v.PID == 0 {
		who = fmt.Sprintf("a process of another pid namespace (%s", term.Show(v.Command))
	}
	if at := where.String(); at != "" {
		who += ", " + term.Show(at)
	}
	return who + ")"
}

// key is the same for refusals that need no second report.
func (v *refusal) key() string {
	where := placeOf(v.Cgroup)
	if where.Pod != "" {
		where.Container = "" // another one each time that it is started
	}
	at := v.Addr.String()
	if !v.Addr.IsValid() {
		at = "" // [::] or 0.0.0.0, as programs try one after the other
	}
	return fmt.Sprint(cmp.Or(v.Exe, v.Command), where, v.Call, v.Errno, v.protocol(), at, v.Port, v.state)
}

// line says how often a situation came again.
func (r repeat) line() string {
	return fmt.Sprintf("process %d (%s): %s: refused %d times more", r.first.PID, r.first.Command, r.first.address, r.again)
}
