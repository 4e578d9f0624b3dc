//go:build linux

package lab

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// TestMain plays one scenario more at a time than there are cores, unless -parallel says
// otherwise: most of their time they wait, for a system to boot or a service to start.
func TestMain(m *testing.M) {
	flag.Parse()
	if p := flag.Lookup("test.parallel"); p.Value.String() == p.DefValue {
		_ = p.Value.Set(strconv.Itoa(runtime.GOMAXPROCS(0) + 1))
	}
	os.Exit(m.Run())
}
