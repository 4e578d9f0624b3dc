package live

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// sharesFolders looks for another process that shares its root and working directory with
// this one, as clone(2) does with CLONE_FS. kcmp(2) answers for processes of this user
// alone, or for root.
func sharesFolders() ([]byte, error) {
	return sharesFoldersOf(os.Getpid())
}

// sharesFoldersOf looks for another process that shares them with one.
func sharesFoldersOf(process int) ([]byte, error) {
	here, err := self()
	if err == nil && here != os.Getpid() {
		err = errors.New("/proc numbers processes otherwise than kcmp")
	}
	if err != nil {
		return nil, err
	}
	if _, err := sameFolders(process, process); err != nil {
		return nil, err // a filter refuses the call, or the kernel does not have it
	}
	all, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, entry := range all {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == process {
			continue
		}
		if same, err := sameFolders(process, pid); err == nil && same {
			return []byte("true\n"), nil
		}
	}
	return []byte("false\n"), nil
}

// kcmpFS is KCMP_FS of <linux/kcmp.h>.
const kcmpFS = 3

func sameFolders(a, b int) (bool, error) {
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpFS, 0, 0, 0)
	if errno != 0 {
		return false, errno
	}
	return order == 0, nil
}
