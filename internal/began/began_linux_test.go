package began

import (
	"testing"

	"github.com/lowport/lowport/caps"
)

// A test that has given nothing up holds what it held at its start.
func TestNoted(t *testing.T) {
	now, err := caps.Self()
	if err != nil {
		t.Fatal(err)
	}
	began, ok := Noted()
	if !ok || began.Permitted != now.Permitted || began.Effective != now.Effective || began.Inheritable != now.Inheritable || began.NoNewPrivs != now.NoNewPrivs {
		t.Errorf("%+v, %v; now it is %+v", began, ok, now)
	}
}
