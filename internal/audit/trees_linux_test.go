package audit

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// cacheOf is an ld.so.cache of these libraries, behind one in an older form.
func cacheOf(names ...string) []byte {
	var b bytes.Buffer
	b.WriteString("ld.so-1.7.0\x00\x00\x00\x00\x00")
	head := make([]byte, 48)
	copy(head, "glibc-ld.so.cache1.1")
	binary.NativeEndian.PutUint32(head[20:], uint32(len(names)))
	b.Write(head)
	at := 48 + 24*len(names)
	for _, n := range names {
		entry := make([]byte, 24)
		binary.NativeEndian.PutUint32(entry[8:], uint32(at))
		b.Write(entry)
		at += len(n) + 1
	}
	for _, n := range names {
		b.WriteString(n + "\x00")
	}
	return b.Bytes()
}

func TestSonames(t *testing.T) {
	whole := cacheOf("/opt/a/lib/liba.so.1", "/opt/b/libb.so", "/opt/a/lib/libc.so")
	if got := sonames(whole); !slices.Equal(got, []string{"/opt/a/lib", "/opt/b"}) {
		t.Errorf("%q", got)
	}
	for n := range whole { // cut short, it does no harm
		sonames(whole[:n])
	}
	if real, err := os.ReadFile("/etc/ld.so.cache"); err == nil && len(sonames(real)) == 0 {
		t.Error("this machine's has none")
	}
}

func TestSearched(t *testing.T) {
	folders, include := searched([]byte("# all\n/opt/a/lib\t# mine\ninclude ld.so.conf.d/*.conf\ninclude /opt/x/*.conf\n\n/opt/b:/opt/c\nhwcap 1 nosegneg\n"))
	if !slices.Equal(folders, []string{"/opt/a/lib", "/opt/b", "/opt/c"}) || !slices.Equal(include, []string{"/etc/ld.so.conf.d/*.conf", "/opt/x/*.conf"}) {
		t.Errorf("%q %q", folders, include)
	}
}

func TestIsSecret(t *testing.T) {
	for name, want := range map[string]bool{"id_ed25519": true, "deploy": true, "id_ed25519.pub": false, "known_hosts": false, "authorized_keys": false, "config": false} {
		if got := isSecret(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Everything that somebody besides root may change in a root folder's trees is a door,
// however deep, behind a link, or in a folder that ld.so is told of. The rest is none, but
// known if it is open.
func TestGrown(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of two users: needs root")
	}
	root := t.TempDir()
	put := func(name string, uid int) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(root, name), uid, 0); err != nil {
			t.Fatal(err)
		}
	}
	put("/usr/lib/arch/security/pam_a.so", 0)
	put("/usr/lib/arch/security/pam_b.so", 7)
	put("/usr/share/perl5/a/b/c/d.pm", 7)
	put("/usr/share/other/d.pm", 7)
	put("/srv/linked.py", 7)
	put("/opt/a/lib/liba.so", 7)
	put("/opt/b/lib/new/x", 0)
	put("/opt/c/pam_c.so", 7)
	for name, text := range map[string]string{
		"/etc/ld.so.cache": string(cacheOf("/opt/a/lib/liba.so")), "/etc/ld.so.conf": "include ld.so.conf.d/*.conf\n",
		"/etc/ld.so.conf.d/b.conf": "/opt/b/lib\n", "/etc/pam.d/sshd": "auth required /opt/c/pam_c.so x\n",
	} {
		put(name, 0)
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/srv/linked.py", root+"/usr/lib/linked.py"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(root+"/opt/b/lib/new", 7, 7); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("usr/lib", root+"/lib"); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	r := newDoorReader(fd)
	if err := r.standard(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range r.all {
		if d.UID == 7 {
			got = append(got, verb(*d)+" "+d.Path)
		}
	}
	slices.Sort(got)
	want := []string{
		"put a file into /opt/b/lib/new", "write /opt/a/lib/liba.so", "write /opt/c/pam_c.so", "write /srv/linked.py",
		"write /usr/lib/arch/security/pam_b.so", "write /usr/share/perl5/a/b/c/d.pm",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	var st unix.Stat_t
	if err := unix.Stat(root+"/usr/lib/arch/security/pam_a.so", &st); err != nil {
		t.Fatal(err)
	}
	if d := (special{r.everyone, r.files}).of(st, 2, "x"); d == nil || !d.Root {
		t.Errorf("%+v", d)
	}
	left := 3
	r.walked = map[file]bool{}
	if err := r.tree("/usr/lib", treeAllows, &left); err == nil {
		t.Error("no end of files")
	}
}
