package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
)

func (std stdio) getcap(args []string) int {
	flags := flag.NewFlagSet("getcap", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	rootid := flags.Bool("n", false, "")
	recursive := flags.Bool("r", false, "")
	verbose := flags.Bool("v", false, "")
	if flags.Parse(args) != nil || flags.NArg() == 0 || *recursive && *verbose {
		return std.usage()
	}
	show := func(path string, f caps.File) {
		if *rootid && f.RootID != 0 {
			fmt.Fprintf(std.out, "%s %s [rootid=%d]\n", path, f, int32(f.RootID))
		} else {
			fmt.Fprintf(std.out, "%s %s\n", path, f)
		}
	}
	failed := func(path string, err error) {
		fmt.Fprintf(std.err, "Failed to get capabilities of file '%s' (%s)\n", path, strerror(err))
	}
	for _, path := range flags.Args() {
		info, err := os.Lstat(path)
		if err != nil {
			fmt.Fprintf(std.err, "%s (%s)\n", path, strerror(err))
			continue
		}
		if *recursive {
			if info.Mode()&os.ModeSymlink != 0 {
				continue
			}
			for found, err := range caps.Scan(path) {
				if err != nil {
					failed(found.Path, err)
				} else {
					show(found.Path, found.File)
				}
			}
			continue
		}
		if !info.Mode().IsRegular() {
			if *verbose {
				fmt.Fprintf(std.out, "%s (Not a regular file)\n", path)
			}
			continue
		}
		f, err := caps.ReadFile(path)
		switch {
		case err == nil:
			show(path, f)
		case !errors.Is(err, caps.ErrNoCaps):
			failed(path, err)
		case *verbose:
			fmt.Fprintln(std.out, path)
		}
	}
	return 0
}

// strerror returns what strerror(3) says of the system's error in err, which
// differs from Go by a capital, or else all of err.
func strerror(err error) string {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		s := errno.Error()
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return err.Error()
}
