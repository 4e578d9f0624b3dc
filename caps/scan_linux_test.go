package caps

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

// scanText is a scan as getcap -r prints one, and its errors.
func scanText(root string) (text string, errs []error) {
	var b strings.Builder
	for f, err := range Scan(root) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", f.Path, f.File)
	}
	return b.String(), errs
}

func TestScanLikeGetcap(t *testing.T) {
	needs.Root(t)
	getcap := tool(t, "getcap")
	root := t.TempDir()
	web := File{Permitted: SetOf(NET_BIND_SERVICE), Effective: true}
	want := 0
	for i := range 40 {
		dir := root + strings.Repeat(fmt.Sprintf("/d%d", i), i%7)
		name := fmt.Sprintf("%s/f%d", dir, i)
		if i == 9 {
			name = dir + "/\x1b[31mhostile\n name"
		}
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(name, []byte("\x7fELF"), 0o755)); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			want++
			if err := WriteFile(name, web, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	outside := t.TempDir() + "/outside"
	if err := errors.Join(
		os.WriteFile(outside, []byte("\x7fELF"), 0o755),
		WriteFile(outside, web, 0),
		os.Symlink(outside, root+"/file-link"),
		os.Symlink(filepath.Dir(outside), root+"/folder-link"),
		unix.Mkfifo(root+"/fifo", 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{root, root + "/", root + "//", root + "/d6", root + "/f0", root + "/d1/f1"} {
		got, errs := scanText(arg)
		out, err := exec.Command(getcap, "-r", arg).Output()
		if got != string(out) || err != nil || errs != nil {
			t.Errorf("%s:\n%s\n%v\ngetcap -r, %v:\n%s", arg, got, errs, err, out)
		}
	}
	if got, _ := scanText(root); strings.Count(got, "/f")+1 != want {
		t.Errorf("want %d files:\n%s", want, got)
	}
	for range Scan(root) {
		break // and no worker is left: Scan waits for them
	}
	if got, errs := scanText(root + "/folder-link"); got != "" || len(errs) != 1 || !errors.Is(errs[0], unix.ELOOP) {
		t.Error(got, errs)
	}
	if got, errs := scanText(root + "/none"); got != "" || len(errs) != 1 || !errors.Is(errs[0], os.ErrNotExist) {
		t.Error(got, errs)
	}
}

// A folder too large for one read comes in parts, in the order of getcap -r too, with what
// is below each in its place; and no descriptor is left where the loop ends early.
func TestScanInParts(t *testing.T) {
	needs.Root(t)
	getcap := tool(t, "getcap")
	root := t.TempDir()
	web := File{Permitted: SetOf(NET_BIND_SERVICE), Effective: true}
	for i := range 4000 { // with names that take 200 bytes, several times the buffer of 64 kB
		name := fmt.Sprintf("%s/%0180d", root, i)
		if i%100 == 0 {
			if err := os.Mkdir(name, 0o755); err != nil {
				t.Fatal(err)
			}
			name += "/f"
		}
		if err := os.WriteFile(name, []byte("\x7fELF"), 0o755); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			if err := WriteFile(name, web, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(getcap, "-r", root).Output()
	if got, errs := scanText(root); got != string(out) || err != nil || errs != nil || strings.Count(got, "\n") != 80 {
		t.Errorf("\n%s\n%v\ngetcap -r, %v:\n%s", got, errs, err, out)
	}
	before, errBefore := os.ReadDir("/proc/self/fd")
	for range Scan(root) {
		break
	}
	after, errAfter := os.ReadDir("/proc/self/fd")
	if err := errors.Join(errBefore, errAfter); err != nil || len(after) != len(before) {
		t.Errorf("%d descriptors before, %d after, %v", len(before), len(after), err)
	}
}

// Folders are taken in the order in which they are passed on, whoever finishes first; and
// while that is far behind, none but the very first.
func TestScanOrder(t *testing.T) {
	s := &scanner{}
	s.unread.prev, s.unread.next = &s.unread, &s.unread
	with := func(path string, in ...*folder) *folder {
		f := &folder{path: path}
		for _, sub := range in {
			f.items = append(f.items, scanItem{folder: sub})
		}
		return f
	}
	top := with("/", with("a", with("a/a"), with("a/b")), with("b", with("b/a")))
	s.insert(top, &s.unread)
	take := func(want string) *folder {
		t.Helper()
		f := s.take()
		if f == nil && want != "" || f != nil && f.path != want {
			t.Fatalf("took %+v, want %q", f, want)
		}
		return f
	}
	s.finish(take("/"))
	a, b := take("a"), take("b")
	take("")
	s.finish(b) // before a, and what is in a still comes first
	s.finish(a)
	first := take("a/a")
	s.ahead = mostAhead
	take("")
	s.finish(first)
	take("a/b")
	take("")
	s.ahead = 0
	take("b/a")
	if s.free != 0 {
		t.Errorf("%d are free", s.free)
	}
}

// The ways to learn of an attribute agree, on what filesystems there are.
func TestScanGetxattr(t *testing.T) {
	folders := []string{t.TempDir()}
	if name, err := os.MkdirTemp("/dev/shm", "scan"); err == nil {
		defer os.RemoveAll(name)
		folders = append(folders, name)
	}
	for _, name := range folders {
		dir, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		scanGetxattr(t, dir)
	}
}

func scanGetxattr(t *testing.T, dir *os.File) {
	fd := int(dir.Fd())
	for _, name := range []string{"plain", "other", "web"} {
		if err := os.WriteFile(dir.Name()+"/"+name, []byte("\x7fELF"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("web", dir.Name()+"/link"); err != nil {
		t.Fatal(err)
	}
	want := unix.Errno(unix.ENODATA)
	if os.Geteuid() == 0 {
		err := WriteFile(dir.Name()+"/web", File{Permitted: 1}, Nosuid)
		switch {
		case errors.Is(err, unix.EPERM): // root without cap_setfcap
		case err == nil:
			want = 0
		case errors.Is(err, unix.EOPNOTSUPP):
			want = unix.EOPNOTSUPP
		default:
			t.Fatal(err)
		}
	}
	// Whether the filesystem has these is its affair: a list too long for the
	// reader, and one that holds the name as a part of another.
	unix.Setxattr(dir.Name()+"/other", "user."+attrName, []byte("1"), 0)
	for i := range 20 {
		unix.Setxattr(dir.Name()+"/web", fmt.Sprintf("user.%030d", i), []byte("1"), 0)
	}
	at := haveGetxattrat(fd)
	var stat unix.Statfs_t
	if err := unix.Fstatfs(fd, &stat); err != nil {
		t.Fatal(err)
	}
	lists := at && listsAll(int64(stat.Type))
	new, old := reader{scanner: &scanner{at: at}}, reader{scanner: &scanner{}}
	for _, name := range []string{"plain\x00", "other\x00", "web\x00", "link\x00", "none\x00"} {
		new.attr, old.attr = [256]byte{}, [256]byte{}
		n, errno := new.getxattr(fd, []byte(name))
		m, errno2 := old.getxattr(fd, []byte(name))
		if n != m && errno == 0 || errno != errno2 || new.attr != old.attr || name == "web\x00" && errno != want {
			t.Errorf("%s, %q: %d, %v and %d, %v", dir.Name(), name, n, errno, m, errno2)
		}
		if lists && new.lacks(fd, []byte(name)) && errno != unix.ENODATA && errno != unix.EOPNOTSUPP {
			t.Errorf("%s, %q: %v, and it is not in the list", dir.Name(), name, errno)
		}
	}
	if n, err := unix.Llistxattr(dir.Name()+"/plain", nil); lists && n == 0 && err == nil && !new.lacks(fd, []byte("plain\x00")) {
		t.Errorf("%s: a list without anything in it", dir.Name())
	}
	t.Logf("%s, of type %#x: lists %v, capabilities of web: %v", dir.Name(), stat.Type, lists, want)
}

// Below an overlay, as behind FUSE, a server may answer that leaves some out of the list.
func TestListsAll(t *testing.T) {
	for fstype, want := range map[int64]bool{
		unix.EXT4_SUPER_MAGIC: true, unix.TMPFS_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true,
		unix.OVERLAYFS_SUPER_MAGIC: false, unix.FUSE_SUPER_MAGIC: false, unix.NFS_SUPER_MAGIC: false, 0: false,
	} {
		if got := listsAll(fstype); got != want {
			t.Errorf("%#x: %v", fstype, got)
		}
	}
}

func TestScanErrors(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is denied to root")
	}
	root := t.TempDir()
	for i := range 3 {
		if err := os.MkdirAll(fmt.Sprintf("%s/%d/in", root, i), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root+"/1", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(root+"/1", 0o700)
	for f, err := range Scan(root) {
		if f.Path != root+"/1" || !errors.Is(err, os.ErrPermission) {
			t.Error(f, err)
		}
	}
	if _, errs := scanText(root); len(errs) != 1 {
		t.Error(errs)
	}
}

func TestScanStaysOffProc(t *testing.T) {
	if got, errs := scanText("/proc"); got != "" || errs != nil {
		t.Error(got, errs)
	}
}

// A tree deeper than a path can be long is an error, where it gets too long.
func TestScanDeep(t *testing.T) {
	root := t.TempDir()
	name := strings.Repeat("d", 200)
	fd, err := unix.Open(root, unix.O_PATH|unix.O_CLOEXEC, 0)
	for range 25 {
		if err == nil {
			err = unix.Mkdirat(fd, name, 0o755)
		}
		next, e := unix.Openat(fd, name, unix.O_PATH|unix.O_CLOEXEC, 0)
		unix.Close(fd)
		fd, err = next, errors.Join(err, e)
	}
	unix.Close(fd)
	if err != nil {
		t.Fatal(err)
	}
	if got, errs := scanText(root); got != "" || len(errs) != 1 || !errors.Is(errs[0], unix.ENAMETOOLONG) {
		t.Error(got, errs)
	}
}

func TestOpenEach(t *testing.T) {
	root := t.TempDir()
	if err := errors.Join(os.MkdirAll(root+"/a/b", 0o755), os.Symlink("a", root+"/link"), os.Symlink("b", root+"/a/link")); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	r := reader{scanner: &scanner{fd: int(dir.Fd())}}
	for path, want := range map[string]error{".": nil, "a": nil, "a/b": nil, "none": unix.ENOENT, "a/none/b": unix.ENOENT, "link/b": unix.ELOOP, "a/link": unix.ELOOP} {
		for name, open := range map[string]func() (int, error){
			"one by one": func() (int, error) { return openEach(r.fd, path) },
			"at once":    func() (int, error) { return r.open(path) },
		} {
			fd, err := open()
			if err == nil {
				unix.Close(fd)
			}
			if err != want && (err != unix.ENOTDIR || want != unix.ELOOP) {
				t.Errorf("%s, %s: %v", path, name, err)
			}
		}
	}
	for name, want := range map[string]byte{"a\x00": unix.DT_DIR, "link\x00": unix.DT_LNK, "none\x00": unix.DT_REG} {
		if got := kindOf(int(dir.Fd()), []byte(name)); got != want {
			t.Errorf("%q: %d", name, got)
		}
	}
}
