//go:build linux

// Guest runs in a sandbox whose process 1 is systemd: guest SEED FROM TO. It prints one
// verdict a line, as JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/lab/units"
	"github.com/lowport/lowport/internal/lab/units/status"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

// together is how many services are started at a time.
const together = 40

func run(args []string) error {
	if len(args) == 3 && args[0] == "predict" {
		return foretell(args[1], args[2])
	}
	var n [3]uint64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseUint(args[i], 10, 64); err != nil {
			return err
		}
	}
	if err := prepare(); err != nil {
		return err
	}
	for from := n[1]; from < n[2]; from += together {
		var all []units.Draw
		for i := from; i < min(from+together, n[2]); i++ {
			all = append(all, units.New(n[0], int(i)))
		}
		if err := batch(n[0], all); err != nil {
			return err
		}
	}
	return nil
}

// outputs is the folder of what the services print.
const outputs = "/run/outputs"

func batch(seed uint64, all []units.Draw) error {
	for _, d := range all {
		os.Remove(output(d)) // "file:" does not empty it, and "truncate:" is of later versions
		for path, text := range d.Files {
			if path == d.File {
				// Kept active, since systemd forgets what came of a unit that has ended well.
				text = strings.Replace(text, "[Service]\n", "[Service]\nRemainAfterExit=yes\nStandardOutput=file:"+output(d)+"\n", 1)
			}
			if err := write(path, text, 0o644); err != nil {
				return err
			}
		}
	}
	reload()
	for _, d := range all {
		if d.Socket != "" {
			systemctl("start", "--", d.Socket)
		}
	}
	predicted, reports := make([]units.End, len(all)), make([]guard.Report, len(all))
	names := map[string][]string{}
	for i, d := range all {
		var err error
		if predicted[i], reports[i], err = predict(seed, d); err != nil {
			return err
		}
		names[d.Manager] = append(names[d.Manager], d.Name)
	}
	for manager, all := range names {
		ctl(manager, append([]string{"start", "--"}, all...)...)
	}
	verdicts := make([]units.Verdict, len(all))
	for i, d := range all {
		end, err := came(d)
		if err == nil && end.Why == neverTried { // systemctl of later versions starts none if one is bad
			ctl(d.Manager, "start", "--", d.Name)
			end, err = came(d)
		}
		if err != nil {
			return err
		}
		verdicts[i] = units.Judge(d, predicted[i], end)
	}
	for _, d := range all {
		if d.Socket != "" {
			names[""] = append(names[""], d.Socket)
		}
	}
	for manager, all := range names {
		ctl(manager, append([]string{"stop", "--"}, all...)...)
	}
	for i, v := range verdicts {
		var err error
		if v.Came.Kind == units.Refused || v.Came.Kind == units.NotStarted {
			v.Fixes, v.Unfixed, err = fixes(seed, v.Draw, reports[i])
		}
		if err = errors.Join(err, json.NewEncoder(os.Stdout).Encode(v)); err != nil {
			return err
		}
	}
	for _, d := range all {
		for path := range d.Files {
			os.Remove(path)
			os.Remove(filepath.Dir(path)) // if it was a drop-in's and is empty
		}
	}
	forget()
	return nil
}

func output(d units.Draw) string { return fmt.Sprintf("%s/%d.out", outputs, d.Number) }

// systemctl runs it. What it says of units that fail is of no interest.
func systemctl(args ...string) string { return ctl("", args...) }

// ctl asks the manager of a user, or the system's.
func ctl(manager string, args ...string) string {
	out, _ := as(manager, append(map[bool][]string{true: {"systemctl"}, false: {"systemctl", "--user"}}[manager == ""], args...)...).Output()
	return string(out)
}

// as is a command of a user, with the environment of a session; of root for "".
func as(user string, argv ...string) *exec.Cmd {
	if user != "" {
		argv = append([]string{"setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "env", "HOME=/home/" + user,
			fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", box.UserIDs[user])}, argv...)
	}
	return exec.Command(argv[0], argv[1:]...)
}

// reload has every manager read the units, and forget those that failed.
func reload() {
	for _, manager := range append([]string{""}, units.Managers...) {
		ctl(manager, "daemon-reload")
	}
}

func forget() {
	for _, manager := range append([]string{""}, units.Managers...) {
		ctl(manager, "reset-failed")
	}
}

// A foretold is what is predicted of a draw.
type foretold struct {
	End    units.End
	Report guard.Report
}

// predict asks for the prediction of a draw of a seed, as the user whose manager starts it.
func predict(seed uint64, d units.Draw) (units.End, guard.Report, error) {
	if d.Manager == "" {
		f := asked(d)
		return f.End, f.Report, nil
	}
	var f foretold
	out, err := as(d.Manager, "/lab/guest", "predict", fmt.Sprint(seed), fmt.Sprint(d.Number)).Output()
	if err == nil {
		err = json.Unmarshal(out, &f)
	}
	return f.End, f.Report, err
}

// foretell prints the prediction of a draw.
func foretell(seed, number string) error {
	s, errSeed := strconv.ParseUint(seed, 10, 64)
	n, errNumber := strconv.Atoi(number)
	if err := errors.Join(errSeed, errNumber); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(asked(units.New(s, n)))
}

func asked(d units.Draw) foretold {
	// An instance of a template has no file of its own.
	r, err := preflight.Bind(preflight.Launch{Unit: strings.Replace(d.File, filepath.Base(d.File), d.Name, 1)}, d.Address)
	return foretold{ended(d, r, err), r}
}

// ended is the end that a report tells of.
func ended(d units.Draw, r guard.Report, err error) units.End {
	var refused *guard.Error
	switch {
	case err == nil && r.Via == "inherited":
		return units.End{Kind: units.BySocket, Why: strings.Join(r.Notes, "; ")}
	case err == nil:
		return units.End{Kind: units.ByItself, Why: strings.Join(r.Notes, "; ")}
	case !errors.As(err, &refused):
		return units.End{Kind: units.NotStarted, Why: err.Error()}
	case r.Causes[0].ID == "unknown":
		return units.End{Kind: units.CouldNotSay, Why: r.Causes[0].Detail}
	case r.Causes[0].ID == "exec-refused":
		return units.End{Kind: units.NotStarted, Why: err.Error()}
	}
	return units.End{Kind: units.Refused, Cause: cause(d.Guarded, r.Causes[0].ID, err), Why: err.Error()}
}

// cause is the guard's word for it, or the errno where the program has no guard.
func cause(guarded bool, id string, err error) string {
	var errno syscall.Errno
	if !guarded && errors.As(err, &errno) {
		return unix.ErrnoName(errno)
	}
	return id
}

// neverTried is what systemd says of a unit that it loaded and did not start.
const neverTried = "loaded success code=0 status=0"

// came asks systemd how a start ended.
func came(d units.Draw) (units.End, error) {
	has := map[string]string{}
	for line := range strings.Lines(ctl(d.Manager, "show", "-p", "LoadState,Result,ExecMainCode,ExecMainStatus,ExecMainStartTimestampMonotonic", "--", d.Name)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		has[key] = value
	}
	exit, err := strconv.Atoi(has["ExecMainStatus"])
	if err != nil {
		return units.End{}, fmt.Errorf("%s: %q", d.Name, has)
	}
	said := fmt.Sprintf("%s %s code=%s status=%d", has["LoadState"], has["Result"], has["ExecMainCode"], exit)
	switch {
	case has["ExecMainStartTimestampMonotonic"] == "0":
		return units.End{Kind: units.NotStarted, Why: said}, nil
	case has["ExecMainCode"] != "1":
		return units.End{Kind: units.Refused, Cause: "killed", Why: said}, nil
	}
	switch exit {
	case status.Bound:
		return units.End{Kind: units.ByItself}, nil
	case status.Inherited:
		return units.End{Kind: units.BySocket}, nil
	}
	errno, ok := status.Errno(exit)
	if !ok {
		return units.End{Kind: units.NotStarted, Why: said}, nil
	}
	if !d.Guarded {
		return units.End{Kind: units.Refused, Cause: errno}, nil
	}
	var r guard.Report
	text, err := os.ReadFile(output(d))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || len(r.Causes) == 0 {
		return units.End{Kind: units.Refused, Cause: "?" + errno, Why: fmt.Sprintf("%v: %s", err, text)}, nil
	}
	return units.End{Kind: units.Refused, Cause: r.Causes[0].ID, Why: r.Causes[0].Summary}, nil
}
