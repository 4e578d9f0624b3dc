package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/recording"
)

// asked is what answers: this machine or a recorded one.
type asked struct {
	bind    func(address string, into *guard.Report, opts ...guard.Option) error
	require func(into *guard.Report, need caps.Set) error
}

// here is this machine. What is bound is closed again.
var here = asked{
	bind: func(address string, into *guard.Report, opts ...guard.Option) error {
		s, err := guard.BindAll(context.Background(), []string{address}, append(opts, guard.ReportTo(into))...)
		if err == nil {
			s.Close()
		}
		return err
	},
	require: func(into *guard.Report, need caps.Set) error {
		return requireReport(into, need, guard.Require(slices.Collect(need.All())...))
	},
}

// recorded is the machine whose recording is in a file.
func recorded(file string) (asked, error) {
	saved, err := os.ReadFile(file)
	named := func(err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		return nil
	}
	return asked{
		bind: func(address string, into *guard.Report, opts ...guard.Option) error {
			return named(recording.Replay(saved, address, append(opts, guard.ReportTo(into))...))
		},
		require: func(into *guard.Report, need caps.Set) error {
			return named(requireReport(into, need, recording.ReplayRequire(saved, slices.Collect(need.All())...)))
		},
	}, err
}

// gates fills in what a report of success leaves out, since a bind that succeeds
// reads nothing: how this machine answers the gates.
func gates(address string, into *guard.Report) error {
	saved, err := recording.Make(address)
	if err != nil {
		return err
	}
	var r guard.Report
	err = recording.Replay(saved, address, guard.ReportTo(&r))
	into.Facts, into.Gates = r.Facts, r.Gates
	return err
}

// requireReport is the report of a requirement that holds, or does not.
func requireReport(into *guard.Report, need caps.Set, err error) error {
	*into = guard.Report{Subject: "require " + need.String(), OK: true}
	if refused := (*guard.Error)(nil); errors.As(err, &refused) {
		*into = refused.Report
	}
	return err
}

// record prints the evidence of this machine about one address.
func record(addresses []string) int {
	if len(addresses) != 1 {
		fmt.Fprintln(os.Stderr, "doctor: -record takes one address, and nothing else")
		return 64
	}
	saved, err := recording.Make(addresses[0])
	var refused *guard.Error
	switch {
	case errors.As(err, &refused):
		fmt.Fprint(os.Stderr, refused.Report)
		return refused.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "doctor:", err)
		return 69
	}
	if _, err := os.Stdout.Write(saved); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		return 74 // EX_IOERR
	}
	return 0
}
