package audit

import (
	"net/netip"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// A Listen is a listening TCP socket or a bound UDP socket.
type Listen struct {
	Network string // "tcp" or "udp"
	Addr    netip.AddrPort
}

// A Process is all that was read of a process, and of the machine as far as it
// bears on it. Ids are as the reader's user namespace sees them.
type Process struct {
	PID  int
	Name facts.Fact[string] // of the main thread: up to 15 bytes, as it set them

	Threads    facts.Fact[map[int]Thread]  // by thread id
	Securebits facts.Fact[caps.Securebits] // known of the reader itself alone: /proc has them not
	UserNS     facts.Fact[UserNS]          // where its capabilities count
	UIDMap     facts.Fact[string]          // of that namespace
	GIDMap     facts.Fact[string]          // likewise
	Listens    facts.Fact[[]Listen]        // TCP sockets that listen, UDP sockets that are bound
	PortStart  facts.Fact[int]             // ports below it are privileged in its network namespace
	Doors      facts.Fact[[]Door]          // files that amount to root, as it sees them
	RootRuns   facts.Fact[bool]            // Doors has all that root's processes run
	Open       facts.Fact[[]Open]          // what it has open of them
	Terminals  facts.Fact[[]Terminal]      // those that it shares with processes of other users
	Typing     facts.Fact[Typing]          // who may type into a terminal on this machine
	Unit       facts.Fact[facts.Unit]      // the systemd service it belongs to
	Direct     bool                        // that starts it as the user it is; false where this is not seen

	Path       facts.Fact[string]  // of the program; "memfd:NAME" for one without a file
	Deleted    facts.Fact[bool]    // the running file has no name any more
	Exe        facts.Image         // the running file
	Interprets facts.Fact[bool]    // it runs other programs as it is told; Absent: it has no capabilities to give them
	Way        facts.Fact[[]Place] // from the root folder to the file at Path, as the process sees it
	Same       facts.Fact[bool]    // the file at Path is the running one; absent: none is there
	Here       bool                // the reader finds it at Path too: its commands may name the file

	AsRoot bool // the reader is root of the machine: commands need no sudo
}

// A Thread is what one thread is and holds.
type Thread struct {
	caps.State
	UIDs    IDs
	GIDs    IDs
	Groups  string // the supplementary ones, ascending, separated by spaces
	Seccomp caps.SeccompMode
}

// IDs are ids of one kind, user or group.
type IDs struct{ Real, Effective, Saved, FS uint32 }

// has reports whether any of them is id.
func (i IDs) has(id uint32) bool {
	return i.Real == id || i.Effective == id || i.Saved == id || i.FS == id
}

// A UserNS is the user namespace of a process.
type UserNS struct {
	Name  string // "user:[4026531837]"
	Below bool   // a descendant of the reader's: what is held there counts there alone
}

// A Place is a folder or a file on the way to a program.
type Place struct {
	Path     string
	Mode     uint32 // st_mode, type bits too
	UID, GID uint32
	ReadOnly bool // its mount is
	ACL      bool // it has an access control list, of which the mode of the group is the bound (acl(5))
}

// An Open is a descriptor that reaches further than the process may now: what was opened
// before it gave up privilege stays open. Without a Door it is an io_uring(7), of which
// the kernel does not say whose credentials it keeps.
type Open struct {
	FD   int
	Span string // the addresses of a shared mapping, which is left when the descriptor is closed
	Door *Door
}

// A Door is a file or a folder through which whoever may use it becomes root, or reads what
// only root should.
type Door struct {
	Path     string
	Mode     uint32
	UID, GID uint32
	ACL      bool   // as in a Place
	Need     uint32 // the permissions that open it: 2 to write, 4 to read, 3 to put a file into a folder
	Root     bool   // it leads to root at once
	Polkit   bool   // if the mode lets everybody in, its daemon asks polkit(8) who may
	Allows   string
	Unsure   string // why it is not known whether the process sees it; "" where it does
}
