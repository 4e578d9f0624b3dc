package machine

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// netName finds where a command for our network namespace is to be run: a shell of
// the machine has that of process 1, and ip-netns(8) enters those that are mounted in
// a folder. Of other users' processes /proc/PID/ns is closed but not /proc/PID/net,
// where each namespace has files with inodes of their own (proc_get_inode).
func netName() ([]byte, error) {
	own, err := inode("/proc/self/net/dev")
	if err != nil {
		return nil, fmt.Errorf("process %d: %s", os.Getpid(), Reason(err))
	}
	first, err := inode("/proc/1/net/dev")
	if err != nil {
		return nil, fmt.Errorf("process 1: %s", Reason(err))
	}
	if own == first {
		return []byte(netOfFirst), nil
	}
	ns, err := inode("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("process %d: %s", os.Getpid(), Reason(err))
	}
	entries, err := os.ReadDir(netFolder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if named, err := inode(netFolder + e.Name()); err == nil && named == ns && netNameFits(e.Name()) {
			return []byte(netFolder + e.Name() + "\n"), nil
		}
	}
	return nil, unix.ENOENT
}

// inode is the device and the inode of what the path leads to.
func inode(path string) ([2]uint64, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return [2]uint64{uint64(st.Dev), st.Ino}, err
}
