package recording

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
)

// A recording of this very machine gives the report that Bind gives, names
// apart, and has none of its names.
func TestMake(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	address := other.Addr().String()
	recording, err := Make(address)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(recording, []byte("\nbind "+address+" EADDRINUSE\n")) {
		t.Errorf("no outcome in\n%s", recording)
	}
	host, _ := os.Hostname()
	wd, _ := os.Getwd()
	for _, name := range append([]string{host, wd}, os.Args...) {
		if len(name) > 3 && name != "localhost" && bytes.Contains(recording, []byte(name)) {
			t.Errorf("%q is in\n%s", name, recording)
		}
	}
	var live, replayed *report.Error
	if _, err := guard.Bind(address); !errors.As(err, &live) {
		t.Fatal(err)
	}
	if err := Replay(recording, address); !errors.As(err, &replayed) {
		t.Fatal(err)
	}
	if diff := diff.Of(live.Causes, replayed.Causes); diff != "" || live.Errno != replayed.Errno || live.Report.Error != replayed.Report.Error {
		t.Errorf("%s\n%v\n%v", diff, live, replayed)
	}
}

func TestMakeAllowed(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	recording, err := Make(address)
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := Replay(recording, address, guard.ReportTo(&r)); err != nil || !r.OK || r.Via != "plain" {
		t.Errorf("%v %+v", err, r)
	}
}

func TestMakeMalformed(t *testing.T) {
	var refused *report.Error
	if recording, err := Make("443"); recording != nil || !errors.As(err, &refused) || refused.ExitCode() != 64 || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("%q, %v", recording, err)
	}
}

// What a recording does not show is not taken for a port that is free.
func TestReplayUnseen(t *testing.T) {
	recording, err := os.ReadFile("../guardtest/testdata/ordinary-user.txtar")
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := load(recording)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r := ask.Named(":8443")
		r.On(nil)
		if err := replay(&r, f, nil); (err != nil) != (f.Net.Sockets.State != facts.Known) {
			t.Errorf("sockets %v: %v", f.Net.Sockets.State, err)
		}
		f.Net.Sockets = facts.Fact[[]facts.Socket]{}
	}
}
