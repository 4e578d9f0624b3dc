//go:build linux

// Idmap maps the ids 0 to 65535 to those from 100000 on: idmap mount FOLDER does so with what is
// mounted at the folder, and idmap run COMMAND ARG... with a user namespace for the command. It
// has to be started by root.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) < 3 || os.Args[1] != "mount" && os.Args[1] != "run" {
		fmt.Fprintln(os.Stderr, "usage: idmap mount FOLDER | idmap run COMMAND [ARG...]")
		os.Exit(64)
	}
	var err error
	if os.Args[1] == "mount" {
		err = mount(os.Args[2])
	} else {
		err = run(os.Args[2:])
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "idmap:", err)
		os.Exit(1)
	}
}

// in makes a command that runs in a user namespace of its own.
func in(argv []string) *exec.Cmd {
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true,
	}
	return cmd
}

func run(argv []string) error {
	cmd := in(argv)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr.Credential = &syscall.Credential{}
	return cmd.Run()
}

// mount puts a copy of the mount with mapped ids in its place.
func mount(dir string) error {
	waits := in([]string{"sleep", "1000"})
	if err := waits.Start(); err != nil {
		return err
	}
	defer func() {
		_ = waits.Process.Kill() // it waits for nothing else
		_ = waits.Wait()
	}()
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", waits.Process.Pid))
	if err != nil {
		return err
	}
	defer ns.Close()
	tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open_tree: %w", err)
	}
	defer unix.Close(tree)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return fmt.Errorf("mount_setattr: %w", err)
	}
	return unix.MoveMount(tree, "", unix.AT_FDCWD, dir, unix.MOVE_MOUNT_F_EMPTY_PATH)
}
