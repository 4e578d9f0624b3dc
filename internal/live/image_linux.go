package live

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// readExe reads the name of the running file. The kernel adds " (deleted)" to the name of a
// removed file. If the file's own name ends like that, it is an error.
func readExe() ([]byte, error) {
	const exe = "/proc/self/exe"
	link, err := readLink(exe)
	if err != nil || !strings.HasSuffix(string(link), facts.DeletedMark) {
		return link, err
	}
	running, err := os.Stat(exe)
	if err != nil {
		return nil, err
	}
	if named, err := os.Stat(string(link)); err == nil && os.SameFile(running, named) {
		return nil, errors.New(endsInDeleted)
	}
	return link, nil
}

const endsInDeleted = "the name of the file itself ends in" + facts.DeletedMark

// image reads what execve would read of the file at path.
func (r reading) image(which, path string) {
	r.add(which+" xattr", func() ([]byte, error) {
		var b [64]byte
		n, err := unix.Getxattr(path, "security.capability", b[:])
		if err != nil {
			return nil, err
		}
		return fmt.Appendln(nil, hex.EncodeToString(b[:n])), nil
	})
	r.add(which+" stat", func() ([]byte, error) { return stat(path) })
	r.add(which+" statfs", func() ([]byte, error) { return statfs(path) })
}

// danger reads why the file at path had better not have capabilities.
func (r reading) danger(path string) {
	r.add("path danger", func() ([]byte, error) {
		d, err := caps.Dangers(path)
		return fmt.Appendln(nil, uint8(d)), err
	})
}

// owners reads which users own the file or a folder above it, by its real path from the root top.
func (r reading) owners(top, path string) {
	r.add("path owners", func() ([]byte, error) {
		var all []uint32
		for at := path; ; at = filepath.Dir(at) {
			var st unix.Stat_t
			if err := unix.Lstat(filepath.Join(top, at), &st); err != nil {
				return nil, err
			}
			if !slices.Contains(all, st.Uid) {
				all = append(all, st.Uid)
			}
			if at == "/" || at == "." {
				return line(all)
			}
		}
	})
}

// attributes reads the attributes a and i of the file at path (chattr(1)), which also keep its
// capabilities from being changed (may_write_xattr).
func (r reading) attributes(path string) {
	r.add("path attributes", func() ([]byte, error) {
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, path, 0, 0, &st); err != nil {
			return nil, err
		}
		set := ""
		if st.Attributes&unix.STATX_ATTR_APPEND != 0 {
			set += "a"
		}
		if st.Attributes&unix.STATX_ATTR_IMMUTABLE != 0 {
			set += "i"
		}
		return []byte(set + "\n"), nil
	})
}

// moved reads where the file at path could be moved to.
func (r reading) moved(path string) {
	r.add("moved stat", func() ([]byte, error) { return stat(filepath.Join(facts.MovedDir, filepath.Base(path))) })
	r.add("moved statfs", func() ([]byte, error) { return statfs(facts.MovedDir) })
}

func stat(path string) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, err
	}
	return line(statOf(st))
}

func statfs(path string) ([]byte, error) {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	return fmt.Appendf(nil, "%#x\n", st.Flags), err
}
