//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/lab/units"
)

// fixes applies each fix of a refused draw, word for word, and says what is wrong of those
// after which the next prediction or the next start does not succeed. tried is how many
// there were but for those that leave something to the operator.
func fixes(seed uint64, d units.Draw, r report.Report) (tried int, wrong []string, err error) {
	for _, fix := range r.Fixes {
		if slices.ContainsFunc(fix.Steps, func(s report.Step) bool { return s.Edit != "" || s.Start != "" }) {
			continue
		}
		tried++
		why, err := applied(seed, d, fix)
		if err != nil {
			return tried, wrong, err
		}
		if why != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s\n%s", fix.ID, why, commands(fix)))
		}
	}
	return tried, wrong, nil
}

func applied(seed uint64, d units.Draw, fix report.Fix) (why string, err error) {
	before, err := snapshot()
	if err != nil {
		return "", err
	}
	if d.Socket != "" {
		systemctl("start", "--", d.Socket)
	}
	defer func() { err = errors.Join(err, before.restore(d, fix)) }()
	for i, step := range fix.Steps {
		if step.Write != "" {
			if err := write(step.Write, step.Content, 0o644); err != nil {
				return "", err
			}
			continue
		}
		cmd := as(d.Manager, "sh", "-e", "-c", step.Run)
		if out, err := cmd.CombinedOutput(); err != nil && i < len(fix.Steps)-1 { // the last is the start itself
			return fmt.Sprintf("%s: %v: %s", step.Run, err, out), nil
		}
	}
	end, _, err := predict(seed, d)
	if err != nil || !end.Binds() {
		return fmt.Sprintf("the next prediction is %s", end), err
	}
	ctl(d.Manager, "restart", "--", d.Name)
	end, err = came(d)
	if err == nil && !end.Binds() {
		why = fmt.Sprintf("the next start is %s", end)
	}
	return why, err
}

func commands(fix report.Fix) string {
	var b strings.Builder
	for _, step := range fix.Steps {
		if step.Write != "" {
			fmt.Fprintf(&b, "\t%s: %q\n", step.Write, step.Content)
			continue
		}
		fmt.Fprintf(&b, "\t%s\n", step.Run)
	}
	return b.String()
}

// A state is what fixes change beside the files that they write.
type state struct {
	sysctls map[string]string
	files   map[string]string // file capabilities, by path
}

// sysctls are those of the network namespace that a fix may set.
var sysctls = []string{"/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/ipv4/ip_nonlocal_bind", "/proc/sys/net/ipv6/ip_nonlocal_bind"}

const nosuid = "/srv/nosuid"

func snapshot() (state, error) {
	s := state{map[string]string{}, map[string]string{}}
	for _, name := range sysctls {
		b, err := os.ReadFile(name)
		if err != nil {
			return s, err
		}
		s.sysctls[name] = string(b)
	}
	for _, dir := range folders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return s, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			b := make([]byte, 64)
			n, err := unix.Lgetxattr(path, "security.capability", b)
			if err != nil && !errors.Is(err, unix.ENODATA) {
				return s, fmt.Errorf("%s: %w", path, err)
			}
			s.files[path] = string(b[:max(n, 0)])
		}
	}
	return s, nil
}

// restore takes back what a fix did.
func (s state) restore(d units.Draw, fix report.Fix) error {
	ctl(d.Manager, "stop", "--", d.Name)
	for path := range d.Files {
		if strings.HasSuffix(path, ".socket") { // the fix may have started it
			systemctl("stop", "--", filepath.Base(path))
		}
	}
	var all []error
	for _, step := range fix.Steps {
		if step.Write == "" {
			continue
		}
		if strings.HasSuffix(step.Write, ".socket") {
			systemctl("disable", "--now", "--", filepath.Base(step.Write))
		}
		if err := os.Remove(step.Write); !errors.Is(err, os.ErrNotExist) { // a step before it may have failed
			all = append(all, err)
		}
		os.Remove(filepath.Dir(step.Write)) // if it is empty
	}
	reload()
	forget()
	for name, value := range s.sysctls {
		all = append(all, os.WriteFile(name, []byte(value), 0))
	}
	is, err := snapshot()
	for path, value := range s.files {
		switch {
		case is.files[path] == value:
		case value == "":
			all = append(all, unix.Removexattr(path, "security.capability"))
		default:
			all = append(all, unix.Setxattr(path, "security.capability", []byte(value), 0))
		}
	}
	return errors.Join(append(all, err, unix.Mount("", nosuid, "", unix.MS_REMOUNT|unix.MS_NOSUID, ""))...)
}
