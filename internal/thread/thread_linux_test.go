package thread

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// f never runs on the first thread, which would stay, nor twice on the same one. With
// one processor the runtime likes to start it there.
func TestRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 50 {
		one, other := Run(unix.Gettid), Run(unix.Gettid)
		if first := unix.Getpid(); one == first || other == first || one == other {
			t.Fatalf("threads %d and %d of process %d", one, other, first)
		}
	}
}

// What f panics with can be recovered by the caller, as if f ran there.
func TestRunPanics(t *testing.T) {
	defer func() {
		if got := recover(); got != "of f" {
			t.Errorf("recovered %v", got)
		}
	}()
	Run(func() int { panic("of f") })
	t.Error("Run returned")
}

// Where f ends its goroutine, as t.FailNow does, Run ends that of its caller, and does
// not return a value that f has not.
func TestRunEnds(t *testing.T) {
	returned := make(chan bool)
	go func() {
		defer close(returned)
		Run(func() int { runtime.Goexit(); return 1 })
		returned <- true
	}()
	if <-returned {
		t.Error("Run returned")
	}
}
