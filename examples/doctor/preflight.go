package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
)

// launchFlags are the flags that say how a program is going to be started.
func launchFlags() *preflight.Launch {
	var how preflight.Launch
	flag.StringVar(&how.Binary, "binary", "", "predict for the program at `path`, before it is started from here")
	flag.StringVar(&how.User, "user", "", "predict for a start as this `user`")
	flag.StringVar(&how.Unit, "unit", "", "predict for the systemd service with this unit `file`")
	flag.Func("guard", "whether the program has the guard, `yes|no`, where its file does not tell", func(v string) error {
		if how.Guard = preflight.Guard(v); how.Guard != preflight.Guarded && how.Guard != preflight.Unguarded {
			return errors.New("want yes or no")
		}
		return nil
	})
	return &how
}

// together is one report of all addresses, with fixes that are for all of them.
func together(how preflight.Launch, addresses []string) []guard.Report {
	r, _ := preflight.Bind(how, addresses...) // the report says what the error does
	return []guard.Report{r}
}

// predicted is a program that does not run yet. Nothing is bound. What cannot be
// started is no answer, and ends doctor.
func predicted(how preflight.Launch) asked {
	report := func(r guard.Report, err error) (guard.Report, error) {
		if r.Subject == "" && err != nil {
			fmt.Fprintln(os.Stderr, "doctor:", err)
			os.Exit(64)
		}
		return r, err
	}
	return asked{
		bind: func(address string, into *guard.Report, _ ...guard.Option) (err error) {
			*into, err = report(preflight.Bind(how, address))
			return err
		},
		require: func(into *guard.Report, need caps.Set) (err error) {
			*into, err = report(preflight.Require(how, slices.Collect(need.All())...))
			return err
		},
	}
}
