package guard_test

import (
	"fmt"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

// A program that changes routes requires caps.NET_ADMIN, and ends with a report
// where it does not have it. This one requires what it has.
func ExampleMustRequire() {
	var need []caps.Cap
	if held, err := caps.Effective(); err == nil && held.Has(caps.KILL) {
		need = append(need, caps.KILL)
	}
	guard.MustRequire(need...)
	fmt.Println("and goes on")
	// Output: and goes on
}
