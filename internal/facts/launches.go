package facts

import (
	"path"
	"slices"
	"strings"
)

// launchers are the programs that start another one and wait for it: what they run, their
// caller chose.
var launchers = strings.Fields("sudo doas su runuser setpriv env nice ionice taskset chrt timeout time nohup setsid stdbuf " +
	"strace ltrace gdb script scriptreplay unshare nsenter chroot ip firejail bwrap authbind capsh " +
	"tini tini-static docker-init dumb-init catatonit start-stop-daemon chpst gosu su-exec setuidgid s6-setuidgid softlimit envdir " +
	"go make npm npx xargs watch entr air")

// shells run a script, or what the option -c says, or ask somebody for commands.
var shells = strings.Fields("sh dash bash ash zsh ksh mksh fish busybox")

// A Role is what a process is to the one that it started.
type Role uint8

const (
	Another  Role = iota // a program that is not known: a manager, a server, an editor
	Launches             // it only starts another program, as it was told
	Asks                 // a shell that asks somebody for commands
)

// RoleOf tells the role of the process with these arguments.
func RoleOf(args []string) Role {
	if len(args) == 0 {
		return Another // of the kernel
	}
	name := strings.TrimPrefix(path.Base(args[0]), "-") // of a login shell
	switch {
	case slices.Contains(launchers, name):
		return Launches
	case !slices.Contains(shells, name):
		return Another
	case name == "busybox" && len(args) > 1:
		args = args[1:]
	}
	for _, a := range args[1:] {
		option := strings.HasPrefix(a, "-")
		if !option || !strings.HasPrefix(a, "--") && strings.Contains(a, "c") {
			return Launches // a script
		}
	}
	return Asks
}
