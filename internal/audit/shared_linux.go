package audit

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"
)

// A region is a shared mapping of a file, which may be there when its descriptor is closed.
type region struct {
	mapping
	writable bool // now, without mprotect(2)
}

// shared finds among the mappings of a process those by which it may write a door, or read a
// disk or memory.
func (f files) shared(doors special) (all []Open, err error) {
	maps, err := f.read("maps")
	if err != nil {
		return nil, err
	}
	for _, m := range regions(maps) {
		st, err := f.mappedFile(m.mapping)
		if gone(err) {
			continue // it was unmapped meanwhile, or no name leads there
		}
		if err != nil {
			return nil, err
		}
		door := doors.of(st, 2, m.name)
		if read := doors.of(st, 4, m.name); read != nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
			all = append(all, Open{Span: m.span, Door: read})
			continue
		}
		if door == nil {
			continue
		}
		if !m.writable {
			flags, err := f.read("smaps")
			if err != nil {
				return nil, err
			}
			if !mayWrite(flags, m.span) {
				continue
			}
		}
		all = append(all, Open{Span: m.span, Door: door})
	}
	return all, nil
}

// regions returns the shared mappings of files that have a name.
func regions(maps []byte) (all []region) {
	for line := range bytes.Lines(maps) {
		fields := bytes.SplitN(bytes.TrimSuffix(line, []byte{'\n'}), []byte{' '}, 6)
		if len(fields) < 6 || len(fields[1]) < 4 || fields[1][3] != 's' {
			continue
		}
		if name := strings.TrimLeft(string(fields[5]), " "); strings.HasPrefix(name, "/") {
			all = append(all, region{mapping{span(fields[0]), string(fields[4]), name}, fields[1][1] == 'w'})
		}
	}
	return all
}

// mappedFile is the file of a mapping. Without CAP_CHECKPOINT_RESTORE map_files leads nowhere
// (proc_map_files_get_link); then it is the one at its path, if it has the number.
func (f files) mappedFile(m mapping) (st unix.Stat_t, err error) {
	err = unix.Stat(f.path("map_files/"+m.span), &st)
	if err != unix.EPERM && err != unix.EACCES {
		return st, err
	}
	root, e := unix.Open(f.path("root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if e != nil {
		return st, err
	}
	defer unix.Close(root)
	r := doorReader{root: root}
	if !r.is(m) {
		return st, err
	}
	fd, err := open(root, m.name)
	if err != nil {
		return st, err
	}
	defer unix.Close(fd)
	return st, unix.Fstat(fd, &st)
}

// mayWrite reports whether mprotect(2) makes a mapping writable: proc_pid_smaps(5), mw.
func mayWrite(smaps []byte, of string) bool {
	here := false
	for line := range bytes.Lines(smaps) {
		first, rest, _ := bytes.Cut(line, []byte{' '})
		switch {
		case bytes.Contains(first, []byte{'-'}):
			here = span(first) == of
		case here && string(first) == "VmFlags:":
			return bytes.Contains(rest, []byte("mw "))
		}
	}
	return true // it is not said
}
