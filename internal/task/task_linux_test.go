package task

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The list has the thread that asks, and its status is that of the kernel.
func TestThreads(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d, err := Open("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for range 2 { // from the start each time
		ids, err := d.IDs(nil)
		if err != nil || !slices.Contains(ids, unix.Gettid()) || !slices.Contains(ids, os.Getpid()) {
			t.Fatalf("%v, %v", ids, err)
		}
	}
	got, err := d.Read(unix.Gettid(), "comm")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("/proc/thread-self/comm")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, not %q, %v", got, want, err)
	}
}

// Only names that are numbers are listed, from as many reads as it takes.
func TestIDs(t *testing.T) {
	dir := t.TempDir()
	var want []int
	for i := range 2000 {
		want = append(want, i+1000000)
		os.Mkdir(filepath.Join(dir, "x"+strings.Repeat("y", i%50)), 0o755)
		if err := os.Mkdir(filepath.Join(dir, strconv.Itoa(i+1000000)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"self", "12a", "-1", "99999999999"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, err := d.IDs(nil)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d ids, not %d, %v", len(got), len(want), err)
	}
}

// A file larger than the room for it is read whole, and so is the next one.
func TestLarge(t *testing.T) {
	dir := t.TempDir()
	large := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	if err := errors.Join(os.Mkdir(dir+"/1", 0o755), os.WriteFile(dir+"/1/status", large, 0o644)); err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for range 2 {
		if got, err := d.Read(1, "status"); err != nil || !bytes.Equal(got, large) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	for _, room := range []int{0, 1, 100, len(large), len(large) + 1} {
		if got, err := ReadFile(dir+"/1/status", make([]byte, room)); err != nil || !bytes.Equal(got, large) {
			t.Errorf("room for %d: %d bytes, %v", room, len(got), err)
		}
	}
}

func TestGone(t *testing.T) {
	d, err := Open("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Read(1, "status"); os.Getpid() != 1 && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a thread of another process: %v", err)
	}
	if _, err := Open("/proc/self/nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// The first of a long list are as many as there was room for, and links are read.
func TestFirst(t *testing.T) {
	for range 100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	d, err := Open("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ids, err := d.First(nil, 64)
	all, errAll := d.IDs(nil)
	if err := errors.Join(err, errAll); err != nil || len(ids) != 64 || len(all) < 100 || !slices.Equal(ids, all[:64]) {
		t.Errorf("%d of %d, %v", len(ids), len(all), err)
	}
	if link, err := d.Link(all[len(all)-5]); err != nil || link != os.DevNull {
		t.Errorf("%q, %v", link, err)
	}
}
