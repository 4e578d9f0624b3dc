package live

import "github.com/lowport/lowport/internal/facts"

// Ended is why an item of a process that has ended cannot be read.
const Ended = "the process has ended"

// A Heard is what the kernel told of a process at a moment.
type Heard struct {
	PID, Parent int    // as this process sees them; 0 for one that it does not see
	Started     int64  // in ticks since the boot, as in proc_pid_stat(5)
	Auxv        []byte // how its auxiliary vector begins: no two programs that are executed have the same

	Dev, Ino        uint64 // of the file that it runs, as stat(2) returns them
	Net, Mnt, Users uint64 // the inodes of its namespaces

	Known     facts.Record // the items that are known by that
	Otherwise facts.Record // items that hold if the process no longer shows them
}
