package audit

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
)

// A seated process is at a terminal, or at none: proc_pid_stat(5).
type seated struct {
	parent  int
	session int    // 0: its leader is not in the reader's PID namespace
	tty     uint64 // the device of its controlling terminal, 0 for none
}

// parseSeated reads a /proc/PID/stat.
func parseSeated(stat []byte) (s seated, err error) {
	words := facts.StatWords(stat)
	if len(words) < 5 || !bytes.HasSuffix(stat, []byte{'\n'}) {
		return s, fmt.Errorf("stat: %.80q", stat)
	}
	var n [5]int
	for i := 1; i < len(n); i++ {
		if n[i], err = strconv.Atoi(words[i]); err != nil {
			return s, fmt.Errorf("stat: %w", err)
		}
	}
	tty := uint32(int32(n[4])) // new_encode_dev
	s = seated{parent: n[1], session: n[3]}
	if tty != 0 {
		s.tty = unix.Mkdev(tty>>8&0xfff, tty&0xff|tty>>12&0xfff00)
	}
	return s, nil
}

const (
	ptyMajor = 136 // the first of eight, of 256 each
	ptyEnd   = 144
)

func isPty(dev uint64) bool { return unix.Major(dev) >= ptyMajor && unix.Major(dev) < ptyEnd }

// ptyNumber is N of /dev/pts/N.
func ptyNumber(dev uint64) uint32 { return (unix.Major(dev)-ptyMajor)<<8 | unix.Minor(dev) }

// ptyDevice is the device of /dev/pts/N, as /proc/PID/stat and stat(2) have it.
func ptyDevice(n uint32) uint64 { return unix.Mkdev(ptyMajor+n>>8, n&0xff) }

func isVirtual(dev uint64) bool { return unix.Major(dev) == 4 && unix.Minor(dev) < 64 }

// terminalPath is the usual name of a device.
func terminalPath(dev uint64) string {
	switch major, minor := unix.Major(dev), unix.Minor(dev); {
	case isPty(dev):
		return fmt.Sprintf("/dev/pts/%d", ptyNumber(dev))
	case isVirtual(dev):
		return fmt.Sprintf("/dev/tty%d", minor)
	case major == 4:
		return fmt.Sprintf("/dev/ttyS%d", minor-64)
	default:
		return fmt.Sprintf("/dev/char/%d:%d", major, minor)
	}
}

// terminalMajors reads the majors of terminals in /proc/tty/drivers.
func terminalMajors(drivers []byte) (map[uint32]bool, error) {
	all := map[uint32]bool{}
	for line := range strings.Lines(string(drivers)) {
		words := strings.Fields(line)
		if len(words) < 4 {
			return nil, fmt.Errorf("drivers: %.80q", line)
		}
		major, err := strconv.ParseUint(words[len(words)-3], 10, 12)
		if err != nil {
			return nil, fmt.Errorf("drivers: %w", err)
		}
		all[uint32(major)] = true
	}
	if len(all) == 0 {
		return nil, errors.New("drivers: none")
	}
	return all, nil
}
