//go:build linux

// Denybind makes every bind of an Internet socket fail in a cgroup, with EPERM,
// as a policy in BPF would: denybind FOLDER [create|after]. It lasts as long as the
// cgroup. With "create" the socket is refused itself, and with "after" the bind once
// the port was found free.
package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// progLoad is the head of union bpf_attr for BPF_PROG_LOAD.
type progLoad struct {
	progType, insnCnt          uint32
	insns, license             uint64
	logLevel, logSize          uint32
	logBuf                     uint64
	kernVersion, progFlags     uint32
	name                       [16]byte
	ifindex, expectedAttachTyp uint32
}

// progAttach is the head of union bpf_attr for BPF_PROG_ATTACH.
type progAttach struct{ targetFD, progFD, attachType, flags uint32 }

func main() {
	how := ""
	if len(os.Args) == 3 {
		how = os.Args[2]
	}
	prog, kinds := uint32(unix.BPF_PROG_TYPE_CGROUP_SOCK), []uint32(nil)
	switch how {
	case "":
		prog, kinds = unix.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, []uint32{unix.BPF_CGROUP_INET4_BIND, unix.BPF_CGROUP_INET6_BIND}
	case "create":
		kinds = []uint32{unix.BPF_CGROUP_INET_SOCK_CREATE}
	case "after":
		kinds = []uint32{unix.BPF_CGROUP_INET4_POST_BIND, unix.BPF_CGROUP_INET6_POST_BIND}
	}
	if len(os.Args) < 2 || len(os.Args) > 3 || kinds == nil {
		fmt.Fprintln(os.Stderr, "usage: denybind FOLDER [create|after]")
		os.Exit(64)
	}
	for _, kind := range kinds {
		if err := deny(os.Args[1], prog, kind); err != nil {
			fmt.Fprintln(os.Stderr, "denybind:", err)
			os.Exit(1)
		}
	}
}

func deny(cgroup string, progType, kind uint32) error {
	// r0 = 0; exit: the answer 0 refuses, and the kernel makes it EPERM.
	insns := [2]uint64{
		unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K,
		unix.BPF_JMP | unix.BPF_EXIT,
	}
	license := [...]byte{'M', 'I', 'T', 0}
	var pin runtime.Pinner // their addresses are handed over as numbers
	defer pin.Unpin()
	pin.Pin(&insns)
	pin.Pin(&license)
	prog, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&progLoad{
		progType: progType, insnCnt: uint32(len(insns)),
		insns:             uint64(uintptr(unsafe.Pointer(&insns))),
		license:           uint64(uintptr(unsafe.Pointer(&license))),
		expectedAttachTyp: kind,
	}), unsafe.Sizeof(progLoad{}))
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	dir, err := os.Open(cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	_, err = bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&progAttach{
		targetFD: uint32(dir.Fd()), progFD: uint32(prog), attachType: kind,
	}), unsafe.Sizeof(progAttach{}))
	if err != nil {
		return fmt.Errorf("attach to %s: %w", cgroup, err)
	}
	return nil
}

func bpf(cmd uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(attr), size)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
