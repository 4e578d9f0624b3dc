//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// owned is what this process can hand on.
var owned = func() caps.Set {
	s, err := caps.Self()
	if err != nil {
		return 0
	}
	return s.Permitted
}()

const (
	secret  = "/mnt/secret"  // root alone reads and writes it
	grouped = "/mnt/grouped" // so does the group 42
	others  = "/mnt/others"  // of uid 1001
	ownFile = "/mnt/own"     // of the process
)

// settings name files of root's that lie elsewhere.
var settings = map[string]string{
	"/etc/ld.so.conf":          "include ld.so.conf.d/*.conf\n",
	"/etc/ld.so.conf.d/o.conf": "/opt/lib\n",
	"/etc/pam.d/login":         "auth required /opt/pam/pam_x.so\n",
}

// arena lays folders in memory over those of root.
func arena() error {
	if os.Getpid() == 1 || os.Geteuid() != 0 {
		return errors.New("it needs root, and another process as the first of its PID namespace")
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	// Programs that are started from now on are static: this one.
	for _, dir := range []string{"/etc", "/root", "/opt", "/usr/lib", "/usr/share", "/usr/local", "/var/spool"} {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if err := os.WriteFile("/mnt/attack", exe, 0o755); err != nil {
		return err
	}
	if err := reset(); err != nil {
		return err
	}
	if err := os.WriteFile("/mnt/running", exe, 0o755); err != nil {
		return err
	}
	return exec.Command("/mnt/running", "wait").Start() // a process of root
}

// reset gives every target and file back to root alone.
func reset() error {
	for _, name := range targets {
		var err error
		mode := os.FileMode(0o755)
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(name, 0o755)
		case name == "/mnt/running":
		default:
			mode = 0o600
			if err = os.MkdirAll(path.Dir(name), 0o755); err == nil {
				err = os.WriteFile(name, nil, 0o600)
			}
		}
		if err == nil && !(name == "/mnt/running" && !exists(name)) {
			err = errors.Join(os.Chown(name, 0, 0), os.Chmod(name, mode))
		}
		if err != nil {
			return err
		}
	}
	for name, text := range settings {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/etc/cron.d/job", []byte("* * * * * root /mnt/cronjob\n"), 0o600); err != nil {
		return err
	}
	os.Remove(ownFile)
	for name, of := range map[string]struct {
		mode     os.FileMode
		uid, gid int
	}{secret: {0o600, 0, 0}, grouped: {0o660, 0, 42}, others: {0o600, 1001, 1001}, ownFile: {0o755, 1000, 1000}} {
		err := os.WriteFile(name, []byte("x"), of.mode)
		if err = errors.Join(err, os.Chown(name, of.uid, of.gid), os.Chmod(name, of.mode)); err != nil {
			return err
		}
	}
	return os.Chmod("/mnt", 0o755)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// open opens the drawn door.
func (d Draw) open() error {
	if d.Door == "" {
		return nil
	}
	mode := os.FileMode(d.Mode & 0o777)
	if d.Mode&0o1000 != 0 {
		mode |= os.ModeSticky
	}
	return errors.Join(os.Chown(d.Door, int(d.Owner[0]), int(d.Owner[1])), os.Chmod(d.Door, mode))
}
