package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/term"
)

// asked is what answers: this machine, a recorded one, or a program that is only planned.
type asked struct {
	bind    func(addresses []string, into *guard.Report) error
	require func(into *guard.Report, need caps.Set) error
}

// here asks this machine. What is bound is closed again.
func (c *command) here() int {
	var opts []guard.Option
	if c.authbind {
		opts = append(opts, guard.Authbind())
	}
	return c.ask(asked{
		bind: func(addresses []string, into *guard.Report) error {
			s, err := guard.BindAll(context.Background(), addresses, append(opts, guard.ReportTo(into))...)
			if err != nil {
				return err
			}
			s.Close()
			if c.verbose {
				return gates(addresses[0], into)
			}
			return nil
		},
		require: func(into *guard.Report, need caps.Set) error {
			return requireReport(into, need, guard.Require(slices.Collect(need.All())...))
		},
	})
}

// ask prints the reports, and returns the status that says most.
func (c *command) ask(machine asked) int {
	code := 0
	var reports []guard.Report
	if c.need != 0 {
		var r guard.Report
		err := machine.require(&r, c.need)
		if code = status(err); code < 0 {
			return c.unanswered(err)
		}
		reports = append(reports, r)
	}
	for _, address := range c.args {
		var r guard.Report
		err := machine.bind([]string{address}, &r)
		if status(err) < 0 {
			return c.unanswered(err)
		}
		code = worst(code, status(err))
		reports = append(reports, r)
	}
	if len(c.args) > 1 {
		var r guard.Report // with fixes that are for all of them
		err := machine.bind(c.args, &r)
		if status(err) < 0 {
			return c.unanswered(err)
		}
		alone := code
		code = worst(code, status(err))
		switch {
		case !c.json && !c.verbose:
			reports = append(reports[:len(reports)-len(c.args)], r)
		case alone == 0 && code != 0: // each can be had, and not all of them
			reports = append(reports, r)
		}
	}
	return printed(show(reports, c.json, c.verbose), code)
}

// status returns the exit status for a refusal, 0 for no error, -1 for any other error.
func status(err error) int {
	var refused *guard.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &refused):
		return refused.ExitCode()
	default:
		return -1
	}
}

// unanswered prints an error that is no refusal.
func (c *command) unanswered(err error) int {
	var file *fs.PathError
	if errors.As(err, &file) && errors.Is(err, fs.ErrNotExist) {
		for _, named := range []string{c.launch.Unit, c.launch.Binary} {
			if isFile(file.Path, named) {
				return failed(noInput, fmt.Errorf("%s: no such file", named))
			}
		}
	}
	if c.launch.Binary+c.launch.Unit != "" { // nothing would be started
		return failed(usageError, err)
	}
	return failed(unavailable, err)
}

// isFile reports whether a path, which may lack its first slash, is that of the named file.
func isFile(path, named string) bool {
	abs, err := filepath.Abs(named)
	return err == nil && named != "" && strings.TrimPrefix(path, "/") == strings.TrimPrefix(abs, "/")
}

// requireReport is the report of a requirement that holds, or does not.
func requireReport(into *guard.Report, need caps.Set, err error) error {
	*into = guard.Report{Subject: "require " + need.String(), OK: true}
	if refused := (*guard.Error)(nil); errors.As(err, &refused) {
		*into = refused.Report
	}
	return err
}

// worst returns the first of 64, 77, 69 and 0 that one of the two is.
func worst(a, b int) int {
	for _, code := range []int{64, 77, 69} {
		if a == code || b == code {
			return code
		}
	}
	return max(a, b)
}

// show prints the reports; as text, unless all is wanted, those of failures and
// surprises alone.
func show(reports []guard.Report, asJSON, verbose bool) error {
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if len(reports) == 1 {
			return enc.Encode(reports[0])
		}
		return enc.Encode(reports)
	}
	for i, r := range shown(reports, verbose) {
		if i > 0 {
			fmt.Println()
		}
		if err := r.Print(os.Stdout); err != nil {
			return err
		}
		if verbose && len(r.Gates) > 0 {
			if _, err := fmt.Print("\n" + table(r, term.Of(os.Stdout))); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown are the reports worth a line: all if that is asked for, otherwise those of
// failures and surprises.
func shown(reports []guard.Report, all bool) []guard.Report {
	return slices.DeleteFunc(slices.Clone(reports), func(r guard.Report) bool { return r.OK && len(r.Notes) == 0 && !all })
}
