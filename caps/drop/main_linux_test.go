package drop_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/lowport/lowport/caps"
)

// Dropping is irreversible, so each test runs in a child of its own: the test
// binary again, with the name of an entry of children in its environment.
const childEnv = "LOWPORT_DROP_CHILD"

func TestMain(m *testing.M) {
	name := os.Getenv(childEnv)
	switch name {
	case "":
		skipDropping()
		fallthrough
	case exampleChild:
		os.Exit(m.Run())
	}
	if err := children[name](); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns the command that runs one entry of children, after the given
// words of command line, such as "setpriv --no-new-privs".
// It is killed where it hangs. Under -race each would sleep a second at its end.
func child(t *testing.T, name string, before ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	args := append(before, testBinary())
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 20 * time.Second
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childEnv+"="+name)
	return cmd
}

func testBinary() string {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return exe
}

// openCopy returns a copy of the test binary that every user may execute: the
// go command builds it in a directory of its own.
func openCopy(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(testBinary())
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "lowport-drop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := dir + "/child"
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(exe, b, 0o755), os.Chmod(exe, 0o755)); err != nil {
		t.Fatal(err)
	}
	return exe
}

// ok runs cmd and fails on any other end than exit status 0.
func ok(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd.Env[len(cmd.Env)-1], err, out)
	}
}

// lockThreads starts n goroutines that each hold a thread of their own, and
// returns when all do.
func lockThreads(n int) {
	up := make(chan bool)
	for range n {
		go func() {
			runtime.LockOSThread()
			up <- true
			select {}
		}()
	}
	for range n {
		<-up
	}
}

// everyThread checks every thread by package caps, which reads /proc on its own.
func everyThread(check func(caps.State) bool) error {
	all, err := caps.Threads(os.Getpid())
	if err != nil {
		return err
	}
	for tid, s := range all {
		if !check(s) {
			return fmt.Errorf("thread %d of %d: %+v", tid, len(all), s)
		}
	}
	return nil
}
