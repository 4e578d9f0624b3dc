package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versioned prints which doctor this is: the module's version, or the commit it was built at.
func (c *command) versioned() int {
	_, err := fmt.Printf("doctor of github.com/lowport/lowport %s, %s %s/%s\n",
		version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return printed(err, 0)
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of an unknown version"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = " " + s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	return "(devel)" + commit + changed
}
