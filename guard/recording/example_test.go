package recording_test

import (
	"errors"
	"fmt"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
	"github.com/lowport/lowport/guard/recording"
)

// What a recorded machine says, without that machine.
func ExampleReplay() {
	saved := []byte(guardtest.NosuidMount) // or of os.ReadFile
	var refused *guard.Error
	if err := recording.Replay(saved, ":443"); errors.As(err, &refused) {
		fmt.Println(refused.Causes[0].Summary)
	}
	fmt.Println(recording.Replay(saved, ":8443"))
	// Output:
	// file capabilities are ignored on this nosuid mount
	// <nil>
}

func ExampleReplayRequire() {
	err := recording.ReplayRequire([]byte(guardtest.FileCapability), caps.NET_BIND_SERVICE)
	fmt.Println(err)
	// Output: require cap_net_bind_service: not held: cap_net_bind_service is permitted but not effective [not-raised]; fix: sudo setcap cap_net_bind_service=+ep /srv/app/server
}

func ExampleReplayAll() {
	err := recording.ReplayAll([]byte(guardtest.OrdinaryUser), []string{":80", "udp/:53"})
	var refused *guard.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Subject)
	}
	// Output: bind tcp :80, udp :53
}
