package recording

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/predict"
	"github.com/lowport/lowport/internal/txtar"
	"github.com/lowport/lowport/privport"
)

// Replay repeats what the bind of one address did on a recorded machine, without a kernel
// and on every system. It returns nil if the bind was allowed, and the *[report.Error] of
// [guard.Bind] if it was refused. The address is as for [guard.BindAll]. [guard.ReportTo]
// gets a report in both cases.
//
// For the recorded address Replay returns the recorded outcome. For any other address it
// applies the kernel's rules to the evidence. If that does not suffice, or the recording
// cannot be read, the error is not an *[report.Error].
func Replay(recording []byte, address string, opts ...guard.Option) error {
	return ReplayAll(recording, []string{address}, opts...)
}

// ReplayAll is Replay for what [guard.BindAll] did: one error covers every address that
// was refused.
func ReplayAll(recording []byte, addresses []string, opts ...guard.Option) error {
	f, went, err := load(recording)
	if err != nil {
		return err
	}
	o := ask.With(opts)
	var all []ask.Request
	var refused error
	for _, address := range addresses {
		r := ask.Named(address)
		r.On(o.Network)
		if err := replay(&r, f, went); err != nil {
			return err
		}
		all = append(all, r)
		if r.Err != nil && r.Target == (privport.Target{}) { // found before anything is bound
			refused = r.Err
			break
		}
	}
	ask.Foretold(all)
	for _, r := range all {
		refused = cmp.Or(refused, r.Err)
	}
	r := ask.Report(all, func([]ask.Request) facts.Facts { return f })
	if o.Report != nil {
		*o.Report = r
	}
	if refused != nil {
		return &report.Error{Report: r, Err: refused}
	}
	return nil
}

// ReplayRequire does what [guard.Require] did on a recorded machine, on every system.
func ReplayRequire(recording []byte, need ...caps.Cap) error {
	f, _, err := load(recording)
	if err != nil {
		return err
	}
	return ask.Require(caps.SetOf(need...), f)
}

// load reads a recording: the facts, and how binds went.
func load(recording []byte) (facts.Facts, []predict.Outcome, error) {
	record, err := archive.Load(recording)
	if err != nil {
		return facts.Facts{}, nil, err
	}
	var went []predict.Outcome
	for line := range strings.Lines(string(txtar.Parse(recording).Comment)) {
		if !strings.HasPrefix(line, "bind ") {
			continue
		}
		o, err := predict.ParseOutcome(line)
		if err != nil {
			return facts.Facts{}, nil, err
		}
		went = append(went, o)
	}
	return record.Facts(), went, nil
}

// replay notes in r how the bind went on a recorded machine. It returns an error if that
// cannot be told.
func replay(r *ask.Request, f facts.Facts, went []predict.Outcome) error {
	if r.Target, r.Err = r.Parse(context.Background()); r.Err != nil {
		return nil
	}
	var at netip.Addr
	if at, r.Err = predict.Literal(r.Target); r.Err != nil {
		return nil
	}
	onlyTCP := slices.ContainsFunc(went, func(o predict.Outcome) bool { return o.OnlyTCP })
	control := slices.ContainsFunc(went, func(o predict.Outcome) bool { return o.Control })
	foreign := slices.ContainsFunc(went, func(o predict.Outcome) bool { return o.Foreign })
	r.Goal = kernel.Goal{Network: r.Network, Addr: at, Port: r.Target.Port, Raises: !foreign, Inherit: !foreign, MPTCP: predict.TriesMPTCP(&f) && !onlyTCP, Control: control}
	done, err := predict.Decide(&f, r.Goal)
	for _, o := range went {
		if o.Port == done.Port && o.Addr == done.Addr && o.UDP == done.UDP {
			done, err = o, nil
		}
	}
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	r.How.Via = done.Via
	predict.Fail(r, done, at)
	return nil
}
