package main

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// What is no file is said, and not waited for.
func TestWitnessOfFIFO(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, t.TempDir()} {
		if _, err := witnessOf(path); !errors.Is(err, caps.ErrNotRegular) {
			t.Error(err)
		}
	}
}

func TestFindMount(t *testing.T) {
	const mountinfo = `22 1 0:20 / / rw - ext4 /dev/vda rw
30 22 0:30 / /mnt/a\040b rw,relatime shared:4 - overlay overlay rw,lowerdir=/l\040 one:/l2,upperdir=/up\054x,workdir=/w
31 22 0:31 /sub /mnt/new rw - overlay overlay rw,lowerdir+=/a,lowerdir+=/b
short
`
	m, ok := findMount(mountinfo, "30")
	// A space in an option is \040 as well; the one here cuts the line short.
	if !ok || m.point != "/mnt/a b" || m.fs != "overlay" {
		t.Errorf("%+v %v", m, ok)
	}
	m, ok = findMount(mountinfo, "31")
	if want := (mount{root: "/sub", point: "/mnt/new", fs: "overlay", lower: []string{"/a", "/b"}}); !ok || !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, not %+v", m, want)
	}
	if p, ok := m.below("/mnt/new/srv/x"); !ok || p != "/sub/srv/x" {
		t.Error(p, ok)
	}
	if _, ok := m.below("/mnt/newer/x"); ok {
		t.Error("another mount's file")
	}
	if m, ok := findMount(mountinfo, "22"); !ok || m.fs != "ext4" || m.upper != "" {
		t.Errorf("%+v", m)
	}
	if _, ok := findMount(mountinfo, "99"); ok {
		t.Error("a mount that is not there")
	}
	if got := octal(`/up\054x\0\`); got != `/up,x\0\` {
		t.Error(got)
	}
}

func FuzzFindMount(f *testing.F) {
	f.Add("30 22 0:30 / /mnt/a\\040b rw shared:4 - overlay overlay rw,lowerdir=/l:/l2,upperdir=/up\\054x\n", "30")
	f.Fuzz(func(t *testing.T, text, id string) {
		if m, ok := findMount(text, id); ok && m.point == "" {
			t.Errorf("%+v", m)
		}
	})
}
