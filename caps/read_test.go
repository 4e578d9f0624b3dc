package caps

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadThreads(t *testing.T) {
	other := strings.Replace(status, "CapEff:\t0000000000000400", "CapEff:\t0000000000000000", 1)
	proc := fstest.MapFS{
		"7/task/7/status": {Data: []byte(status)},
		"7/task/9/status": {Data: []byte(other)},
		"7/task/8/status": {Data: []byte("Name:\tx\nState:\tZ (zombie)\n")}, // being reaped
		"5/task/5/status": {Data: []byte("Name:\tx\nState:\tS\n")},
		"4/task/x/status": {Data: []byte(status)},
		"3/task/3/status": {Data: []byte("Name:\tx\nState:\tX\n")},
	}
	all, err := ReadThreads(proc, 7)
	if err != nil || len(all) != 2 || all[7].Effective == 0 || all[9].Effective != 0 {
		t.Error(all, err)
	}
	for _, pid := range []int{5, 4, 3, 2} {
		if all, err := ReadThreads(proc, pid); err == nil {
			t.Errorf("pid %d: %v", pid, all)
		}
	}
}

func TestReadLastCap(t *testing.T) {
	for text, want := range map[string]int{"40\n": 40, "63\n": 63, "64\n": -1, "": -1, "\n": -1, "x\n": -1, "-1\n": -1} {
		got, err := ReadLastCap(fstest.MapFS{"sys/kernel/cap_last_cap": {Data: []byte(text)}})
		if (err == nil) != (want >= 0) || err == nil && int(got) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := ReadLastCap(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestParseSeccomp(t *testing.T) {
	if m, err := ParseSeccomp([]byte(status)); err != nil || m != SeccompFilter || m.String() != "filter" {
		t.Error(m, err)
	}
	for _, text := range []string{"", "Name:\tx\n", "Name:\tx\nSeccomp:\t", "Name:\tx\nSeccomp:\t2", "Name:\tx\nSeccomp:\tx\n", "Name:\tx\nSeccomp:\t10\n", status + "Seccomp:\t0\n"} {
		if m, err := ParseSeccomp([]byte(text)); err == nil {
			t.Errorf("%.40q: %v", text, m)
		}
	}
}

func TestSelf(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := Self()
	if runtime.GOOS != "linux" {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	want, err := ParseStatus(b)
	want.Securebits = s.Securebits // which are not in there
	if err != nil || s != want {
		t.Errorf("got %+v, %v\nwant %+v", s, err, want)
	}
	if e, err := Effective(); err != nil || e != s.Effective {
		t.Error(e, err)
	}
	if main, err := Process(os.Getpid()); err != nil || main.Bounding != s.Bounding {
		t.Error(main, err)
	}
	if all, err := Threads(os.Getpid()); err != nil || len(all) == 0 {
		t.Error(all, err)
	}
	last, err := LastCap()
	if read, err2 := ReadLastCap(os.DirFS("/proc")); err != nil || err2 != nil || last != read {
		t.Error(last, read, err, err2)
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = Self(); _, _ = Effective() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
