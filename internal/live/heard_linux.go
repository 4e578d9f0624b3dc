package live

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// Refused reads the evidence about a process at a moment that the kernel told of. What it
// told is not read again. The rest is read as for [Process] as long as the process is there
// and runs the same program. After that its files and its network are read through what was
// opened before, or through another process that has them, and what nobody shows is unreadable.
func Refused(h Heard, ports ...int) facts.Record {
	open := h.hold()
	defer open.close()
	known := maps.Clone(h.Known)
	p := newSubject(h.PID, h.Known)
	p.asItself = true
	for _, part := range p.parts(ports) {
		if part(); !h.Runs() { // perhaps it read another process, or none
			p = h.absent(known, open)
			p.read(ports)
			return p.Record
		}
		maps.Copy(known, p.Record)
	}
	return p.Record
}

// Held is what stays when a process ends.
type held struct {
	exe, root, net *os.File // nil: it had ended
	mountinfo      []byte
}

// hold opens what leads to the file, the files and the network of the process, in little time.
func (h Heard) hold() (open held) {
	path := func(name string) string { return "/proc/" + strconv.Itoa(h.PID) + "/" + name }
	all := []struct {
		to   **os.File
		name string
		flag int
	}{{&open.exe, "exe", unix.O_PATH}, {&open.root, "root", unix.O_PATH | unix.O_DIRECTORY}, {&open.net, "ns/net", unix.O_RDONLY}}
	for _, f := range all {
		fd, err := unix.Open(path(f.name), f.flag|unix.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		*f.to = os.NewFile(uintptr(fd), path(f.name))
	}
	open.mountinfo, _ = readPath(path("mountinfo"))
	if open.net == nil || len(open.mountinfo) == 0 || !h.Runs() { // perhaps these are of another process
		open.close()
		return held{}
	}
	return open
}

func (o held) close() {
	for _, f := range []*os.File{o.exe, o.root, o.net} {
		if f != nil {
			f.Close()
		}
	}
}

// link returns the path that leads to an open file.
func link(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }

// Runs reports whether the process still runs the program that it ran.
func (h Heard) Runs() bool {
	name := strconv.Itoa(h.PID)
	line, err := readPath("/proc/" + name + "/stat")
	if h.PID <= 0 || err != nil {
		return false
	}
	ticks, err := startTicks(line)
	auxv, errAuxv := readPath("/proc/" + name + "/auxv")
	return errors.Join(err, errAuxv) == nil && ticks == h.Started && bytes.HasPrefix(auxv, h.Auxv)
}

// absent returns the subject for a process that cannot be read any more: what is left of it.
func (h Heard) absent(known facts.Record, open held) subject {
	all := facts.Record{}
	maps.Copy(all, h.Otherwise)
	maps.Copy(all, known)
	p := newSubject(h.PID, all)
	p.asItself, p.started = true, h.Started
	p.gone, p.pid, p.name, p.exe, p.network, p.top = true, -1, "0", "", "", ""
	p.beside = h.sharer(func(n namespaces) bool { return n == namespaces{h.Net, h.Mnt, h.Users} })
	if open.net != nil {
		p.exe, p.top, p.inside = link(open.exe), link(open.root), open.net
		p.mountinfo = func() ([]byte, error) { return open.mountinfo, nil }
		p.mounted = func() ([]byte, error) { return fmt.Appendf(nil, "mnt:[%d]", h.Mnt), nil }
		return p
	}
	p.network = h.sharer(func(n namespaces) bool { return n.net == h.Net })
	if files := h.sharer(func(n namespaces) bool { return n.mnt == h.Mnt }); files != "" {
		p.seenBy(files)
		h.findFile(&p)
	}
	return p
}

// findFile finds the file that the process ran by its path. If another file is there by now,
// or none, the path says nothing: it may have been removed before the bind.
func (h Heard) findFile(p *subject) {
	const name = "proc/self/exe"
	path, err := facts.ParsePath(p.known[name].Data)
	if err != nil {
		return
	}
	var st, dir unix.Stat_t // on an overlay, a folder alone has the device of the kernel
	err = errors.Join(unix.Stat(p.root(path), &st), unix.Stat(p.root(filepath.Dir(path)), &dir))
	if err == nil && (st.Dev == h.Dev || dir.Dev == h.Dev) && st.Ino == h.Ino {
		p.exe = p.root(path)
		return
	}
	delete(p.known, name)
}

// namespaces are the inodes of those of a process.
type namespaces struct{ net, mnt, users uint64 }

// sharer returns the name of a process whose namespaces fit, "" for none: the parent, or any
// other.
func (h Heard) sharer(fits func(namespaces) bool) string {
	is := func(name string) bool {
		n, err := namespacesOf(name)
		return err == nil && fits(n)
	}
	if parent := strconv.Itoa(h.Parent); is(parent) {
		return parent
	}
	dir, err := os.Open("/proc")
	if err != nil {
		return ""
	}
	defer dir.Close()
	all, _ := dir.Readdirnames(-1) // those that were listed are tried
	for _, name := range all {
		if name[0] >= '1' && name[0] <= '9' && is(name) {
			return name
		}
	}
	return ""
}

func namespacesOf(process string) (n namespaces, err error) {
	for kind, ino := range map[string]*uint64{"net": &n.net, "mnt": &n.mnt, "user": &n.users} {
		var st unix.Stat_t
		if err := unix.Stat("/proc/"+process+"/ns/"+kind, &st); err != nil {
			return n, err
		}
		*ino = st.Ino
	}
	return n, nil
}
