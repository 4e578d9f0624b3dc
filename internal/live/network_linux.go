package live

import (
	"fmt"
	"os"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// netApart reports whether a process is in another network namespace than process 1. To read
// the link in /proc/1/ns takes privilege. But each namespace has files of its own in
// /proc/PID/net (proc_net_ns_init), and anybody may stat them.
func netApart(process string) ([]byte, error) {
	same, err := sameNetwork(process, "1")
	if err != nil {
		return nil, err
	}
	return fmt.Appendln(nil, !same), nil
}

// sameNetwork reports whether two processes, by their names in /proc, are in one network
// namespace.
func sameNetwork(a, b string) (bool, error) {
	one, err := os.Stat("/proc/" + a + "/net/dev")
	if err != nil {
		return false, err
	}
	other, err := os.Stat("/proc/" + b + "/net/dev")
	return err == nil && os.SameFile(one, other), err
}

// netName finds the file on which the network namespace of a process is mounted: its name is
// that for ip-netns(8). ENODATA says that there is none.
func netName(process string) ([]byte, error) {
	all, err := os.ReadDir(facts.NamedNetworks)
	if err != nil {
		return nil, err
	}
	ours, err := os.Stat("/proc/" + process + "/ns/net")
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if it, err := os.Stat(facts.NamedNetworks + "/" + e.Name()); err == nil && os.SameFile(ours, it) {
			return []byte(facts.NamedNetworks + "/" + e.Name()), nil
		}
	}
	return nil, unix.ENODATA
}

// netOwner names the user namespace that owns our network namespace, in the
// form of /proc/PID/ns/user. It is EPERM where the owner is outside ours.
func netOwner() ([]byte, error) {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("no answer: open: %s", Reason(err))
	}
	defer unix.Close(fd)
	// A filter that refuses ioctl answers EPERM too, and to every question.
	if _, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil {
		return nil, fmt.Errorf("no answer: NS_GET_NSTYPE: %s", Reason(err))
	}
	owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	if err != nil {
		return nil, err
	}
	defer unix.Close(owner)
	return nameOf(owner)
}
