package guard

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/diff"
)

// A recording of this very machine gives the report that Bind gives, names
// apart, and has none of its names.
func TestRecord(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	address := other.Addr().String()
	recording, err := Record(address)
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
	var live, replayed *Error
	if _, err := Bind(address); !errors.As(err, &live) {
		t.Fatal(err)
	}
	if err := Replay(recording, address); !errors.As(err, &replayed) {
		t.Fatal(err)
	}
	if diff := diff.Of(live.Causes, replayed.Causes); diff != "" || live.Errno != replayed.Errno || live.Report.Error != replayed.Report.Error {
		t.Errorf("%s\n%v\n%v", diff, live, replayed)
	}
}

func TestRecordAllowed(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	recording, err := Record(address)
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := Replay(recording, address, ReportTo(&r)); err != nil || !r.OK || r.Via != "plain" {
		t.Errorf("%v %+v", err, r)
	}
}

func TestRecordMalformed(t *testing.T) {
	var refused *Error
	if recording, err := Record("443"); recording != nil || !errors.As(err, &refused) || refused.ExitCode() != 64 || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("%q, %v", recording, err)
	}
}
