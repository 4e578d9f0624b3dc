package dropped

import (
	"testing"

	"github.com/lowport/lowport/caps"
)

func TestNote(t *testing.T) {
	if had, takes := Noted(); had != 0 || takes != 0 {
		t.Fatalf("before: %v, %v", had, takes)
	}
	raw, admin := caps.SetOf(caps.NET_RAW), caps.SetOf(caps.SYS_ADMIN)
	Note(raw|admin, admin)
	if had, takes := Noted(); had != raw|admin || takes != ^admin {
		t.Errorf("%v, %v", had, takes)
	}
	Note(admin, 0) // what the first one kept
	if had, takes := Noted(); had != raw|admin || takes != ^caps.Set(0) {
		t.Errorf("%v, %v", had, takes)
	}
}
