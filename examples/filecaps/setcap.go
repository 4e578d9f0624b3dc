package main

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
)

// A setcap is one run of it; like the C program's, options hold for the
// arguments after them.
type setcap struct {
	stdio
	accept        caps.Danger
	quiet, verify bool
	rootid        uint32
}

func (std stdio) setcap(args []string) int {
	c := setcap{stdio: std}
	if len(args) == 0 {
		return std.usage()
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch arg {
		case "-q":
			c.quiet = true
			continue
		case "-v":
			c.verify = true
			continue
		case "-f":
			c.accept = ^caps.Danger(0)
			continue
		case "-h":
			fmt.Fprint(std.out, usage)
			return 0
		case "-n":
			if len(args) == 0 {
				return std.usage()
			}
			n, err := strconv.ParseUint(args[0], 10, 31)
			if err != nil || n == 0 {
				fmt.Fprintf(std.err, "bad ns rootid: want positive integer, got %q\n", args[0])
				return 1
			}
			c.rootid, args = uint32(n), args[1:]
			continue
		}
		want, remove := caps.State{}, arg == "-r"
		if arg == "-" {
			var err error
			if arg, err = c.ask(); err != nil {
				fmt.Fprintln(std.err, "setcap:", err)
				return 1
			}
		}
		if !remove {
			var err error
			if want, err = caps.ParseText(arg); err != nil {
				fmt.Fprintln(std.err, "setcap:", err)
				return 1
			}
		}
		if len(args) == 0 {
			return std.usage()
		}
		path := args[0]
		args = args[1:]
		var ok bool
		switch {
		case c.verify:
			ok = c.compare(path, want)
		case remove:
			ok = c.explain(path, caps.RemoveFile(path))
		default:
			ok = c.set(path, arg)
		}
		if !ok {
			return 1
		}
	}
	return 0
}

// ask reads a text from standard input, up to an empty line.
func (c *setcap) ask() (string, error) {
	if !c.quiet {
		fmt.Fprintln(c.err, "Please enter caps for file [empty line to end]:")
	}
	var text strings.Builder
	lines := bufio.NewScanner(c.in)
	for lines.Scan() && lines.Text() != "" {
		text.WriteString(lines.Text() + "\n")
	}
	if lines.Err() == nil && text.Len() == 0 {
		return "", errors.New("no capabilities on standard input")
	}
	return text.String(), lines.Err()
}

func (c *setcap) set(path, text string) bool {
	f, err := caps.ParseFile(text)
	if err != nil {
		fmt.Fprintln(c.err, "setcap:", err)
		return false
	}
	if f.RootID = c.rootid; f.RootID != 0 {
		f.Version = 3
	}
	return c.explain(path, caps.WriteFile(path, f, c.accept))
}

// explain prints why a file's capabilities could not be changed.
func (c *setcap) explain(path string, err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, caps.ErrNotRegular):
		fmt.Fprintf(c.err, "Invalid file '%s' for capability operation\n", path)
	case errors.Is(err, caps.ErrNoCaps):
		fmt.Fprintf(c.err, "File '%s' has no capablity to remove\n", path) // sic
	default:
		if danger := (*caps.DangerError)(nil); errors.As(err, &danger) {
			fmt.Fprintf(c.err, "setcap: %v (or -f to do it anyway)\n", danger)
		} else {
			fmt.Fprintf(c.err, "Failed to set capabilities on file '%s': %s\n", path, strerror(err))
		}
	}
	return false
}

// compare does setcap -v, where a file without capabilities is as one with
// empty ones.
func (c *setcap) compare(path string, want caps.State) bool {
	f, err := caps.ReadFile(path)
	if err != nil && !errors.Is(err, caps.ErrNoCaps) {
		fmt.Fprintf(c.err, "Failed to get capabilities of file '%s' (%s)\n", path, strerror(err))
		return false
	}
	got := f.State()
	if got == want && f.RootID == c.rootid {
		if !c.quiet {
			fmt.Fprintf(c.out, "%s: OK\n", path)
		}
		return true
	}
	if c.quiet {
		return false
	}
	if f.RootID != c.rootid {
		fmt.Fprintf(c.out, "nsowner[got=%d, want=%d],", int32(f.RootID), c.rootid)
	}
	differs := ""
	if got.Permitted != want.Permitted {
		differs += "p"
	}
	if got.Inheritable != want.Inheritable {
		differs += "i"
	}
	if got.Effective != want.Effective {
		differs += "e"
	}
	fmt.Fprintf(c.out, "%s differs in [%s]\n", path, differs)
	return false
}
