package privport

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

func start() (int, error) {
	fd, err := unix.Open(startFile, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", startFile, err)
	}
	defer unix.Close(fd)
	var line [32]byte
	n, err := unix.Read(fd, line[:])
	if err != nil {
		return 0, fmt.Errorf("%s: %w", startFile, err)
	}
	return parseStart(string(line[:n]))
}

// ownNetwork asks for the user namespace that owns the network namespace
// (ioctl_ns(2)). EPERM says that the owner is outside ours (ns_get_owner). A filter
// that refuses ioctl(2) would say so too, and of the namespace's type as well.
func ownNetwork() (bool, error) {
	const file = "/proc/thread-self/ns/net"
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	defer unix.Close(fd)
	if _, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil {
		return false, fmt.Errorf("ioctl NS_GET_NSTYPE: %w", err)
	}
	owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	switch {
	case errors.Is(err, unix.EPERM):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("ioctl NS_GET_USERNS: %w", err)
	}
	return true, unix.Close(owner)
}
