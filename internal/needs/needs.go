// Package needs says what a test needs of the machine. A test that lacks something
// is skipped, and fails instead under LOWPORT_LAB=require.
package needs

import (
	"net"
	"os"
	"testing"
)

// Lack ends a test that needs what is not here.
func Lack(t testing.TB, what string) {
	t.Helper()
	if Required() {
		t.Fatal("needs " + what)
	}
	t.Skip("needs " + what)
}

// IPv6 reports whether there is an IPv6 loopback address. A container often has
// none; a test can leave out its part that needs one.
func IPv6(t testing.TB) bool {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	switch {
	case err == nil:
		ln.Close()
		return true
	case Required():
		t.Fatal("needs IPv6: ", err)
	}
	t.Log("without IPv6: ", err)
	return false
}

// Required reports whether a test that needs what is not here is to fail.
func Required() bool { return os.Getenv("LOWPORT_LAB") == "require" }
