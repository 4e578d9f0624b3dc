//go:build linux

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/lab/units"
)

// folders are those that have the programs.
var folders = []string{"/srv", "/opt", "/usr/local/bin", "/home/app", "/tmp", nosuid, "/srv/closed"}

// prepare makes the programs that the draws name.
func prepare() error {
	for _, dir := range []string{nosuid, "/srv/closed", outputs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("tmpfs", nosuid, "tmpfs", unix.MS_NOSUID, "mode=755"); err != nil {
		return err
	}
	for _, kind := range []string{"guarded", "plain"} {
		for _, dir := range folders {
			if err := copies(kind, dir); err != nil {
				return err
			}
		}
	}
	if err := os.Chmod("/srv/closed", 0o700); err != nil {
		return err
	}
	for path, text := range map[string]string{
		"/srv/text":            "just text\n",
		"/srv/arm64":           string(image(elf.EM_AARCH64, "")),
		"/srv/noloader":        string(image(elf.EM_X86_64, "/lib/ld-none.so")),
		"/srv/script-guarded":  "#!/bin/sh -e\n# starts it\nexec /srv/guarded-p \"$@\"\n",
		"/srv/script-plain":    "#!/bin/sh\nexport A=1\nexec nice /srv/plain-ep \"$@\"\n",
		"/srv/script2-guarded": "#!/bin/sh\nif true; then exec /srv/guarded-p \"$@\"; fi\n",
		"/srv/script2-plain":   "#!/nonexistent/sh\nexec /srv/plain\n",
		"/srv/mystery":         "#!/usr/bin/env bash\nexec -a other \"$@\"\n",
	} {
		if err := write(path, text, 0o755); err != nil {
			return err
		}
	}
	if err := write("/srv/env", "B=2\n", 0o644); err != nil {
		return err
	}
	return managers()
}

// ownManager is the unit of a user's own manager, as one of logind's that needs no session.
const ownManager = `[Service]
User=%i
Type=notify
Delegate=yes
RuntimeDirectory=user/%i
RuntimeDirectoryMode=0700
Environment=XDG_RUNTIME_DIR=/run/user/%i
ExecStart=/lib/systemd/systemd --user --unit=basic.target
`

// managers starts those of users. Each user may become root by sudo.
func managers() error {
	sudoers, err := os.ReadFile("/etc/sudoers")
	if err == nil {
		err = write("/etc/sudoers", string(sudoers)+"app ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
	}
	given := fmt.Sprintf("/etc/systemd/system/user@%d.service.d/given.conf", box.UserIDs["operator"])
	err = errors.Join(err, os.Chmod(outputs, 0o1777),
		write("/etc/systemd/system/user@.service", ownManager, 0o644),
		write(given, "[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n", 0o644))
	systemctl("daemon-reload")
	for _, user := range units.Managers {
		unit := fmt.Sprintf("user@%d.service", box.UserIDs[user])
		if out, errStart := exec.Command("systemctl", "start", unit).CombinedOutput(); errStart != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w: %s", unit, errStart, out))
		}
	}
	return err
}

func write(path, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// copies makes the copies of a program in a folder, each with its own mark.
func copies(kind, dir string) error {
	content, err := os.ReadFile("/lab/" + kind)
	if err != nil {
		return err
	}
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	for mark, file := range map[string]caps.File{
		"": {}, "-closed": {}, "-u": {}, "-setuid": {},
		"-p":    {Permitted: bind},
		"-ep":   {Permitted: bind, Effective: true},
		"-ei":   {Inheritable: bind, Effective: true},
		"-eip":  {Permitted: bind, Inheritable: bind, Effective: true},
		"-eall": {Permitted: caps.SetOf(caps.NET_BIND_SERVICE, caps.CHOWN), Effective: true},
	} {
		path := filepath.Join(dir, kind+mark)
		if err := write(path, string(content), 0o755); err != nil {
			return err
		}
		switch mark {
		case "-closed":
			err = os.Chmod(path, 0o700)
		case "-u":
			err = os.Chown(path, 1000, 1000)
		case "-setuid":
			err = os.Chmod(path, 0o755|os.ModeSetuid)
		}
		if err == nil {
			err = os.Symlink(kind+mark, filepath.Join(dir, "link-"+kind+mark))
		}
		if err == nil && file != (caps.File{}) {
			var b []byte
			if b, err = file.MarshalBinary(); err == nil {
				err = unix.Setxattr(path, "security.capability", b, 0)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// image is the head of an ELF program for a machine, with a loader.
func image(machine elf.Machine, loader string) []byte {
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Phoff: 64, Phentsize: 56, Phnum: 1, Ehsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	p := elf.Prog64{Type: uint32(elf.PT_LOAD)}
	if loader != "" {
		p = elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 64 + 56, Filesz: uint64(len(loader)) + 1}
	}
	_ = binary.Write(&b, binary.LittleEndian, h)
	_ = binary.Write(&b, binary.LittleEndian, p)
	b.WriteString(loader + "\x00")
	return b.Bytes()
}
