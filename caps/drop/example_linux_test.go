package drop_test

import (
	"log"
	"os"
	"os/exec"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

// A helper that cannot gain anything, whatever it executes.
func ExampleStart() {
	own, err := caps.Self()
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command("grep", "NoNewPrivs", "/proc/self/status")
	cmd.Stdout = os.Stdout
	// An ordinary user cannot narrow the bounding set, so it stays.
	if err := drop.Start(cmd, drop.Child{Bounding: own.Bounding, Securebits: own.Securebits, NoNewPrivs: true}); err != nil {
		log.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		log.Fatal(err)
	}
	// Output: NoNewPrivs:	1
}
