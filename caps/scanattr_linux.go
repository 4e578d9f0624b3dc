package caps

import (
	"bytes"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// xattrArgs is struct xattr_args of <linux/xattr.h>.
type xattrArgs struct {
	value uint64
	size  uint32
	flags uint32
}

// getxattr reads the attribute of an entry, whose name ends in 0, into r.attr.
func (r *reader) getxattr(dir int, name []byte) (int, unix.Errno) {
	if !r.at {
		return r.getxattrOld(dir, name)
	}
	args := xattrArgs{value: uint64(uintptr(unsafe.Pointer(&r.attr))), size: uint32(len(r.attr))}
	n, _, errno := unix.Syscall6(unix.SYS_GETXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(&attrName0[0])), uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args))
	runtime.KeepAlive(r)
	return int(n), errno
}

// getxattrOld goes by a descriptor of the file.
func (r *reader) getxattrOld(dir int, name []byte) (int, unix.Errno) {
	fd, err := unix.Openat(dir, unix.ByteSliceToString(name), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		var n int
		if n, err = unix.Getxattr("/proc/self/fd/"+strconv.Itoa(fd), attrName, r.attr[:]); err == nil {
			return n, 0
		}
		if err == unix.ENOENT { // the file is held open: it is /proc that is not there
			err = unix.ENOSYS
		}
	}
	errno, _ := err.(unix.Errno)
	return 0, errno
}

// haveGetxattrat reports whether the kernel, and seccomp, let getxattrat(2) be.
func haveGetxattrat(dir int) bool {
	r := reader{scanner: &scanner{at: true}}
	_, errno := r.getxattr(dir, []byte(".\x00"))
	return errno != unix.ENOSYS && errno != unix.EPERM
}

// lacks says of an entry, whose name ends in 0, that its list of attributes is
// without capabilities. To have the list, empty for most files, costs the kernel
// less than to look for one attribute.
func (r *reader) lacks(dir int, name []byte) bool {
	n, _, errno := unix.Syscall6(unix.SYS_LISTXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(&r.attr)), unsafe.Sizeof(r.attr), 0)
	return errno == 0 && !bytes.Contains(r.attr[:n], attrName0)
}
