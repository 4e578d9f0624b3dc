package facts

import (
	"fmt"
	"path"
	"testing"
)

const initMounts = `22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 8:2 / /home rw - ext4 /dev/sda2 rw
31 22 0:40 / /run rw - tmpfs tmpfs rw
32 22 0:41 / /srv rw - tmpfs tmpfs rw
33 32 8:2 /app /srv/a\040b rw - ext4 /dev/sda2 rw
34 22 8:1 /opt/old /opt/new rw - ext4 /dev/sda1 rw
35 22 0:42 / /mnt rw - tmpfs tmpfs rw
36 35 0:43 / /mnt/x rw - tmpfs tmpfs rw
37 35 0:44 / /mnt rw - tmpfs tmpfs rw
38 22 0:45 / /cut
`

// Where process 1 has what is mounted here.
func TestOutside(t *testing.T) {
	theirs := ParseMounts([]byte(initMounts))
	for _, tt := range []struct{ name, line, path, want string }{
		{"the same mount", "22 1 8:1 / / rw -", "/usr/bin/app", "/usr/bin/app"},
		{"remounted in place", "90 80 8:1 /usr /usr rw -", "/usr/bin/app", "/usr/bin/app"},
		{"another mount namespace", "91 80 8:2 / /home rw -", "/home/app", "/home/app"},
		{"a root of its own", "92 80 8:1 /jail / rw -", "/bin/app", "/jail/bin/app"},
		{"the file is the mount", "93 80 8:1 /rel/app /app rw -", "/app", "/rel/app"},
		{"moved to another place", "94 80 8:2 /app/bin /opt rw -", "/opt/app", "/home/app/bin/app"},
		{"hidden there by another mount", "95 80 8:1 /srv /data rw -", "/data/app", ""},
		{"a part of it is mounted elsewhere", "96 80 8:1 /opt/new /data rw -", "/data/app", ""},
		{"by the second way there", "97 80 8:1 /opt/old /data rw -", "/data/app", "/opt/old/app"},
		{"below a mount that hides it", "98 80 0:43 / /data rw -", "/data/app", ""},
		{"of a file system that is not there", "99 80 7:0 / / rw -", "/bin/app", ""},
		{"whose name begins alike", "99 80 8:1 /usr2 /usr rw -", "/usr/app", "/usr2/app"},
	} {
		mine := ParseMounts([]byte(tt.line + " x x x\n"))
		if len(mine) != 1 {
			t.Fatalf("%s: %v", tt.name, mine)
		}
		if got, _, ok := Elsewhere(mine[0], tt.path, theirs); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Either the mount is read-only or the file system.
func TestReadOnly(t *testing.T) {
	for line, want := range map[string]bool{
		"22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,errors=remount-ro": false,
		"22 1 8:1 / / ro,relatime - ext4 /dev/sda1 rw":                   true,
		"22 1 8:1 / / rw shared:1 - squashfs /dev/loop0 ro,errors=x":     true,
	} {
		all := ParseMounts([]byte(line + "\n"))
		if _, m, ok := Elsewhere(all[0], "/srv/app", all); !ok || m.ReadOnly != want {
			t.Errorf("%s: %v %v", line, m, ok)
		}
	}
}

// In a chroot to a folder nothing is mounted at /.
func TestRootMount(t *testing.T) {
	if m, ok := ParseMounts([]byte(initMounts)).At("/"); !ok || m.ID != "22" {
		t.Errorf("%v %v", m, ok)
	}
	if m, ok := ParseMounts([]byte("50 22 0:5 / /proc rw - proc proc rw\n")).At("/"); ok {
		t.Errorf("%v", m)
	}
	if m, ok := ParseMounts([]byte(initMounts)).At("/mnt/x/app"); !ok || m.ID != "37" {
		t.Errorf("%v %v", m, ok)
	}
}

// Mounts on the folder itself, on the root and below a root that is its own parent, as the
// first one of the kernel is.
func TestAtMountPoint(t *testing.T) {
	for _, tt := range []struct{ name, lines, path, want string }{
		{"the folder", "1 0 8:1 / / rw - x x rw\n2 1 8:2 / /srv rw - x x rw\n", "/srv", "2"},
		{"a folder whose name begins alike", "1 0 8:1 / / rw - x x rw\n2 1 8:2 / /srv rw - x x rw\n", "/srv2", "1"},
		{"on the root", "1 0 8:1 / / rw - x x rw\n2 1 8:2 / / rw - x x rw\n", "/srv/app", "2"},
		{"below the kernel's first", "1 1 0:2 / / rw - rootfs rootfs rw\n2 1 8:2 / /srv rw - x x rw\n", "/srv/app", "2"},
	} {
		all := ParseMounts([]byte(tt.lines))
		if m, ok := all.At(tt.path); !ok || m.ID != tt.want {
			t.Errorf("%s: %+v %v, want %s", tt.name, m, ok, tt.want)
		}
		if m, ok := all.ByID(tt.want); !ok || m.ID != tt.want {
			t.Errorf("%s: by id %+v %v", tt.name, m, ok)
		}
		if m, ok := all.ByID("9"); ok {
			t.Errorf("%s: no id 9, and got %+v", tt.name, m)
		}
	}
}

// Ten thousand mounts on one folder are gone through once, and lines of two moments,
// which go in a circle, not for ever.
func TestMountsOnMounts(t *testing.T) {
	b := []byte("1 0 8:1 / / rw - x x rw\n")
	for i := range 10000 {
		b = fmt.Appendf(b, "%d %d 8:2 / /srv rw - x x rw\n", i+2, i+1)
	}
	all := ParseMounts(b)
	if m, ok := all.At("/srv/app"); !ok || m.ID != "10001" {
		t.Errorf("%v %v", m, ok)
	}
	if to, m, ok := Elsewhere(Mount{Dev: "8:2", Root: "/", Point: "/"}, "/app", all); !ok || to != "/srv/app" || m.ID != "10001" {
		t.Errorf("%q %v %v", to, m, ok)
	}
	all[1].Parent = "10001"
	all = append(all, Mount{ID: "1", Parent: "0", Point: "/"}, Mount{ID: "2", Parent: "1", Point: "/srv"})
	if m, ok := all.At("/srv/app"); ok {
		t.Errorf("%v", m)
	}
}

// Whatever the lines, a path that is found leads to the file system of the file.
func FuzzMounts(f *testing.F) {
	f.Add(initMounts, "92 80 8:1 /jail / rw - x x rw\n", "/bin/app")
	f.Add("1 2 8:1 / / rw\n2 1 8:1 / / rw\n", "3 1 8:1 /a /b rw\n", "/b/c")
	f.Fuzz(func(t *testing.T, theirs, mine, file string) {
		of := ParseMounts([]byte(mine))
		if len(of) == 0 || !path.IsAbs(file) {
			return
		}
		all := ParseMounts([]byte(theirs))
		to, m, ok := Elsewhere(of[0], path.Clean(file), all)
		if !ok {
			return
		}
		if at, found := all.At(to); !found || at != m || m.Dev != of[0].Dev {
			t.Errorf("%q is on %+v, and the file on %+v", to, at, of[0])
		}
	})
}
