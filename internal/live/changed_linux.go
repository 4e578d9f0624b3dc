package live

import (
	"errors"
	"strconv"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// tick is 1/USER_HZ, in nanoseconds.
const tick = 10_000_000

// changedSince reports whether the inode of the file that a process runs may have changed after
// the process was forked. It may have unless its ctime is more than a tick before the start
// time, since either may be late by a tick. The record does not keep the times.
func (r reading) changedSince(process string) ([]byte, error) {
	line, err := r.file("/proc/" + process + "/stat")
	if err != nil {
		return nil, err
	}
	ticks, err := startTicks(line)
	if err != nil {
		return nil, err
	}
	return changedAfter(ticks, "/proc/"+process+"/exe")
}

// changedAfter reports the same of the file that path leads to, and a start time in ticks since
// the boot.
func changedAfter(ticks int64, path string) ([]byte, error) {
	var file unix.Stat_t
	var now, uptime unix.Timespec
	if err := errors.Join(unix.Stat(path, &file),
		unix.ClockGettime(unix.CLOCK_REALTIME, &now), unix.ClockGettime(unix.CLOCK_BOOTTIME, &uptime)); err != nil {
		return nil, err
	}
	forked := now.Nano() - (uptime.Nano() - ticks*tick)
	if file.Ctim.Nano() < forked-tick {
		return []byte("false\n"), nil
	}
	return []byte("true\n"), nil
}

// startTicks reads the start time from /proc/PID/stat, in ticks since the boot: field 22
// of proc_pid_stat(5).
func startTicks(line []byte) (int64, error) {
	const first, start = 3, 22
	words := facts.StatWords(line)
	if len(words) <= start-first {
		return 0, errors.New("stat: cut short")
	}
	return strconv.ParseInt(words[start-first], 10, 64)
}
