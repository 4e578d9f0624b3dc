package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/lab/dice"
	"github.com/lowport/lowport/internal/needs"
)

// draws is how many situations are drawn; LOWPORT_DRAWS=N has another number.
const draws = 20

// In situations that nobody chose, a program that knows nothing of capabilities is refused. The
// watch, from outside, names the cause that the program itself finds with all that it may read. Some
// of that only the program knows, such as what it held when it started.
func TestDice(t *testing.T) {
	if os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	all := hearApart(t, "-cgroup", ownCgroup(t)) // that of the boxes is below it
	m, err := dice.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n, seed := draws, needs.Seed(t)
	if s := os.Getenv("LOWPORT_DRAWS"); s != "" {
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal("LOWPORT_DRAWS: ", err)
		}
	}
	made, same := 0, 0
	for i := 1; made < n; i++ {
		s := dice.DrawNumber(seed, i, "shell")
		if s.Get("ask") != "bind" || !alike(s) {
			continue
		}
		err := dice.StartForeign(m, s, func(o dice.Outcome) {
			if !heardOf(o) {
				return
			}
			made++
			want := o.Report.Causes[0].ID
			heard, ok := lastOf(all)
			if !ok || len(heard.Report.Causes) == 0 {
				t.Logf("draw %d: %s: %s: heard nothing", i, s, want)
			} else if got := heard.Report.Causes[0].ID; got != want {
				t.Logf("draw %d: %s: the watch says %s, the program %s", i, s, got, want)
			} else {
				same++
			}
		})
		if err != nil {
			t.Fatal(i, s, err)
		}
	}
	if (made-same)*20 > made {
		t.Error("the watch and the program differ in more than one draw of twenty")
	}
	t.Logf("seed %d: %d draws refused, the same first cause in %d", seed, made, same)
}

// alike reports whether a program from outside may know as much, and no more, as where the program
// itself has no /proc. It cannot see the note that
// caps/drop leaves in the program, or try what a policy answers to other binds: of two policies, or of
// one beside a taken port, the MPTCP socket meets one and the TCP socket another.
func alike(s dice.Situation) bool {
	hidden := s.Get("landlock") != "none" && (s.Get("bpf") != "none" || s.Get("holder") != "none")
	return s.Get("before") != "drop" && s.Get("launcher") != "no-proc" && !hidden
}

// heardOf reports whether the program was refused by a call that is heard.
func heardOf(o dice.Outcome) bool {
	var own struct{ Error string }
	if err := json.Unmarshal(o.Said.Report, &own); err != nil || o.Bound {
		return false
	}
	return strings.Contains(own.Error, ": bind: ") || strings.Contains(own.Error, ": listen: ")
}

// ownCgroup moves this process into a cgroup of its own, and returns its folder.
func ownCgroup(t *testing.T) string {
	t.Helper()
	was := box.OwnCgroup()
	if was == "" {
		needs.Lack(t, "a mounted cgroup v2 hierarchy")
	}
	dir := fmt.Sprintf("%s/watch-%d", was, os.Getpid())
	enter := func(dir string) error { return os.WriteFile(dir+"/cgroup.procs", []byte("0"), 0) }
	if err := errors.Join(os.Mkdir(dir, 0o755), enter(dir)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(enter(was), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// lastOf returns the last report, once none has come for a while.
func lastOf(all <-chan report) (last report, ok bool) {
	for wait := 2 * time.Second; ; {
		select {
		case r, open := <-all:
			if !open {
				return last, ok
			}
			last, ok, wait = r, true, 2*patience
		case <-time.After(wait):
			return last, ok
		}
	}
}
