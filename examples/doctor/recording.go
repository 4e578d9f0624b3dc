package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

// asked is what answers: this machine or a recorded one.
type asked struct {
	bind    func(address string, opts ...guard.Option) error
	require func(need ...caps.Cap) error
}

// here is this machine. What is bound is closed again.
var here = asked{
	bind: func(address string, opts ...guard.Option) error {
		s, err := guard.BindAll(context.Background(), []string{address}, opts...)
		if err == nil {
			s.Close()
		}
		return err
	},
	require: guard.Require,
}

// recorded is the machine whose recording is in a file.
func recorded(file string) (asked, error) {
	recording, err := os.ReadFile(file)
	return asked{
		bind: func(address string, opts ...guard.Option) error {
			return guard.Replay(recording, address, opts...)
		},
		require: func(need ...caps.Cap) error { return guard.ReplayRequire(recording, need...) },
	}, err
}

// record prints the evidence of this machine about one address.
func record(addresses []string) int {
	if len(addresses) != 1 {
		fmt.Fprintln(os.Stderr, "doctor: -record takes one address, and nothing else")
		return 64
	}
	recording, err := guard.Record(addresses[0])
	var refused *guard.Error
	switch {
	case errors.As(err, &refused):
		fmt.Fprint(os.Stderr, refused.Report)
		return refused.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "doctor:", err)
		return 69
	}
	if _, err := os.Stdout.Write(recording); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		return 74 // EX_IOERR
	}
	return 0
}
