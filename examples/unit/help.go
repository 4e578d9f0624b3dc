package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// tasks group the flags by what somebody wants to say.
var tasks = []struct{ about, flags string }{
	{"what is served", "exec drop-in name description type"},
	{"as whom, and where", "user group workdir env env-file"},
	{"how the port is bound", "socket listen listen-udp"},
	{"what the program may do besides", "write outbound jit"},
	{"when it is started", "after wants requires wanted-by restart restart-sec"},
	{"where the units go; without these they are printed", "dir install remove"},
}

// help prints the calls, and the flags by their tasks.
func help(w io.Writer, f *flag.FlagSet) error {
	var b strings.Builder
	b.WriteString(`usage:
  unit -exec COMMAND [FLAG…]     a hardened service that serves
  unit -drop-in UNIT [FLAG…]     harden a service that exists
  unit -remove UNIT              take away what -install wrote
`)
	for _, task := range tasks {
		fmt.Fprintf(&b, "\n%s:\n", task.about)
		for name := range strings.FieldsSeq(task.flags) {
			value, about := flag.UnquoteUsage(f.Lookup(name))
			fmt.Fprintf(&b, "  %-21s %s\n", strings.TrimSpace("-"+name+" "+value), about)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
