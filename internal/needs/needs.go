// Package needs says what a test needs of the machine. A test that lacks something
// is skipped, and fails instead under LOWPORT_LAB=require.
package needs

import (
	"net"
	"os"
	"strconv"
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

// Seed is what a test draws from: always the same, so that a failure is one of what was
// changed, unless LOWPORT_SEED has another number.
func Seed(t testing.TB) uint64 {
	t.Helper()
	s := os.Getenv("LOWPORT_SEED")
	if s == "" {
		return 1
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal("LOWPORT_SEED: ", err)
	}
	return seed
}
