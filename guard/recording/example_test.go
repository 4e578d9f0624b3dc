package recording_test

import (
	"fmt"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/guardtest"
	"github.com/lowport/lowport/guard/recording"
)

// What a recorded machine says, without that machine.
func ExampleReplay() {
	saved := []byte(guardtest.NosuidMount) // or of os.ReadFile
	err := recording.Replay(saved, ":443")
	fmt.Println(err)
	fmt.Println(recording.Replay(saved, ":8443"))
	// Output:
	// listen tcp :443: permission denied: file capabilities are ignored on this nosuid mount
	// <nil>
}

func ExampleReplayRequire() {
	err := recording.ReplayRequire([]byte(guardtest.FileCapability), caps.NET_BIND_SERVICE)
	fmt.Println(err)
	// Output: require cap_net_bind_service: not held: cap_net_bind_service is permitted but not effective
}
