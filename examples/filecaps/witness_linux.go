package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// witnessOf looks at a file as it is now.
func witnessOf(path string) (*witness, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // without waiting for a FIFO
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w := &witness{Path: path}
	var st unix.Statx_t
	if err := unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st); err != nil {
		return nil, &os.PathError{Op: "statx", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, &os.PathError{Op: "open", Path: path, Err: caps.ErrNotRegular}
	}
	ns := func(t unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }
	w.Dev, w.Ino, w.Size = unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino, int64(st.Size)
	w.Write, w.Change, w.Mode, w.UID, w.GID = ns(st.Mtime), ns(st.Ctime), uint32(st.Mode), st.Uid, st.Gid
	if st.Mask&unix.STATX_BTIME != 0 {
		w.Birth = ns(st.Btime)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return nil, err
	}
	w.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
	switch _, err := caps.ReadOpen(file); {
	case err == nil:
		w.Stamped = true
	case !errors.Is(err, caps.ErrNoCaps) && !errors.Is(err, unix.EOPNOTSUPP):
		return nil, err
	}
	return w, nil
}

// gather looks at all that may show what happened to a file.
func gather(path string) (evidence, error) {
	now, err := witnessOf(path)
	if err != nil {
		return evidence{}, err
	}
	e := evidence{now: *now}
	_, err = caps.ReadFile(path)
	e.holds = !errors.Is(err, unix.EOPNOTSUPP)
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return evidence{}, err
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, real, 0, unix.STATX_MNT_ID, &st); err != nil {
		return evidence{}, &os.PathError{Op: "statx", Path: real, Err: err}
	}
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return e, nil // it shows nothing more
	}
	m, ok := findMount(string(b), strconv.FormatUint(st.Mnt_id, 10))
	if !ok {
		return e, nil
	}
	e.fs = m.fs
	below, ok := m.below(real)
	if m.fs != "overlay" || !ok {
		return e, nil
	}
	if m.upper != "" {
		upper := filepath.Join(m.upper, below)
		_, err := os.Lstat(upper)
		_, errCaps := caps.ReadFile(upper)
		e.layer.upper, e.layer.holds = err == nil, !errors.Is(errCaps, unix.EOPNOTSUPP)
	}
	for _, dir := range m.lower {
		if w, err := witnessOf(filepath.Join(dir, below)); err == nil {
			e.layer.lower = w
			break
		}
	}
	return e, nil
}

// A mount is a line of mountinfo, as far as it matters here.
type mount struct {
	root, point string
	fs          string
	upper       string
	lower       []string // the uppermost first
}

// findMount finds the mount with an id in the text of proc_pid_mountinfo(5).
func findMount(mountinfo, id string) (mount, bool) {
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || f[0] != id || len(g) < 3 {
			continue
		}
		m := mount{root: octal(f[3]), point: octal(f[4]), fs: octal(g[0])}
		for option := range strings.SplitSeq(g[2], ",") {
			option = octal(option)
			if v, ok := strings.CutPrefix(option, "upperdir="); ok {
				m.upper = v
			} else if v, ok := strings.CutPrefix(option, "lowerdir="); ok {
				m.lower = append(m.lower, strings.Split(v, ":")...)
			} else if v, ok := strings.CutPrefix(option, "lowerdir+="); ok {
				m.lower = append(m.lower, v)
			}
		}
		return m, true
	}
	return mount{}, false
}

// below is a path of the mount as its layers have it.
func (m mount) below(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(m.point, "/")+"/")
	return filepath.Join(m.root, rest), ok
}

// octal undoes the \ooo of mountinfo.
func octal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
