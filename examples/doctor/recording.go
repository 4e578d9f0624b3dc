package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/recording"
	"github.com/lowport/lowport/internal/archive"
)

// maxRecording bounds a recording, in bytes. A large one has some hundred thousand.
const maxRecording = 16 << 20

// readBounded reads a file up to one byte more than the bound.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

// replayed asks the machine whose recording is in a file.
func (c *command) replayed() int {
	saved, err := readBounded(c.replay, maxRecording)
	if err != nil {
		return failed(noInput, err)
	}
	if len(saved) > maxRecording {
		return failed(usageError, fmt.Errorf("%s is no recording: it has more than %d bytes", c.replay, maxRecording))
	}
	if _, err := archive.Load(saved); err != nil {
		return failed(usageError, fmt.Errorf("%s is no recording: %s", c.replay, strings.TrimPrefix(err.Error(), "record: ")))
	}
	return c.ask(replaying(c.replay, saved))
}

// replaying is a recorded machine.
func replaying(file string, saved []byte) asked {
	named := func(err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		return nil
	}
	return asked{
		bind: func(addresses []string, into *guard.Report) error {
			return named(recording.ReplayAll(saved, addresses, guard.ReportTo(into)))
		},
		require: func(into *guard.Report, need caps.Set) error {
			return named(requireReport(into, need, recording.ReplayRequire(saved, slices.Collect(need.All())...)))
		},
	}
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

// recorded prints the evidence of this machine about one address.
func (c *command) recorded() int {
	saved, err := recording.Make(c.args[0])
	var refused *guard.Error
	switch {
	case errors.As(err, &refused):
		if err := refused.Report.Print(os.Stderr); err != nil {
			return failed(ioError, err)
		}
		return refused.ExitCode()
	case err != nil:
		return failed(unavailable, err)
	}
	_, err = os.Stdout.Write(saved)
	return printed(err, 0)
}
