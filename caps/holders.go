package caps

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Holder is a process of which a thread has a capability that is permitted,
// inheritable or ambient.
type Holder struct {
	PID     int
	Name    string        // of the main thread, as /proc/PID/status has it: up to 15 bytes, escaped
	UIDs    UIDs          // of the main thread
	Threads map[int]State // by thread id
	Listens []Listen      // on which ports, in ascending order; see Holders
}

// A Listen is a listening TCP socket or a bound UDP socket.
type Listen struct {
	Network string // "tcp" or "udp"
	Addr    netip.AddrPort
}

// Holders looks at every process in /proc for capabilities and, for those that
// have some, at the sockets they hold on ports below the given one, in each
// process's own network namespace. Pass the first unprivileged port, or 0 to
// look at no sockets.
//
// An error with a Holder says what of it could not be read: another user's
// sockets need CAP_SYS_PTRACE. An error with a PID alone says that this process
// could not be read; one with a zero PID ends the iteration. Processes that end
// meanwhile are left out.
func Holders(below uint16) iter.Seq2[Holder, error] {
	return holders(below)
}

// ReadHolders does what [Holders] does below fsys, which is /proc or a stand-in
// for it with an [fs.ReadLinkFS], of a kernel with this machine's byte order.
func ReadHolders(fsys fs.FS, below uint16) iter.Seq2[Holder, error] {
	return func(yield func(Holder, error) bool) {
		entries, err := fs.ReadDir(fsys, ".")
		if err != nil {
			yield(Holder{}, err)
			return
		}
		nets := map[string]map[uint64]Listen{} // by network namespace and inode
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil || pid <= 0 {
				continue
			}
			h, err := readHolder(fsys, pid)
			if gone(err) || err == nil && !h.holds() {
				continue
			}
			if err == nil && below > 0 {
				h.Listens, err = readListens(fsys, pid, below, nets)
				if gone(err) {
					continue
				}
			}
			if !yield(h, err) {
				return
			}
		}
	}
}

func (h Holder) holds() bool {
	for _, s := range h.Threads {
		if s.Permitted|s.Inheritable|s.Ambient != 0 {
			return true
		}
	}
	return false
}

func readHolder(fsys fs.FS, pid int) (Holder, error) {
	h := Holder{PID: pid}
	name := strconv.Itoa(pid) + "/status"
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return h, err
	}
	if ended(b) {
		return h, fs.ErrNotExist
	}
	h.Name = line(b, "Name:\t")
	if _, err := fmt.Sscanf(line(b, "Uid:\t"), "%d %d %d", &h.UIDs.Real, &h.UIDs.Effective, &h.UIDs.Saved); err != nil {
		return h, fmt.Errorf("%s: Uid: %w", name, err)
	}
	h.Threads, err = ReadThreads(fsys, pid)
	return h, err
}

// line returns what follows prefix at the start of a line of a status.
func line(status []byte, prefix string) string {
	for l := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(l, []byte(prefix)); ok {
			return string(bytes.TrimSuffix(rest, []byte{'\n'}))
		}
	}
	return ""
}

// readListens finds a process's sockets among those of its network namespace.
func readListens(fsys fs.FS, pid int, below uint16, nets map[string]map[uint64]Listen) ([]Listen, error) {
	dir := strconv.Itoa(pid)
	fds, err := fs.ReadDir(fsys, dir+"/fd")
	if err != nil {
		return nil, err
	}
	var inodes []uint64
	for _, fd := range fds {
		to, err := fs.ReadLink(fsys, dir+"/fd/"+fd.Name())
		if gone(err) {
			continue // closed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(to, "socket:["); ok {
			inode, err := strconv.ParseUint(strings.TrimSuffix(rest, "]"), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s/fd/%s: %q is not a socket", dir, fd.Name(), to)
			}
			inodes = append(inodes, inode)
		}
	}
	if len(inodes) == 0 {
		return nil, nil
	}
	ns, err := fs.ReadLink(fsys, dir+"/ns/net")
	if err != nil {
		return nil, err
	}
	sockets, ok := nets[ns]
	if !ok {
		if sockets, err = readSockets(fsys, dir+"/net/"); err != nil {
			return nil, err
		}
		nets[ns] = sockets
	}
	var list []Listen
	for _, inode := range inodes {
		if l, ok := sockets[inode]; ok && l.Addr.Port() < below && !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b Listen) int {
		return int(a.Addr.Port()) - int(b.Addr.Port())
	})
	return list, nil
}

// readSockets reads the listening sockets of a network namespace, by inode.
func readSockets(fsys fs.FS, dir string) (map[uint64]Listen, error) {
	all := map[uint64]Listen{}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		b, err := fs.ReadFile(fsys, dir+table)
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(table, "6") {
			continue // no IPv6
		}
		if err != nil {
			return nil, err
		}
		found, err := ParseListens(b, table)
		if err != nil {
			return nil, fmt.Errorf("%s%w", dir, err)
		}
		maps.Copy(all, found)
	}
	return all, nil
}

// ParseListens reads a table of /proc/PID/net, "tcp", "tcp6", "udp" or "udp6"
// (proc_pid_net(5)), of a kernel with this machine's byte order: the TCP sockets
// that listen and the UDP sockets that are bound and not connected, by inode. A
// line that is cut short is an error.
func ParseListens(text []byte, table string) (map[uint64]Listen, error) {
	network := strings.TrimSuffix(table, "6")
	state := map[string]string{"tcp": "0A", "udp": "07"}[network] // TCP_LISTEN; TCP_CLOSE: not connected
	if state == "" {
		return nil, fmt.Errorf("%q is no table of sockets", table)
	}
	all := map[uint64]Listen{}
	_, rest, _ := bytes.Cut(text, []byte{'\n'}) // the header
	for l := range bytes.Lines(rest) {
		// sl local_address rem_address st queues timer retrnsmt uid timeout inode …
		f := bytes.Fields(l)
		if len(f) < 10 {
			return nil, fmt.Errorf("%s: %.60q is cut short", table, l)
		}
		if string(f[3]) != state {
			continue
		}
		addr, ok := parseAddr(string(f[1]))
		inode, err := strconv.ParseUint(string(f[9]), 10, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: %.60q is no socket", table, l)
		}
		all[inode] = Listen{network, addr}
	}
	return all, nil
}
