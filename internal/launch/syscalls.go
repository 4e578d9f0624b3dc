package launch

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/kernel"
)

// needed are the system calls of a server of Go until it listens, and of the guard.
// Without one of them the program may end, or do something else.
var needed = strings.Fields("accept4 access arch_prctl bind brk capget clone clone3 close connect epoll_create1 epoll_ctl epoll_pwait eventfd2 execve exit_group fcntl fstat futex getdents64 getpid getppid getrandom getsockname getsockopt gettid getuid getxattr ioctl listen lseek madvise mmap mprotect munmap nanosleep newfstatat openat pipe2 prctl pread64 prlimit64 read readlink readlinkat recvfrom rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sendto set_robust_list set_tid_address setsockopt sigaltstack socket statfs tgkill uname write")

// neededByWrappers are what those in the table need besides, one or another.
var neededByWrappers = strings.Fields("chdir dup2 fork getgroups getresuid ioprio_set kill personality sched_setaffinity sched_setscheduler set_mempolicy setgid setgroups setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid timer_create timer_settime umask vfork wait4 capset")

// groups are the members of systemd 252's groups of system calls that matter here: those
// above, and capset, with which the guard raises. @system-service and @known have them all.
var groups = map[string]string{
	"@basic-io":    "close lseek pread64 read write dup2",
	"@default":     "arch_prctl brk execve exit_group futex getpid getppid getrandom gettid getuid mmap mprotect munmap nanosleep prlimit64 rseq rt_sigreturn sched_getaffinity sched_yield set_robust_list set_tid_address getgroups getresuid",
	"@file-system": "access close fcntl fstat getdents64 getxattr newfstatat openat readlink readlinkat statfs chdir",
	"@io-event":    "epoll_create1 epoll_ctl epoll_pwait eventfd2",
	"@ipc":         "pipe2",
	"@network-io":  "accept4 bind socketpair connect getsockname getsockopt listen recvfrom sendto setsockopt socket",
	"@privileged":  "capset setgroups setresuid setreuid setuid",
	"@process":     "capget clone clone3 prctl tgkill fork kill vfork wait4",
	"@resources":   "ioprio_set sched_setaffinity sched_setscheduler set_mempolicy setpriority setrlimit",
	"@setuid":      "setgid setgroups setregid setresgid setresuid setreuid setuid",
	"@signal":      "rt_sigaction rt_sigprocmask sigaltstack",
	"@timer":       "timer_create timer_settime",
}

// covers reports whether a word of SystemCallFilter= stands for a call.
func covers(word, call string) bool {
	return word == call || word == "@system-service" || word == "@known" || slices.Contains(strings.Fields(groups[word]), call)
}

// call reports whether SystemCallFilter= lets a system call through, and what it answers if
// not: the name of an errno, or "" where it ends the program. An allow list always has
// @default (config_parse_syscall_filter).
func (s settings) call(name string) (errno string, allowed bool) {
	values := s.all("Service", "SystemCallFilter")
	if len(values) == 0 {
		return "", true
	}
	allowed = strings.HasPrefix(values[0], "~") || covers("@default", name)
	errno = s.last("SystemCallErrorNumber")
	for _, v := range values {
		rest, deny := strings.CutPrefix(v, "~")
		for _, word := range split(rest) {
			word, answer, own := strings.Cut(word, ":")
			if !covers(word, name) {
				continue
			}
			if allowed = !deny; own {
				errno = answer
			}
		}
	}
	if errno == "kill" {
		errno = ""
	}
	return errno, allowed
}

// mayBind reports whether SystemCallFilter= allows the calls of a bind.
func (u *Unit) mayBind() bool {
	for _, call := range []string{"socket", "bind"} {
		if _, allowed := u.set.call(call); !allowed {
			return false
		}
	}
	return true
}

// ends reports whether the filter ends the program at a call of its bind.
func (u *Unit) ends(g kernel.Goal) bool {
	calls := []string{"socket", "bind", "listen"}
	if g.Protocol() == "udp" {
		calls = calls[:2]
	}
	for _, call := range calls {
		if errno, allowed := u.set.call(call); !allowed {
			return errno == ""
		}
	}
	return false
}

// lacksCall names a call that the program needs before or beside its bind, and is refused;
// "" for none.
func (u *Unit) lacksCall() string {
	for _, call := range needed {
		if _, allowed := u.set.call(call); !allowed && call != "socket" && call != "bind" && call != "listen" {
			return call
		}
	}
	return ""
}

// LacksFor names what a wrapper may need and a filter refuses, a call or a family of sockets;
// "" for nothing.
func (u *Unit) LacksFor(w Wrap) string {
	if w.asks {
		for _, call := range []string{"socket", "socketpair", "connect"} {
			if _, allowed := u.set.call(call); !allowed {
				return call
			}
		}
		for _, family := range []string{"AF_UNIX", "AF_NETLINK"} {
			if !u.set.family(family) {
				return family
			}
		}
	}
	for _, call := range neededByWrappers {
		if _, allowed := u.set.call(call); !allowed && (w.privileged() || !covers("@privileged", call) && !covers("@setuid", call)) {
			return call
		}
	}
	return ""
}

// privileged reports whether the wrapper changes what its process is or holds.
func (w Wrap) privileged() bool {
	return w.regrants() || w.Group != "" || w.SetsGroups || w.NoNewPrivs || w.Securebits != ""
}

// regrants reports whether the wrapper changes what its starter gave the program.
func (w Wrap) regrants() bool {
	return w.User != "" || len(w.Bounding)+len(w.Inheritable)+len(w.Ambient) > 0
}

// Ends names a call without which the program ends before its first line, and which is
// refused; "" for none. Its loader opens the libraries, and Go's runtime sets its signal
// handlers (runtime.sysSigaction) and, where it can, reads the size of huge pages.
func (u *Unit) Ends(dynamic, isGo bool) string {
	lacks := func(call string, ends bool) bool {
		errno, allowed := u.set.call(call)
		return !allowed && (ends || errno == "")
	}
	switch {
	case (dynamic || isGo) && lacks("openat", dynamic):
		return "openat"
	case isGo && lacks("rt_sigaction", true):
		return "rt_sigaction"
	}
	return ""
}

// Raises reports whether the unit's filter lets the guard raise a capability.
func (u *Unit) Raises() bool {
	_, allowed := u.set.call("capset")
	return allowed
}
