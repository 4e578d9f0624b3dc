package audit

import (
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// A file is one wherever it is seen.
type file struct{ dev, ino uint64 }

// mostFiles bounds what is looked at in the trees of a view.
const mostFiles = 1 << 20

// grown adds what others than root may change in the trees, and notes every file there: a
// process may have it open.
func (r *doorReader) grown() error {
	left := mostFiles
	for _, name := range trees {
		if err := r.tree(name, treeAllows, &left); err != nil {
			return err
		}
	}
	return nil
}

func (r *doorReader) tree(name, allows string, left *int) error {
	if err := r.above(name+"/x", allows); err != nil {
		return err
	}
	fd, err := openWith(r.root, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if gone(err) || err == unix.ENOTDIR {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return r.branch(fd, name, allows, left)
}

// branch looks at an open folder, which it closes, and what is below.
func (r *doorReader) branch(fd int, name, allows string, left *int) error {
	dir := os.NewFile(uintptr(fd), name)
	defer dir.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	this := file{uint64(st.Dev), st.Ino}
	if r.walked[this] {
		return nil
	}
	r.walked[this] = true
	if err := r.leaf(fd, name, allows, st); err != nil {
		return err
	}
	names, err := dir.Readdirnames(*left + 1)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", name, err)
	}
	if *left -= len(names); *left < 0 {
		return fmt.Errorf("%s: more than %d files", name, mostFiles)
	}
	for _, n := range names {
		if err := r.twig(fd, n, name+"/"+n, allows, left); err != nil {
			return err
		}
	}
	return nil
}

// twig looks at an entry of an open folder.
func (r *doorReader) twig(dir int, n, name, allows string, left *int) error {
	var st unix.Stat_t
	err := unix.Fstatat(dir, n, &st, unix.AT_SYMLINK_NOFOLLOW)
	if gone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		fd, err := unix.Openat(dir, n, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if gone(err) || err == unix.ENOTDIR || err == unix.ELOOP {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return r.branch(fd, name, allows, left)
	case unix.S_IFLNK:
		return r.leads(dir, n, name, allows)
	case unix.S_IFREG:
		r.files[file{uint64(st.Dev), st.Ino}] = true
		if !writable(st) {
			return nil
		}
		fd, err := unix.Openat(dir, n, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if gone(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer unix.Close(fd)
		return r.leaf(fd, name, allows, st)
	}
	return nil
}

// leaf adds a file or a folder that somebody besides root may change.
func (r *doorReader) leaf(fd int, name, allows string, st unix.Stat_t) error {
	d := Door{Path: name, Need: 2, Root: true, Allows: allows}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		d.Need = 3
	}
	if !writable(st) {
		return nil
	}
	return r.addOpen(fd, d)
}

// writable is Door.anybody of a file's mode, of which an access control list needs the bits of
// the group.
func writable(st unix.Stat_t) bool {
	return st.Uid != 0 || st.Mode&0o022 != 0
}

// leads adds a file that a link in a tree leads to, and the folders above the name in it.
func (r *doorReader) leads(dir int, n, name, allows string) error {
	buf := make([]byte, unix.PathMax)
	size, err := unix.Readlinkat(dir, n, buf)
	if gone(err) || err == unix.EINVAL {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	to := below(path.Dir(name), string(buf[:size]))
	if inTree(to) || strings.HasPrefix(to, "/dev/") || strings.HasPrefix(to, "/proc/") {
		return nil // it is looked at there; a unit that is masked
	}
	if r.kind(to) == directory {
		return r.loads(to)
	}
	return r.obeys(to, allows)
}

// libraries adds the folders in which ld.so looks besides the trees.
func (r *doorReader) libraries() error {
	cache, err := r.read("/etc/ld.so.cache")
	if err != nil {
		return err
	}
	folders := sonames(cache)
	patterns := []string{"/etc/ld.so.conf", "/etc/ld-musl-*.path"}
	for i := 0; i < len(patterns) && i < mostFolders; i++ {
		names, err := r.list(path.Dir(patterns[i]), maxDev)
		if err != nil {
			return err
		}
		for _, n := range names {
			if match, _ := path.Match(path.Base(patterns[i]), n); !match {
				continue
			}
			conf, err := r.read(path.Join(path.Dir(patterns[i]), n))
			if err != nil {
				return err
			}
			more, include := searched(conf)
			folders, patterns = append(folders, more...), append(patterns, include...)
		}
	}
	left := mostFiles
	for _, name := range folders {
		if err := r.tree(name, treeAllows, &left); err != nil {
			return err
		}
	}
	return nil
}

// pam adds the PAM modules that are named by their paths: pam.conf(5).
func (r *doorReader) pam() error {
	names, err := r.list("/etc/pam.d", maxDev)
	if err != nil {
		return err
	}
	for _, n := range names {
		text, err := r.read("/etc/pam.d/" + n)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			for w := range strings.FieldsSeq(line) {
				if path.IsAbs(w) && path.Ext(w) == ".so" {
					if err := r.obeys(w, "log in as root"); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// keys adds the private keys of root's, for those who may read them.
func (r *doorReader) keys() error {
	names, err := r.list("/root/.ssh", maxDev)
	if err != nil {
		return err
	}
	for _, n := range names {
		if !isSecret(n) || r.kind("/root/.ssh/"+n) == directory {
			continue
		}
		if err := r.add(Door{Path: "/root/.ssh/" + n, Need: 4, Allows: "log in wherever root's key does"}); err != nil {
			return err
		}
	}
	return nil
}
