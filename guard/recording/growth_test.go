package recording_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/recording"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/facts"
)

// What a replay does grows no faster than what it replays, counted by what it allocates:
// of sockets of each kind, threads and addresses. Twice as many may take 2.5 times as much.
func TestReplayGrowth(t *testing.T) {
	b, err := os.ReadFile("../guardtest/testdata/ordinary-user.txtar")
	if err != nil {
		t.Fatal(err)
	}
	head, archived, _ := strings.Cut(string(b), "\n-- ")
	inUse := strings.Replace(head, "EACCES", "EADDRINUSE", 1)
	if inUse == head {
		t.Fatalf("%q says nothing of EACCES", head)
	}
	state := caps.State{Bounding: caps.UpTo(caps.Last)}
	for _, tt := range []struct {
		name, item, head string
		value            func(i int) any
	}{
		{"listeners", "sockets", inUse, func(i int) any { return held(i, func(s *facts.Socket) { s.Listen = true }) }},
		{"bound sockets", "sockets", inUse, func(i int) any { return held(i, func(s *facts.Socket) { s.Bound = true }) }},
		{"bound sockets, refused before", "sockets", head, func(i int) any { return held(i, func(s *facts.Socket) { s.Bound = true }) }},
		{"connections", "sockets", inUse, func(i int) any { return held(i, func(*facts.Socket) {}) }},
		{"closed connections", "sockets", head, func(i int) any { return held(i, func(s *facts.Socket) { s.Inode = 0 }) }},
		{"addresses", "addresses", head, func(i int) any { return address(i) }},
		{"threads", "threads", head, nil},
	} {
		took := func(n int) float64 {
			r, err := archive.Load([]byte("-- " + archived))
			if err != nil {
				t.Fatal(err)
			}
			if tt.value == nil {
				all := map[int]caps.State{}
				for i := range n {
					all[i+1] = state
				}
				r[tt.item] = facts.Item{Data: facts.FormatThreads(all)}
			} else {
				var all []any
				for i := range n {
					all = append(all, tt.value(i))
				}
				line, err := json.Marshal(all)
				if err != nil {
					t.Fatal(err)
				}
				r[tt.item] = facts.Item{Data: append(line, '\n')}
			}
			whole := bytes.Join([][]byte{[]byte(tt.head), archive.Save(r)}, []byte("\n"))
			return testing.AllocsPerRun(1, func() {
				if err := recording.Replay(whole, ":443"); err == nil || strings.Contains(err.Error(), "record:") {
					t.Fatal(err)
				}
			})
		}
		const n = 200
		once, twice := took(n), took(2*n)
		if twice > 2.5*once {
			t.Errorf("%s: %.0f allocations for %d, %.0f for %d", tt.name, once, n, twice, 2*n)
		}
	}
}

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }

// held is a socket on the port, of another address each.
func held(i int, change func(*facts.Socket)) facts.Socket {
	s := facts.Socket{Network: "tcp", Addr: netip.AddrPortFrom(address(i), 443), UID: 7, Inode: uint64(1000 + i), PID: 100 + i%20, Command: fmt.Sprint("app", i%20)}
	change(&s)
	return s
}
